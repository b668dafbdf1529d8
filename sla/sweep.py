"""Noticing that time has passed: warnings, breaches and the end of pauses, each exactly once.

The marks are `Clock.warn_at`, `Clock.due_at` and `Clock.resume_at`. Any number of sweeps may run at once:
each claims rows nobody else holds and marks them in the transaction that tells people, so a crash repeats
nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from common.bulk import update_rows
from common.parking import begin_attempt, forget_failure, keep_failure
from notifications.models import Notification
from notifications.services import Message, send_messages
from sla.breaches import record_breaches
from sla.models import Clock, ClockQuerySet
from sla.pauses import end_longest_pauses

log = structlog.get_logger(__name__)

# Rows one transaction claims: many, because they cost little each, and few enough that a verb that waits for
# one of the leads hardly notices.
BATCH = 1_000

# Of the forty columns of a clock and the forty of a lead: what recording a breach looks at.
_LOOKED_AT = (
    "lead__id", "handoff_id", "kind", "owner_id", "team_id", "calendar_id", "policy_version_id", "mode",
    "started_at", "due_at", "reviews_breaches",
)  # fmt: skip


class Act(Protocol):
    def __call__(self, clocks: Sequence[Clock], *, now: datetime) -> None: ...


@dataclass(frozen=True)
class SweepResult:
    breaches: int = 0
    warnings: int = 0
    resumed: int = 0


def sweep_clocks(*, now: datetime) -> SweepResult:
    """End every pause that has lasted long enough, record every deadline and give every warning that is due
    at `now`. Safe to repeat and to run twice.

    After downtime a breach still gets the time it happened; a warning whose deadline has passed too
    makes no sense any more and is left out, and of several warnings only the last is given.
    """
    over = Clock.objects.pause_over(now).select_related("owner").order_by("resume_at")
    due = Clock.objects.due(now).only(*_LOOKED_AT).order_by("due_at")
    warning_due = Clock.objects.warning_due(now).select_related("owner").order_by("warn_at")
    # First: a clock that goes on from a moment past may be late by now.
    resumed = work_through(over, end_longest_pauses, now=now)
    breaches = work_through(due, record_breaches, now=now)
    warnings = work_through(warning_due, _give_warnings, now=now)
    if breaches or warnings or resumed:
        log.info("clocks_swept", breaches=breaches, warnings=warnings, resumed=resumed)
    return SweepResult(breaches, warnings, resumed)


def work_through(due: ClockQuerySet, act: Act, *, now: datetime, size: int = BATCH) -> int:
    """Act on what is due, so many at a time under the locks of clocks and leads; say on how many.

    What an act leaves due is given to it again, so it must come to an end. Clocks of a batch that failed are
    tried one by one, and one that failed alone stays alone: it keeps back no other, and is parked after some
    tries.
    """
    suspects = list(due.filter(attempts__gt=0).values_list("pk", flat=True))
    swept = sum(_try_alone(clock_id, due, act, now=now) for clock_id in suspects)
    while True:
        batch = due.filter(attempts=0).exclude(pk__in=suspects)
        try:
            claimed = _act_on(batch, act, now=now, size=size)
        except Exception as error:
            log.exception("clocks_not_swept", error=type(error).__name__)
            # Each is tried at most once in a sweep, so that this ends.
            alone = list(batch.values_list("pk", flat=True)[:size])
            suspects += alone
            swept += sum(_try_alone(clock_id, due, act, now=now) for clock_id in alone)
            continue
        if not claimed:
            return swept
        swept += claimed


def _try_alone(clock_id: int, due: ClockQuerySet, act: Act, *, now: datetime) -> int:
    clock = Clock.objects.filter(pk=clock_id)
    if not begin_attempt(clock, now=now):
        return 0
    try:
        claimed = _act_on(due.filter(pk=clock_id), act, now=now, size=1)
    except Exception as error:
        keep_failure(clock, error)
        return 0
    forget_failure(clock)
    return claimed


@transaction.atomic
def _act_on(due: ClockQuerySet, act: Act, *, now: datetime, size: int) -> int:
    clocks = _claim(due, size)
    if clocks:
        act(clocks, now=now)
    return len(clocks)


def _claim(clocks: ClockQuerySet, size: int) -> list[Clock]:
    """Lock some clocks together with their leads, passing over what another process holds.

    Verbs lock the lead first and may be anywhere in their work; waiting for one here could close a
    circle, skipping it cannot. What is passed over is found by the next sweep.
    """
    with_leads = clocks.select_related("lead")
    return list(with_leads.select_for_update(skip_locked=True, no_key=True, of=("self", "lead"))[:size])


def _give_warnings(clocks: Sequence[Clock], *, now: datetime) -> None:
    send_messages((_warning(clock, clock.owner, now=now) for clock in clocks if clock.owner), now=now)
    for clock in clocks:
        clock.warn_at = next((at for at in clock.warnings_at if at > now), None)
    update_rows(Clock, [{"id": clock.pk, "warn_at": clock.warn_at} for clock in clocks])


def _warning(clock: Clock, owner: User, *, now: datetime) -> Message:
    given = sum(at <= now for at in clock.warnings_at)
    return Message(
        kind=Notification.Kind.WARNING,
        dedupe_key=f"warning-{clock.pk}-{given}",
        title=f"{clock.get_kind_display()} due soon: {clock.lead}",
        url=reverse("leads:detail", args=[clock.lead_id]),
        recipient=owner,
    )
