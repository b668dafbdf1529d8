"""The templates in force: those somebody edited, and the shipped one for all other kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from notifications.models import MessageTemplate
from notifications.wording import SHIPPED, Words


class Templates:
    """The templates of some kinds, read with one query."""

    def __init__(self, edited: Mapping[str, Words]) -> None:
        self._edited = edited

    @classmethod
    def of(cls, kinds: Iterable[str]) -> Templates:
        rows = MessageTemplate.objects.filter(kind__in=set(kinds)).values_list("kind", "subject", "body")
        return cls({kind: Words(subject, body) for kind, subject, body in rows})

    def template(self, kind: str) -> Words:
        return self._edited.get(kind, SHIPPED)
