"""What accepting a lead, trying to reach it and giving it back mean to the promises of the policy (SLA-1)."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from handoffs.models import Attempt, Handoff
from leads.models import Lead
from sla.models import Clock, Target
from sla.services import keep_return, start_later_clocks, stop_clock


def promise_attempts(handoff: Handoff, lead: Lead, *, now: datetime) -> None:
    """From the acceptance on the owner tries so many times. The caller holds the lead's lock."""
    _start(handoff, lead, Target.Kind.CADENCE, now=now)


def keep_promises(handoff: Handoff, lead: Lead, attempt: Attempt) -> None:
    """Stop what this attempt fulfils; the first conversation is to be judged soon after.

    The caller holds the lead's lock.
    """
    has_reached = attempt.outcome == Attempt.Outcome.CONNECTED
    if has_reached or _has_made_enough(handoff):
        stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.CADENCE, at=attempt.at, by=attempt.by)
    if has_reached:
        _start(handoff, lead, Target.Kind.QUALITY_CHECK, now=attempt.at)


def measure_return(handoff: Handoff, lead: Lead, *, by: User | None, now: datetime) -> None:
    """Keep how long its owner took to give it back, counted from when they could know that it is bad.

    That is the first time they reached the lead, else the offer: who never tried knew it from the package.
    Not measured are a lead that was tried in vain, whose attempts have a promise of their own, and one in the
    overflow queue, which nobody had. The caller holds the lead's lock.
    """
    known_at = _could_know_at(handoff)
    if handoff.owner is None or known_at is None:
        return
    keep_return(
        lead,
        handoff_id=handoff.pk,
        category=handoff.category,
        owner=handoff.owner,
        team=lead.team,
        since=known_at,
        by=by,
        now=now,
    )


def _could_know_at(handoff: Handoff) -> datetime | None:
    if handoff.offered_at is None:
        return None
    # Of the present owner: what an earlier one heard is new to them.
    attempts = list(handoff.attempts.filter(at__gte=handoff.offered_at).values_list("at", "outcome"))
    if not attempts:
        return handoff.offered_at
    return min((at for at, outcome in attempts if outcome == Attempt.Outcome.CONNECTED), default=None)


def _has_made_enough(handoff: Handoff) -> bool:
    """Whether as many attempts were made as are promised: by the present owner, where it began anew."""
    running = Clock.objects.running().filter(handoff_id=handoff.pk, kind=Target.Kind.CADENCE)
    for started_at, needed in running.values_list("started_at", "attempts_needed"):
        return handoff.attempts.filter(at__gte=started_at).count() >= (needed or 0)
    return False


def _start(handoff: Handoff, lead: Lead, kind: Target.Kind, *, now: datetime) -> None:
    start_later_clocks(
        lead,
        handoff_id=handoff.pk,
        category=handoff.category,
        kinds=[kind],
        owner=handoff.owner,
        team=lead.team,
        now=now,
    )
