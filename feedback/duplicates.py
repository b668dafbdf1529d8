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


def duplicates_of(lead: Lead) -> list[Verdict]:
    """The rejections that name this lead as the one already there, newest first."""
    named = Verdict.objects.standing().filter(duplicate_of=lead)
    return list(named.select_related("lead", "by").order_by("-at", "-pk"))


def leads_shown_to(user: User, verdicts: Iterable[Verdict]) -> set[int]:
    """Ids of the leads on either side of a duplicate that this person may read; of the others not even the
    name."""
    ids = {pk for verdict in verdicts for pk in _both_sides(verdict)}
    return (
        set(Lead.objects.visible_to(user).filter(pk__in=ids).values_list("pk", flat=True)) if ids else set()
    )


def _both_sides(verdict: Verdict) -> tuple[int, ...]:
    return (verdict.duplicate_of_id, verdict.lead_id) if verdict.duplicate_of_id else ()
