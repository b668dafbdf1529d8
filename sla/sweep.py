"""Noticing that time has passed: warnings and breaches, each exactly once.

The marks are `Clock.warn_at` and `Clock.due_at`. Any number of sweeps may run at once: each claims rows
nobody else holds and marks them in the transaction that tells people, so a crash repeats nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.urls import reverse

from notifications.models import Notification
from notifications.services import notify_users
from sla.breaches import record_breaches
from sla.models import Clock, ClockQuerySet

log = structlog.get_logger(__name__)

BATCH = 200  # rows one transaction claims: few enough that a verb never waits long for a lead


@dataclass(frozen=True)
class SweepResult:
    breaches: int = 0
    warnings: int = 0


def sweep_clocks(*, now: datetime) -> SweepResult:
    """Record every deadline and give every warning that is due at `now`. Safe to repeat and to run twice.

    After downtime a breach still gets the time it happened; a warning whose deadline has passed too
    makes no sense any more and is left out, and of several warnings only the last is given.
    """
    breaches = warnings = 0
    while claimed := _record_some_breaches(now):
        breaches += claimed
    while claimed := _give_some_warnings(now):
        warnings += claimed
    if breaches or warnings:
        log.info("clocks_swept", breaches=breaches, warnings=warnings)
    return SweepResult(breaches, warnings)


@transaction.atomic
def _record_some_breaches(now: datetime) -> int:
    clocks = _claim(Clock.objects.due(now).order_by("due_at"))
    record_breaches(clocks, now=now)
    return len(clocks)


@transaction.atomic
def _give_some_warnings(now: datetime) -> int:
    clocks = _claim(Clock.objects.warning_due(now).order_by("warn_at"))
    for clock in clocks:
        _warn(clock, now=now)
        clock.warn_at = next((at for at in clock.warnings_at if at > now), None)
    Clock.objects.bulk_update(clocks, ["warn_at"])
    return len(clocks)


def _claim(clocks: ClockQuerySet) -> list[Clock]:
    """Lock some clocks together with their leads, passing over what another process holds.

    Verbs lock the lead first and may be anywhere in their work; waiting for one here could close a
    circle, skipping it cannot. What is passed over is found by the next sweep.
    """
    return list(
        clocks.select_related("lead", "owner").select_for_update(skip_locked=True, of=("self", "lead"))[
            :BATCH
        ]
    )


def _warn(clock: Clock, *, now: datetime) -> None:
    if clock.owner is None:
        return
    given = sum(at <= now for at in clock.warnings_at)
    notify_users(
        [clock.owner],
        kind=Notification.Kind.WARNING,
        dedupe_key=f"warning-{clock.pk}-{given}",
        title=f"{clock.get_kind_display()} due soon: {clock.lead}",
        url=reverse("leads:detail", args=[clock.lead_id]),
        now=now,
    )
