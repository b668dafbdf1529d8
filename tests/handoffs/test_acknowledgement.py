"""The automatic answer to a lead that arrives after hours (SLA-3, NOTE-5): once, in time, or why not."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from handoff_portal.embedded_postgres import free_port
from handoffs.acknowledgement.promising import promise_acknowledgement
from handoffs.acknowledgement.sending import send_due_acknowledgements
from handoffs.contact.services import record_attempt
from handoffs.models import Acknowledgement, AcknowledgementPolicy, Attempt, Handoff, Pool
from handoffs.services import accept_handoff, hand_off_by_hand, withdraw_handoff
from handoffs.story import log_of
from leads.models import Lead, LeadEvent
from leads.unsubscribing import record_subscribed_again, record_unsubscribed
from sla.models import Calendar, Closure
from tests.desk import do, offer, ready_lead
from tests.notifications.conftest import MailServer

NIGHT = datetime(2026, 3, 3, 22, 0, tzinfo=UTC)  # a Tuesday; the desk works from Monday to Friday
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def policy(db: None) -> AcknowledgementPolicy:
    return AcknowledgementPolicy.objects.create(
        is_active=True,
        subject="We have your message, {first_name}",
        body="Hello {first_name},\n\nsomebody writes to {company} on {open_again}.",
        sender_name="Nordic Sales",
        reply_to="sales@portal.example",
    )


@pytest.fixture
def late_lead(pool: Pool, policy: AcknowledgementPolicy) -> Lead:
    """Ada asked for a demo at 22:00."""
    return ready_lead(now=NIGHT, first_name="Ada", email="ada@nordwind.example")


def send_all(*, now: datetime) -> None:
    while send_due_acknowledgements(now=now):
        pass


def left_out(handoff: Handoff) -> str:
    return Acknowledgement.objects.get(pk=handoff.pk).left_out


# --- What leaves ----------------------------------------------------------------------------------


def test_who_writes_at_night_is_answered_within_minutes_and_the_log_says_so(
    mail_server: MailServer, late_lead: Lead
) -> None:
    handoff = offer(late_lead, now=NIGHT)

    send_all(now=NIGHT + MINUTE)
    send_all(now=NIGHT + 2 * MINUTE)

    [(address, email)] = mail_server.taken
    text = email.get_body().get_content().replace("\r\n", "\n")
    assert (address, email["Subject"]) == ("ada@nordwind.example", "We have your message, Ada")
    assert email["From"] == "Nordic Sales <handoff-portal@localhost>"
    assert email["Reply-To"] == "sales@portal.example"
    assert text.startswith("Hello Ada,\n\nsomebody writes to Nordwind")
    assert "on Wednesday 4 March at 10:00 (UTC)." in text
    kept = Acknowledgement.objects.get(pk=handoff.pk)
    assert (kept.sent_at, kept.due_at) == (NIGHT + MINUTE, NIGHT + 15 * MINUTE)
    [entry] = LeadEvent.objects.filter(kind=LeadEvent.Kind.ACKNOWLEDGED)
    assert (entry.at, entry.detail) == (NIGHT + MINUTE, {"outcome": "in time"})
    assert entry in log_of(handoff)


def test_it_can_be_unsubscribed_from_with_one_click(
    mail_server: MailServer, late_lead: Lead, client: Client
) -> None:
    offer(late_lead, now=NIGHT)
    send_all(now=NIGHT)

    [(_, email)] = mail_server.taken
    link = email["List-Unsubscribe"].strip(" <>")
    assert link in email.get_body().get_content()
    assert email["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert email["Auto-Submitted"] == "auto-replied"

    answer = client.post(link.removeprefix("http://localhost:8000"), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    late_lead.refresh_from_db()
    assert late_lead.unsubscribed_at is not None


def test_the_rep_reads_whether_the_lead_was_answered_and_why_not(
    mail_server: MailServer, late_lead: Lead, client: Client
) -> None:
    answered = offer(late_lead, now=NIGHT)
    gone = ready_lead(now=NIGHT)
    record_unsubscribed(gone, by=None, at=NIGHT, via="link")
    left_alone = offer(gone, now=NIGHT)
    send_all(now=NIGHT + MINUTE)

    pages = {}
    for handoff in (answered, left_alone):
        client.force_login(handoff.owner)
        pages[handoff] = client.get(handoff.get_absolute_url()).content.decode()

    assert "it came after hours." in pages[answered]
    assert "Acknowledged after hours" in pages[answered]
    assert "Not answered: Unsubscribed." in pages[left_alone]


# --- Who gets one ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "promised"),
    [
        ("2026-03-03T09:59", True),
        ("2026-03-03T10:00", False),
        ("2026-03-03T17:59", False),
        ("2026-03-03T22:00", True),
        ("2026-03-07T12:00", True),  # a Saturday
        ("2026-03-04T12:00", True),  # closed that day
    ],
)
def test_only_who_comes_outside_working_hours_is_answered(
    pool: Pool, policy: AcknowledgementPolicy, moment: str, promised: bool
) -> None:
    Closure.objects.create(calendar=Calendar.objects.get(), on="2026-03-04", name="Company day")
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    offer(ready_lead(now=now), now=now)

    assert Acknowledgement.objects.exists() is promised


def test_who_did_nothing_lately_is_not_answered(
    pool: Pool, policy: AcknowledgementPolicy, marketing: User
) -> None:
    """Handed off at night because the rules changed, or by hand: they did not just write to us."""
    offer(ready_lead(now=NIGHT - DAY), now=NIGHT)
    hand_off_by_hand(ready_lead(now=NIGHT), by=marketing, reason="A good one", now=NIGHT)

    assert not Acknowledgement.objects.exists()


def test_switched_off_nothing_is_promised_and_nothing_promised_is_sent(
    mail_server: MailServer, late_lead: Lead, policy: AcknowledgementPolicy
) -> None:
    promised = offer(late_lead, now=NIGHT)
    AcknowledgementPolicy.objects.update(is_active=False)

    other = offer(ready_lead(now=NIGHT), now=NIGHT)
    send_all(now=NIGHT)

    assert mail_server.taken == []
    assert left_out(promised) == "Automatic answers were switched off."
    assert not Acknowledgement.objects.filter(pk=other.pk).exists()


def test_it_costs_one_statement_where_nobody_is_answered(
    pool: Pool, now: datetime, django_assert_num_queries
) -> None:
    handoff = offer(ready_lead(now=now), now=now)

    with django_assert_num_queries(1):
        promise_acknowledgement(handoff, handoff.lead, now=NIGHT)


# --- Why not --------------------------------------------------------------------------------------


def test_who_unsubscribed_is_left_alone(mail_server: MailServer, late_lead: Lead) -> None:
    record_unsubscribed(late_lead, by=None, at=NIGHT - DAY, via="link")
    handoff = offer(late_lead, now=NIGHT)

    send_all(now=NIGHT)

    assert (mail_server.taken, left_out(handoff)) == ([], "Unsubscribed.")


def test_who_unsubscribed_by_the_tracking_stack_is_left_alone_and_taken_down(
    mail_server: MailServer, late_lead: Lead, marketing: User
) -> None:
    do(late_lead, "Email Unsubscribed", now=NIGHT)
    do(late_lead, "Demo Requested", now=NIGHT, form="demo")
    late_lead.refresh_from_db()
    handoff = offer(late_lead, now=NIGHT)

    send_all(now=NIGHT)

    assert (mail_server.taken, left_out(handoff)) == ([], "Unsubscribed.")
    late_lead.refresh_from_db()
    assert late_lead.unsubscribed_at == NIGHT

    record_subscribed_again(late_lead, by=marketing, at=NIGHT + MINUTE)
    Acknowledgement.objects.update(left_out="", next_try_at=NIGHT)
    send_all(now=NIGHT + 2 * MINUTE)

    assert len(mail_server.taken) == 1


def test_nobody_gets_a_second_one_within_the_quiet_days(
    mail_server: MailServer, late_lead: Lead, manager: User
) -> None:
    send_all(now=(first := offer(late_lead, now=NIGHT)).created_at)
    withdraw_handoff(first, by=manager, reason="A mistake", now=NIGHT + MINUTE)
    later = NIGHT + 29 * DAY
    do(late_lead, "Demo Requested", now=later, form="demo")
    late_lead.refresh_from_db()
    second = offer(late_lead, now=later)

    send_all(now=later)

    assert len(mail_server.taken) == 1
    assert left_out(second) == "Had one within 30 days."

    AcknowledgementPolicy.objects.update(quiet_days=29)
    Acknowledgement.objects.filter(pk=second.pk).update(left_out="", next_try_at=later)
    send_all(now=later)

    assert len(mail_server.taken) == 2


def test_without_an_address_or_a_mail_server_it_is_said(
    mail_server: MailServer, pool: Pool, policy: AcknowledgementPolicy, settings
) -> None:
    nowhere = ready_lead(now=NIGHT, email="", source_system="fair", external_id="7")
    unknown, known = offer(nowhere, now=NIGHT), offer(ready_lead(now=NIGHT), now=NIGHT)
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    send_all(now=NIGHT)

    assert left_out(unknown) == "We have no e-mail address."
    assert left_out(known) == "No mail server is set up."


def test_no_answer_follows_a_person_or_comes_a_day_late(
    mail_server: MailServer, late_lead: Lead, policy: AcknowledgementPolicy, manager: User
) -> None:
    called = offer(late_lead, now=NIGHT)
    accept_handoff(called, by=called.owner, now=NIGHT)
    record_attempt(
        called,
        channel=Attempt.Channel.CALL,
        outcome=Attempt.Outcome.CONNECTED,
        note="",
        by=called.owner,
        now=NIGHT,
    )
    withdrawn = offer(ready_lead(now=NIGHT), now=NIGHT)
    withdraw_handoff(withdrawn, by=manager, reason="A mistake", now=NIGHT)
    send_all(now=NIGHT)
    late = offer(ready_lead(now=NIGHT), now=NIGHT)
    send_all(now=NIGHT + DAY)

    assert mail_server.taken == []
    assert left_out(called) == "A person was quicker."
    assert left_out(withdrawn) == "The handoff is over."
    assert left_out(late) == "A day has passed: an answer would come too late."


def test_a_refused_address_is_tried_once(mail_server: MailServer, late_lead: Lead) -> None:
    handoff = offer(late_lead, now=NIGHT)
    mail_server.refuses["ada@nordwind.example"] = "550 No such user"

    send_all(now=NIGHT)

    assert left_out(handoff) == "The mail server refused the receiver (code 550)."


# --- Trouble --------------------------------------------------------------------------------------


def test_tries_grow_apart_and_what_never_goes_is_parked(mail_server: MailServer, late_lead: Lead) -> None:
    handoff = offer(late_lead, now=NIGHT)
    mail_server.refuses["ada@nordwind.example"] = "451 Come again"
    waits, now = [], NIGHT
    for _ in range(5):
        send_all(now=now)
        kept = Acknowledgement.objects.get(pk=handoff.pk)
        waits.append((kept.next_try_at - now) // MINUTE)
        now = kept.next_try_at
    send_all(now=now)

    assert waits == [1, 5, 15, 60, 60]
    kept.refresh_from_db()
    assert (kept.parked_at, kept.error) == (now, "The mail server refused the receiver (code 451).")
    assert not Acknowledgement.objects.due(now + DAY).exists()


def test_a_mail_server_that_is_down_for_hours_costs_no_try(
    mail_server: MailServer, late_lead: Lead, settings
) -> None:
    handoff = offer(late_lead, now=NIGHT)
    offer(ready_lead(now=NIGHT), now=NIGHT)
    settings.EMAIL_PORT = free_port()
    for minute in range(8):
        send_all(now=NIGHT + minute * MINUTE)
    assert set(Acknowledgement.objects.values_list("attempts", "parked_at")) == {(0, None)}

    settings.EMAIL_PORT = mail_server.port
    send_all(now=NIGHT + 16 * MINUTE)

    assert len(mail_server.taken) == 2
    assert LeadEvent.objects.filter(handoff_id=handoff.pk, detail={"outcome": "late"}).exists()


@pytest.mark.django_db(transaction=True)
def test_several_workers_answer_each_lead_once(mail_server: MailServer, late_lead: Lead) -> None:
    leads = [late_lead, *(ready_lead(now=NIGHT) for _ in range(7))]
    for lead in leads:
        offer(lead, now=NIGHT)
    start = threading.Barrier(3)

    def work() -> None:
        try:
            start.wait(timeout=30)
            send_all(now=NIGHT)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        for job in [workers.submit(work) for _ in range(3)]:
            job.result()

    assert sorted(address for address, _ in mail_server.taken) == sorted(lead.email for lead in leads)
    assert set(Acknowledgement.objects.values_list("sent_at", flat=True)) == {NIGHT}
