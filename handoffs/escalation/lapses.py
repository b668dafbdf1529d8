"""A rep who lets one offer after the other lapse is taken out of the rotation until they are back (SLA-5)."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from django.db.models import Q

from accounts.models import User
from accounts.services import go_away
from sla.models import Clock, Target

# What a rep owes to an offer.
ANSWERS = (Target.Kind.OPENED, Target.Kind.DECISION)


def lapses_in_a_row(rep: User, *, most: int) -> int:
    """How many of the rep's latest offers went unanswered past a deadline, up to `most`.

    One that was answered ends the row, however late; so does coming back after an absence of their own.
    """
    settled = Clock.objects.filter(owner=rep, kind__in=ANSWERS).filter(
        Q(outcome=Clock.Outcome.DONE) | Q(breach_recorded_at__isnull=False)
    )
    if rep.back_since:
        settled = settled.filter(due_at__gt=rep.back_since)
    # Each offer has as many clocks as it has answers, at most.
    latest = settled.order_by("-due_at", "-id").values_list("handoff_id", "outcome")[: most * len(ANSWERS)]
    answered: dict[int, bool] = {}
    for handoff_id, outcome in latest:
        answered[handoff_id] = answered.get(handoff_id, False) or outcome == Clock.Outcome.DONE
    return min(most, len(list(takewhile(lambda was_answered: not was_answered, answered.values()))))


def take_out_of_rotation(rep: User, *, lapses: int, now: datetime) -> bool:
    """Nothing new is routed to them until they say that they are back; False if they were away already."""
    return go_away(rep, now=now, reason=f"{lapses_in_words(lapses)} in a row went unanswered.")


def lapses_in_words(number: int) -> str:
    return "1 offer" if number == 1 else f"{number} offers"
