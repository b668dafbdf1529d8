"""The ladder of a clock: the steps its policy's version names, and when they are due; rows before `ladder`.

Taking the steps is `handoffs.escalation`: most of them are about handoffs, which lie above.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache

from sla.business_hours import ALWAYS_OPEN, WorkingCalendar
from sla.hours_of_clocks import hours_of_clocks
from sla.ladder import step_time
from sla.models import Clock, EscalationStep, Target
from sla.timeline import CalendarError
from sla.versions import Step, read_terms_by_id


def ladder_of(clock: Clock) -> tuple[Step, ...]:
    """What follows when the clock is missed, in order. A clock from before versions has no ladder."""
    return _ladder(clock.policy_version_id, clock.kind) if clock.policy_version_id else ()


def actions_of(clock: Clock) -> frozenset[str]:
    """What the ladder of the clock does, in no order."""
    return _actions(clock.policy_version_id, clock.kind) if clock.policy_version_id else frozenset()


# Versions never change, and a thousand clocks missed at once share a few of them.
@cache
def _ladder(version_id: int, kind: str) -> tuple[Step, ...]:
    # A return is measured when it is over: nothing is left to do about it but to tell people.
    return () if kind == Target.Kind.RETURN else read_terms_by_id(version_id).steps_for(kind)


@cache
def _actions(version_id: int, kind: str) -> frozenset[str]:
    return frozenset(step.action for step in _ladder(version_id, kind))


def next_step_of(clock: Clock) -> str:
    """What is done next if the clock goes on, in words; blank: nothing. `next_step_at` says when."""
    goes_on = clock.outcome == Clock.Outcome.RUNNING and not clock.paused_at
    if clock.next_step_at is None or not goes_on:
        return ""
    ladder = ladder_of(clock)
    # A policy re-applied since may have fewer steps.
    return (
        EscalationStep.Action(ladder[clock.steps_taken].action).label
        if clock.steps_taken < len(ladder)
        else ""
    )


def time_of_step(step: Step, clock: Clock, hours: WorkingCalendar) -> datetime:
    """When a step of a clock is due; around the clock where its calendar knows no hour for it."""
    try:
        return step_time(step, due_at=clock.due_at, hours=hours)
    except CalendarError:
        return clock.due_at + timedelta(minutes=step.after_minutes)


def hours_of_ladders(clocks: Collection[Clock]) -> dict[int, WorkingCalendar]:
    """By which hours the steps of each clock count, by its id, in a few queries; after a promise around the
    clock, so do its steps."""
    hours = hours_of_clocks(clock for clock in clocks if clock.mode != Target.Mode.WALL)
    return {clock.pk: hours.get(clock.pk, ALWAYS_OPEN) for clock in clocks}


def first_steps(clocks: Collection[Clock]) -> dict[int, datetime]:
    """When the ladder of each missed clock begins, by its id; those without one are left out."""
    begun = {clock.pk: ladder[0] for clock in clocks if (ladder := ladder_of(clock))}
    # Most begin at the deadline itself, and that asks for no calendar.
    later = [clock for clock in clocks if clock.pk in begun and begun[clock.pk].after_minutes]
    hours = hours_of_ladders(later) if later else {}
    times = {clock.pk: clock.due_at for clock in clocks if clock.pk in begun}
    return times | {clock.pk: time_of_step(begun[clock.pk], clock, hours[clock.pk]) for clock in later}
