"""The other lead of a duplicate: mostly somebody else's, so of it no more is told than that it exists."""

from __future__ import annotations

from collections.abc import Iterable

from accounts.models import User
from common.errors import InvalidInput
from feedback.models import Verdict
from leads.addresses import normalise_email
from leads.models import Lead


def lead_of_address(text: str, *, field: str) -> Lead:
    """The lead with this address, whoever has it. Raises InvalidInput."""
    try:
        email = normalise_email(text.strip())
    except InvalidInput as error:
        raise InvalidInput(str(error), field=field) from error
    lead = Lead.objects.filter(email=email).first()
    if lead is None:
        raise InvalidInput("No lead has this address. Check its spelling.", field=field)
    return lead


def duplicates_shown_to(user: User, verdicts: Iterable[Verdict]) -> set[int]:
    """Ids of the leads named as duplicates that this person may read; of the others not even the name."""
    ids = {verdict.duplicate_of_id for verdict in verdicts if verdict.duplicate_of_id}
    return (
        set(Lead.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    )
