"""Taking an act back: the clocks it stopped run on as if it had not happened."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from accounts.models import Team, User
from leads.models import Lead, LeadEvent
from leads.services import log_event
from sla.calendars import working_hours
from sla.desks import desk_of
from sla.models import Clock, Pause, Target
from sla.pauses import DEADLINE_FIELDS, longest_until, recompute_deadline
from sla.services import KINDS_OF_THE_BEGINNING, finish_clock


@transaction.atomic
def reopen_clocks(
    lead: Lead,
    *,
    handoff_id: int,
    stopped_at: datetime,
    but: Collection[Target.Kind] = (),
    by: User,
    now: datetime,
) -> list[Clock]:
    """Let the clocks that one act stopped run on, with the due times they had; return them.

    What the same act had started anew is cancelled, and the clock before it runs on instead. A breach on
    record stays there. The caller holds the lead's lock. Repeating it changes nothing.
    """
    clocks = list(
        Clock.objects.filter(handoff_id=handoff_id).select_related("calendar", "owner").order_by("id")
    )
    # The first of such a kind began with the handoff, each later one with an act.
    firsts = {clock.kind: clock for clock in reversed(clocks) if clock.kind in KINDS_OF_THE_BEGINNING}
    begun = [clock for clock in clocks if _begun_at(clock) == stopped_at and clock != firsts.get(clock.kind)]
    for clock in begun:
        _cancel(clock, now=now)
    reopened = [
        clock
        for clock in clocks
        if clock.stopped_at == stopped_at and clock.kind not in but and clock not in begun
    ]
    for clock in reopened:
        _reopen(clock)
    if reopened:
        log_event(
            lead,
            LeadEvent.Kind.CLOCK_STARTED,
            at=now,
            by=by,
            handoff_id=handoff_id,
            change="reopened",
            target=", ".join(clock.kind for clock in reopened),
            due={clock.kind: clock.due_at.isoformat() for clock in reopened},
        )
    return reopened


@transaction.atomic
def name_owner_of_clocks(
    lead: Lead, *, handoff_id: int, owner: User | None, team: Team | None, now: datetime
) -> None:
    """Say whose the running promises are, due as they were. The caller holds the lead's lock."""
    desk = desk_of(owner, around=now)
    running = Clock.objects.running().filter(lead=lead, handoff_id=handoff_id)
    running.update(owner=owner, team=team, calendar=desk.calendar_id, hours_digest=desk.hours.digest)


def _begun_at(clock: Clock) -> datetime | None:
    """When the act was that began a clock. A return is measured in hindsight, by the act that ended it."""
    return clock.stopped_at if clock.kind == Target.Kind.RETURN else clock.started_at


def _reopen(clock: Clock) -> None:
    """As it stood when it was stopped; a warning that came due since is given by the next sweep."""
    stopped_at, clock.stopped_at = clock.stopped_at, None
    clock.outcome = Clock.Outcome.RUNNING
    clock.wall_seconds = clock.business_seconds = None
    pause = Pause.objects.filter(clock=clock, ended_at=stopped_at, incident=None).last()
    if pause:
        _reopen_pause(clock, pause)
    ahead = (at for at in clock.warnings_at if stopped_at and at > stopped_at)
    clock.warn_at = None if clock.breach_recorded_at else next(ahead, None)
    clock.save(
        update_fields=[
            *DEADLINE_FIELDS, "warn_at", "outcome", "stopped_at", "wall_seconds", "business_seconds",
            "paused_at", "pause_reason", "resume_at",
        ]
    )  # fmt: skip


def _reopen_pause(clock: Clock, pause: Pause) -> None:
    """It stood still when it was stopped: the pause goes on, and the due time is that of before."""
    pause.ended_at = None
    pause.save(update_fields=["ended_at"])
    clock.paused_at, clock.pause_reason = pause.started_at, pause.reason
    clock.resume_at = longest_until(clock, since=pause.started_at)
    recompute_deadline(
        clock, hours=working_hours(clock.calendar, person=clock.owner, around=clock.started_at)
    )


def _cancel(clock: Clock, *, now: datetime) -> None:
    """What the act had started never was: neither kept nor missed."""
    if clock.outcome == Clock.Outcome.RUNNING:
        finish_clock(clock, Clock.Outcome.CANCELLED, at=now)
    elif clock.outcome == Clock.Outcome.DONE:
        clock.outcome = Clock.Outcome.CANCELLED
        clock.breach_recorded_at = clock.next_step_at = None
        clock.save(update_fields=["outcome", "breach_recorded_at", "next_step_at"])
