"""Missed promises: recording them once, telling those who can act, and learning why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users
from sla.models import Clock

# After an outage one message that says how many is read; forty messages are not.
MOST_SINGLE_MESSAGES = 3


class NotABreach(DomainError):
    code = "not_a_breach"


def record_breaches(clocks: Sequence[Clock], *, now: datetime) -> None:
    """Record that these deadlines have passed, log it at the time it happened, and tell people.

    The caller holds the locks of the leads and has made sure that no breach is on record yet.
    """
    for clock in clocks:
        clock.breach_recorded_at, clock.warn_at = now, None
    Clock.objects.bulk_update(clocks, ["breach_recorded_at", "warn_at"], batch_size=500)
    for clock in clocks:
        log_event(
            clock.lead,
            LeadEvent.Kind.BREACHED,
            at=clock.due_at,
            handoff_id=clock.handoff_id,
            target=clock.kind,
            owner_id=clock.owner_id,
            recorded_at=now.isoformat(),
        )
    _tell(clocks, now=now)


@transaction.atomic
def review_breach(clock: Clock, *, cause: str, note: str, by: User, now: datetime) -> Clock:
    """Name the systemic cause of a breach; a later review replaces an earlier one. Managers only."""
    if by.role != User.Role.MANAGER:
        raise NotAllowed("Only a manager can review a missed target.")
    if cause not in Clock.Cause.values:
        raise InvalidInput("Choose what in the system led to this.", field="cause")
    if len(note) > 1000:
        raise InvalidInput("Keep the note to 1,000 characters.", field="note")
    Lead.objects.lock(clock.lead_id)
    clock = Clock.objects.select_for_update(of=("self",)).get(pk=clock.pk)
    # What is on record is reviewed even if an act that was taken back, or a pause, has moved it since.
    if clock.breach_recorded_at is None and not clock.is_late(now):
        raise NotABreach("This target was not missed, so there is nothing to review.")
    clock.cause, clock.review_note = cause, note.strip()
    clock.reviewed_at, clock.reviewed_by = now, by
    clock.save(update_fields=["cause", "review_note", "reviewed_at", "reviewed_by"])
    return clock


def managers_of(team_id: int | None) -> Iterable[User]:
    """Who hears about a team's breaches: its managers and those of all teams; without any, every manager."""
    managers = list(User.objects.filter(role=User.Role.MANAGER, is_active=True).order_by("id"))
    responsible = [manager for manager in managers if manager.team_id in (None, team_id)]
    return responsible or managers


def _tell(clocks: Sequence[Clock], *, now: datetime) -> None:
    received: dict[User, list[Clock]] = defaultdict(list)
    managers = {team_id: managers_of(team_id) for team_id in {clock.team_id for clock in clocks}}
    for clock in clocks:
        people = [*managers[clock.team_id], *([clock.owner] if clock.owner else [])]
        for person in dict.fromkeys(people):
            received[person].append(clock)
    for person, missed in received.items():
        if len(missed) > MOST_SINGLE_MESSAGES:
            _tell_in_one(person, missed, now=now)
        else:
            for clock in missed:
                _tell_about(person, clock, now=now)


def _tell_about(person: User, clock: Clock, *, now: datetime) -> None:
    title = f"{clock.get_kind_display()} overdue: {clock.lead}"
    if person.pk == clock.owner_id:
        body, url = "This handoff is yours.", reverse("leads:detail", args=[clock.lead_id])
    else:
        whose = f"with {clock.owner}" if clock.owner else "in the overflow queue"
        ask = " Please review what led to it." if clock.reviews_breaches else ""
        body, url = f"This handoff is {whose}.{ask}", reverse("sla:breach", args=[clock.pk])
    notify_users(
        [person],
        kind=Notification.Kind.BREACH,
        dedupe_key=f"breach-{clock.pk}",
        title=title,
        body=body,
        url=url,
        now=now,
    )


def _tell_in_one(person: User, missed: Sequence[Clock], *, now: datetime) -> None:
    first = min(missed, key=lambda clock: clock.due_at)
    notify_users(
        [person],
        kind=Notification.Kind.BREACH,
        dedupe_key=f"breaches-from-{first.pk}",
        title=f"{len(missed)} targets overdue",
        body=f"The oldest: {first.get_kind_display().lower()} for {first.lead}.",
        url=reverse("sla:breaches"),
        now=now,
    )
