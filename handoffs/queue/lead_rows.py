"""The rows of the list of leads."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from django.db.models import OuterRef, Subquery

from accounts.models import User
from common.prepared import VIEWER, any_of_ids, ask_prepared, composed
from handoffs.models import Handoff
from handoffs.rows import name_of
from leads.models import Lead

_STAGE_WORDS: dict[str, str] = dict(Lead.Stage.choices)
_STATUS_WORDS: dict[str, str] = dict(Handoff.Status.choices)


class LeadRow(NamedTuple):
    """What a row shows, as it is read: one field per entry of _COLUMNS."""

    pk: int
    first_name: str
    last_name: str
    email: str
    external_id: str
    title: str
    stage_code: str
    last_activity_at: datetime | None
    company: str | None
    category: str | None
    total: int | None
    fit: int | None
    engagement: int | None
    owner_first_name: str | None
    owner_last_name: str | None
    owner_username: str | None
    handoff_pk: int | None
    handoff_status: str | None

    @property
    def name(self) -> str:
        return name_of(self.first_name, self.last_name, self.email, self.external_id)

    @property
    def stage(self) -> str:
        return _STAGE_WORDS[self.stage_code]

    @property
    def owner(self) -> str:
        return name_of(self.owner_first_name, self.owner_last_name, self.owner_username)

    @property
    def status(self) -> str:
        """Of the open handoff that the viewer may see; blank without one."""
        return _STATUS_WORDS.get(self.handoff_status or "", "")


_COLUMNS = (
    *("pk", "first_name", "last_name", "email", "external_id", "title", "stage", "last_activity_at"),
    *("company__name", "score__category", "score__total", "score__fit", "score__engagement"),
    *("owner__first_name", "owner__last_name", "owner__username", "handoff_pk", "handoff_status"),
)


def show_leads(viewer: User, ids: Sequence[int]) -> list[LeadRow]:
    """The rows of these leads, newest first, each with its open handoff, in one query."""
    found = ask_prepared(_statement(viewer.role), {"viewer": viewer.pk, "ids": ids})
    return [LeadRow._make(each) for each in found]


@cache
def _statement(role: str) -> str:
    """Only what a row shows; by key, so that looking for a page reads no more than keys."""
    handoffs = Handoff.objects.open().visible_to(User(pk=VIEWER, role=role)).filter(lead=OuterRef("pk"))
    leads = Lead.objects.filter(pk__in=any_of_ids()).annotate(
        handoff_pk=Subquery(handoffs.values("pk")[:1]), handoff_status=Subquery(handoffs.values("status")[:1])
    )
    return composed(leads.order_by("-created_at", "-pk").values_list(*_COLUMNS))
