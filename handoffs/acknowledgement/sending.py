"""Sending the automatic answers that are promised: claim, send, record.

The mark is `Acknowledgement.next_try_at`. As with messages to people (docs/adr/0022) an answer goes out once,
and a second time only if a worker dies between the mail server's yes and our record of it; the copy has the
same Message-ID.
"""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F

from common.parking import begin_attempt, describe_failure
from handoffs.acknowledgement.mail import compose, opening_after
from handoffs.acknowledgement.promising import LATEST
from handoffs.acknowledgement.words import Arrival
from handoffs.models import Acknowledgement, AcknowledgementPolicy
from leads.models import Lead, LeadEvent
from leads.services import log_event
from leads.unsubscribing import record_unsubscribed, subscribed_again_at, unsubscribe_link
from notifications.by_email import MailBag, is_set_up
from notifications.outcomes import NotDelivered
from scoring.models import SignalHit
from sla.calendars import calendar_of, working_hours

log = structlog.get_logger(__name__)

BATCH = 5
# Longer than any task may run, so that nobody who still works is taken for dead.
LEASE = timedelta(minutes=5)
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60))
# The mail server is down: no answer is to blame, and each is still wanted for a day.
SERVER_IS_DOWN = timedelta(minutes=1)
# What tracking stacks report; the rules say which events these are.
UNSUBSCRIBE_SIGNAL = "unsubscribe"


def send_due_acknowledgements(*, now: datetime, limit: int = BATCH) -> int:
    """Send some of the answers that are due, or leave them out; say how many were looked at.

    Any number may run at once. 0: nothing is due, or the mail server is down.
    """
    claimed = _claim(now=now, limit=limit)
    policy = AcknowledgementPolicy.objects.filter(is_active=True).first()
    bag = MailBag()
    try:
        for number, acknowledgement in enumerate(claimed):
            if not _try(acknowledgement, policy, bag, now=now):
                _wait_for_server(claimed[number:], now=now)
                return 0
    finally:
        bag.close()
    return len(claimed)


def record_past_answers(*, now: datetime) -> int:
    """Put down what is due as sent at `now`, or left out, without sending it; say how many were looked at.

    For histories that are made up: nobody wants the e-mails of an invented year.
    """
    policy = AcknowledgementPolicy.objects.filter(is_active=True).first()
    due = list(Acknowledgement.objects.due(now).select_related("lead", "handoff").order_by("pk"))
    for acknowledgement in due:
        if why_not := why_none_is_sent(acknowledgement, policy, now=now):
            _leave_out(acknowledgement, why_not)
        else:
            _record_sent(acknowledgement, now=now)
    return len(due)


@transaction.atomic(durable=True)
def _claim(*, now: datetime, limit: int) -> list[Acknowledgement]:
    """Take what is due and held by nobody, oldest promise first."""
    free = Acknowledgement.objects.due(now).select_for_update(skip_locked=True, of=("self",), no_key=True)
    claimed = list(
        free.select_related("lead__company", "handoff__owner").order_by("next_try_at", "pk")[:limit]
    )
    for acknowledgement in claimed:
        acknowledgement.next_try_at = now + LEASE
    Acknowledgement.objects.bulk_update(claimed, ["next_try_at"])
    return claimed


def _try(
    acknowledgement: Acknowledgement, policy: AcknowledgementPolicy | None, bag: MailBag, *, now: datetime
) -> bool:
    """Send one or leave it out, and record which; False when the mail server is down."""
    if not begin_attempt(Acknowledgement.objects.filter(pk=acknowledgement.pk), now=now):
        return True
    acknowledgement.attempts += 1
    try:
        why_not = why_none_is_sent(acknowledgement, policy, now=now)
        if policy is None or why_not:
            _leave_out(acknowledgement, why_not)
        else:
            bag.post(_email(acknowledgement, policy, now=now))
            _record_sent(acknowledgement, now=now)
    except NotDelivered as failure:
        if failure.is_everywhere:
            return False
        _record_failure(acknowledgement, failure, now=now)
    except Exception as error:
        # Where it happened, but not its message, which may hold the address.
        last = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "acknowledgement_failed",
            handoff_id=acknowledgement.pk,
            error=type(error).__name__,
            where=f"{last.name}:{last.lineno}",
        )
        _put_off(acknowledgement, error, now=now)
    return True


def why_none_is_sent(
    acknowledgement: Acknowledgement, policy: AcknowledgementPolicy | None, *, now: datetime
) -> str:
    """The reason in words; blank when the lead is to be answered."""
    lead, handoff = acknowledgement.lead, acknowledgement.handoff
    if policy is None:
        return "Automatic answers were switched off."
    if not lead.email:
        return "We have no e-mail address."
    if not is_set_up():
        return "No mail server is set up."
    if now - handoff.created_at >= LATEST:
        return "A day has passed: an answer would come too late."
    if not handoff.is_open:
        return "The handoff is over."
    if handoff.first_contact_at:
        return "A person was quicker."
    if _has_unsubscribed(lead, now=now):
        return "Unsubscribed."
    earlier = Acknowledgement.objects.filter(lead=lead, sent_at__gt=now - timedelta(days=policy.quiet_days))
    return f"Had one within {policy.quiet_days} days." if earlier.exists() else ""


def _has_unsubscribed(lead: Lead, *, now: datetime) -> bool:
    """By our link, on somebody's word, or by what a tracking stack reported; the last is taken down here."""
    if lead.unsubscribed_at:
        return True
    said_so = SignalHit.objects.filter(lead=lead, signal__key=UNSUBSCRIBE_SIGNAL)
    if since := subscribed_again_at(lead):
        said_so = said_so.filter(occurred_at__gt=since)
    if not said_so.exists():
        return False
    record_unsubscribed(lead, by=None, at=now, via="activity", is_news=False)
    return True


def _email(acknowledgement: Acknowledgement, policy: AcknowledgementPolicy, *, now: datetime) -> EmailMessage:
    lead, owner = acknowledgement.lead, acknowledgement.handoff.owner
    hours = working_hours(calendar_of(owner), person=owner, around=now)
    arrival = Arrival(
        first_name=lead.first_name,
        company=lead.company.name if lead.company else "",
        open_again=opening_after(hours, now),
        zone=ZoneInfo(hours.zone),
    )
    return compose(
        policy,
        arrival,
        to=lead.email,
        unsubscribe=unsubscribe_link(lead),
        reference=f"acknowledgement-{acknowledgement.pk}",
    )


# --- What became of it --------------------------------------------------------------------------


@transaction.atomic
def _record_sent(acknowledgement: Acknowledgement, *, now: datetime) -> None:
    lead = Lead.objects.lock(acknowledgement.lead_id)
    if _finish(acknowledgement, sent_at=now, next_try_at=None, attempts=0, error=""):
        in_time = "in time" if now <= acknowledgement.due_at else "late"
        log_event(lead, LeadEvent.Kind.ACKNOWLEDGED, at=now, handoff_id=acknowledgement.pk, outcome=in_time)


def _leave_out(acknowledgement: Acknowledgement, why: str) -> None:
    _finish(acknowledgement, left_out=why, next_try_at=None, attempts=0, error="")


def _record_failure(acknowledgement: Acknowledgement, failure: NotDelivered, *, now: datetime) -> None:
    """Leave it out when the receiver is refused for good, else try again later."""
    if failure.is_final:
        _leave_out(acknowledgement, failure.reason[:120])
    else:
        _put_off(acknowledgement, failure, now=now)


def _put_off(acknowledgement: Acknowledgement, error: Exception, *, now: datetime) -> None:
    """Longer each time. Once the tries are used up, `begin_attempt` parks it."""
    wait = BACK_OFF[min(acknowledgement.attempts, len(BACK_OFF)) - 1]
    _finish(acknowledgement, next_try_at=now + wait, error=describe_failure(error))


def _wait_for_server(acknowledgements: Sequence[Acknowledgement], *, now: datetime) -> None:
    """Try these again in a minute. The one that found out gets its try back."""
    log.warning("acknowledgements_wait_for_mail_server", count=len(acknowledgements))
    first, *others = acknowledgements
    _finish(first, next_try_at=now + SERVER_IS_DOWN, attempts=F("attempts") - 1)
    for acknowledgement in others:
        _finish(acknowledgement, next_try_at=now + SERVER_IS_DOWN)


def _finish(acknowledgement: Acknowledgement, **changes: object) -> bool:
    """Write the outcome, unless another worker has taken it over in the meantime."""
    mine = Acknowledgement.objects.filter(pk=acknowledgement.pk, next_try_at=acknowledgement.next_try_at)
    return bool(mine.update(**changes))
