"""When working hours change, the open promises made by them move (SLA-4).

A clock keeps a digest of the hours its due time was computed by. Whatever changed them - an interval, a
closure, a holiday law, somebody's vacation - shows as a different digest, wherever it was edited.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.models import User
from leads.models import Lead, LeadEvent
from leads.services import log_event
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours
from sla.models import Calendar, Clock, Target
from sla.pauses import DEADLINE_FIELDS, recompute_deadline

log = structlog.get_logger(__name__)


@transaction.atomic
def make_default_calendar(calendar: Calendar) -> Calendar:
    """Let people without a calendar of their own work by this one. Clocks that run keep theirs."""
    Calendar.objects.filter(is_default=True).exclude(pk=calendar.pk).update(is_default=False)
    calendar.is_default = True
    calendar.save(update_fields=["is_default"])
    return calendar


def recompute_changed_clocks(*, now: datetime, by: User | None = None) -> int:
    """Recompute the open clocks whose owner's hours are no longer what they were; say how many moved.

    Costs one look at each (calendar, owner) with open clocks. Safe to repeat: afterwards nothing differs.
    """
    moved = 0
    for calendar_id, owner_id in _open_clocks().values_list("calendar_id", "owner_id").distinct():
        calendar = Calendar.objects.prefetch_related("intervals", "closures").filter(pk=calendar_id).first()
        owner = User.objects.filter(pk=owner_id).first()
        hours = working_hours(calendar, person=owner, around=now)
        touched = (
            _open_clocks().filter(calendar=calendar_id, owner=owner_id).exclude(hours_digest=hours.digest)
        )
        moved += _recompute(touched.values_list("lead_id", "id"), hours=hours, by=by, now=now)
    if moved:
        log.info("clocks_moved", moved=moved)
    return moved


def _open_clocks() -> QuerySet[Clock]:
    # A recorded breach is history, a paused clock is recomputed when it resumes, and wall time has no hours
    # unless those after hours count from the next opening.
    by_no_hours = Q(mode=Target.Mode.WALL, after_hours_minutes=None)
    return Clock.objects.ticking().filter(breach_recorded_at=None).exclude(by_no_hours)


def _recompute(
    keys: Iterable[tuple[int, int]], *, hours: WorkingCalendar, by: User | None, now: datetime
) -> int:
    return sum(_recompute_clock(lead_id, pk, hours=hours, by=by, now=now) for lead_id, pk in sorted(keys))


@transaction.atomic
def _recompute_clock(
    lead_id: int, pk: int, *, hours: WorkingCalendar, by: User | None, now: datetime
) -> bool:
    """Move one clock, each in its own transaction so that no lead is held while others are worked out."""
    lead = Lead.objects.lock(lead_id)
    clock = _open_clocks().filter(pk=pk, due_at__gte=now).first()
    if clock is None:
        return False
    old_due_at = clock.due_at
    clock.warn_at = recompute_deadline(clock, hours=hours).next_warning(now)
    # Longer hours may say that time ran out this morning; nobody could have known, so it is due now.
    clock.due_at = max(clock.due_at, now)
    clock.save(update_fields=[*DEADLINE_FIELDS, "warn_at"])
    if clock.due_at == old_due_at:
        return False
    log_event(
        lead,
        LeadEvent.Kind.CLOCK_MOVED,
        at=now,
        by=by,
        handoff_id=clock.handoff_id,
        target=clock.kind,
        change="working hours changed",
        old_due_at=old_due_at.isoformat(),
        due_at=clock.due_at.isoformat(),
    )
    return True
