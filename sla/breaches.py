"""Missed promises: recording them once, telling those who can act, and learning why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from accounts.models import User
from common.bulk import update_rows
from common.errors import DomainError, InvalidInput, NotAllowed
from leads.models import Lead, LeadEvent
from leads.services import Entry, log_entries
from notifications.models import Notification
from notifications.services import Message, send_messages
from sla.escalations import actions_of, first_steps
from sla.ladder import TELLS_MANAGER, TELLS_OWNER
from sla.models import Clock, Target
from sla.wording import missed_in_words

# After an outage one message that says how many is read; forty messages are not.
MOST_SINGLE_MESSAGES = 3


class NotABreach(DomainError):
    code = "not_a_breach"


def record_breaches(clocks: Sequence[Clock], *, now: datetime) -> None:
    """Record that these deadlines have passed, log it at the time it happened, and begin their ladders.

    People are told of it by the ladder, or here if it has no step that tells them. However many there are, it
    is a few statements. The caller holds the locks of the leads and has made sure that no breach is on record
    yet; lead objects it has in hand keep the old revision.
    """
    ladders = first_steps(clocks)
    for clock in clocks:
        clock.breach_recorded_at, clock.warn_at = now, None
        clock.next_step_at = ladders.get(clock.pk)
    update_rows(
        Clock,
        [
            {"id": clock.pk, "breach_recorded_at": now, "warn_at": None, "next_step_at": clock.next_step_at}
            for clock in clocks
        ],
    )
    log_entries([_entry(clock, now=now) for clock in clocks], at=now)
    _tell(clocks, now=now)


def _entry(clock: Clock, *, now: datetime) -> Entry:
    detail = {"target": clock.kind, "owner_id": clock.owner_id, "recorded_at": now.isoformat()}
    return Entry(clock.lead_id, LeadEvent.Kind.BREACHED, detail, clock.handoff_id, at=clock.due_at)


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
    """Tell those whom no step of the ladder tells; whoever missed many hears of them in one message."""
    received: dict[User, list[Clock]] = defaultdict(list)
    for clock, person in _uninformed(clocks):
        received[person].append(clock)
    messages: list[Message] = []
    for person, missed in received.items():
        if len(missed) > MOST_SINGLE_MESSAGES:
            messages.append(_message_of_many(person, missed, now=now))
        else:
            messages += [_message_about(person, clock) for clock in missed]
    send_messages(messages, now=now)


def _uninformed(clocks: Sequence[Clock]) -> Iterator[tuple[Clock, User]]:
    theirs = (clock for clock in clocks if clock.kind not in Target.OURS)
    tell_owner = [clock for clock in theirs if not actions_of(clock) & TELLS_OWNER]
    tell_managers = [clock for clock in clocks if not actions_of(clock) & TELLS_MANAGER]
    _load_names([*tell_owner, *tell_managers])
    managers = {team_id: managers_of(team_id) for team_id in {clock.team_id for clock in tell_managers}}
    for clock in tell_managers:
        yield from ((clock, manager) for manager in managers[clock.team_id] if manager != clock.owner)
    yield from ((clock, clock.owner) for clock in tell_owner if clock.owner)


def _load_names(clocks: Sequence[Clock]) -> None:
    """Leads and owners as messages name them: a sweep has read nothing of them but their ids."""
    leads = Lead.objects.in_bulk({clock.lead_id for clock in clocks})
    owners = User.objects.in_bulk({clock.owner_id for clock in clocks if clock.owner_id})
    for clock in clocks:
        clock.lead, clock.owner = leads[clock.lead_id], owners.get(clock.owner_id)


def _message_about(person: User, clock: Clock) -> Message:
    if person.pk == clock.owner_id:
        body, url = "This handoff is yours.", reverse("leads:detail", args=[clock.lead_id])
    else:
        whose = f"with {clock.owner}" if clock.owner else "in the overflow queue"
        ask = " Please review what led to it." if clock.reviews_breaches else ""
        body, url = f"This handoff is {whose}.{ask}", reverse("sla:breach", args=[clock.pk])
    return Message(
        kind=Notification.Kind.BREACH,
        dedupe_key=f"breach-{clock.pk}",
        title=f"{missed_in_words(clock.kind)}: {clock.lead}",
        body=body,
        url=url,
        recipient=person,
    )


def _message_of_many(person: User, missed: Sequence[Clock], *, now: datetime) -> Message:
    first = min(missed, key=lambda clock: clock.due_at)
    return Message(
        kind=Notification.Kind.BREACH,
        # One a sweep, although it works in batches.
        dedupe_key=f"breaches-{now.isoformat()}",
        title=f"{len(missed)} targets overdue",
        body=f"The oldest: {first.get_kind_display().lower()} for {first.lead}.",
        url=reverse("sla:breaches"),
        recipient=person,
    )
