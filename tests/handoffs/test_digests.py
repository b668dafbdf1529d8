"""Summaries by the calendar: a rep's day, a manager's week, each once and only with something to say."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection

from accounts.models import Absence, User
from handoffs.digests.sending import send_due_digests
from handoffs.models import Handoff, Pool
from handoffs.services import accept_handoff
from notifications.delivering import deliver_due
from notifications.models import Digest, Notification, Preference
from sla.models import Calendar, Clock, Closure, Target, Ticket
from tests.desk import offer, ready_lead
from tests.factories import TeamFactory
from tests.notifications.conftest import MailServer

# Tuesday 3 March 2026; the desk works from Monday to Friday, 10:00 to 18:00 in UTC.
MONDAY = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
TUESDAY = MONDAY + timedelta(days=1)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EIGHT = TUESDAY + 8 * HOUR


@pytest.fixture
def rep(pool: Pool, bdr: User, other_bdr: User) -> User:
    """Mara, who wants her day at eight, and alone takes leads."""
    Preference.objects.create(person=bdr, daily_digest_at=time(8))
    pool.memberships.filter(user=other_bdr).delete()
    return bdr


def offered(*, at: datetime, **facts: str) -> Handoff:
    return offer(ready_lead(now=at, **facts), now=at)


def digests_of(person: User) -> list[Notification]:
    return list(person.notifications.filter(kind=Notification.Kind.DIGEST).order_by("pk"))


# --- A rep's day ----------------------------------------------------------------------------------


def test_a_rep_reads_at_eight_what_the_day_holds(mail_server: MailServer, rep: User) -> None:
    # Opened within 15 minutes, decided within a day, contacted within two: around the clock.
    late = offered(at=MONDAY + 15 * HOUR, first_name="Ada", last_name="Late")
    due = offered(at=MONDAY + 16 * HOUR, first_name="Ben", last_name="Due")
    accept_handoff(due, by=rep, now=MONDAY + 17 * HOUR)
    Clock.objects.filter(handoff_id=due.pk, kind=Target.Kind.FIRST_CONTACT).update(due_at=TUESDAY + 15 * HOUR)
    Handoff.objects.filter(pk=due.pk).update(planned_contact_at=TUESDAY + 11 * HOUR)

    assert send_due_digests(now=EIGHT - MINUTE) == 0
    assert send_due_digests(now=EIGHT) == 1
    assert send_due_digests(now=EIGHT + 5 * MINUTE) == 0
    while deliver_due(now=EIGHT + 6 * MINUTE):
        pass

    [told] = digests_of(rep)
    assert told.title == "Your day, Tue 3 Mar: 1 late"
    assert told.body == "1 late · 1 due today · 1 planned for today · 1 to decide on, 1 of them new"
    [text] = [
        email.get_body().get_content() for _, email in mail_server.taken if email["Subject"] == told.title
    ]
    assert f"Late: Ada Late, {late.lead.company} (opened Mon 2 Mar, 15:15)" in text
    assert f"Due today: Ben Due, {due.lead.company} (first contact 15:00)" in text


def test_nothing_to_say_is_nothing_sent_nor_said_later_that_day(rep: User) -> None:
    assert send_due_digests(now=EIGHT) == 0
    offered(at=EIGHT + MINUTE)

    assert send_due_digests(now=EIGHT + 5 * MINUTE) == 0
    assert digests_of(rep) == []

    assert send_due_digests(now=EIGHT + DAY) == 1


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("Asia/Kathmandu", "2026-03-04T08:00+05:45"),
        ("America/St_Johns", "2026-03-04T08:00-03:30"),
        ("Pacific/Kiritimati", "2026-03-05T08:00+14:00"),
    ],
)
def test_eight_is_eight_by_the_clock_of_the_rep(rep: User, zone: str, moment: str) -> None:
    User.objects.filter(pk=rep.pk).update(time_zone=zone)
    offered(at=MONDAY + 15 * HOUR)
    at = datetime.fromisoformat(moment)

    assert [send_due_digests(now=now) for now in (at - MINUTE, at)] == [0, 1]


@pytest.mark.parametrize("free", ["weekend", "closure", "absence"])
def test_nobody_gets_one_on_a_free_day(rep: User, free: str) -> None:
    offered(at=MONDAY + 15 * HOUR)
    day = TUESDAY + 4 * DAY if free == "weekend" else TUESDAY
    if free == "closure":
        Closure.objects.create(calendar=Calendar.objects.get(), on=day.date(), name="Company day")
    if free == "absence":
        Absence.objects.create(user=rep, starts_at=day, ends_at=day + DAY, reason="Vacation")

    assert send_due_digests(now=day + 8 * HOUR) == 0
    assert not Digest.objects.exists()


def test_after_an_outage_half_a_day_late_makes_no_sense(rep: User) -> None:
    offered(at=MONDAY + 15 * HOUR)

    assert send_due_digests(now=EIGHT + 4 * HOUR) == 0
    assert send_due_digests(now=EIGHT + 4 * HOUR - MINUTE) == 1


def test_who_does_not_ask_for_one_gets_none_and_the_house_may_ask_for_all(rep: User) -> None:
    offered(at=MONDAY + 15 * HOUR)
    Preference.objects.all().delete()
    assert send_due_digests(now=EIGHT) == 0

    Preference.objects.create(person=None, daily_digest_at=time(8))

    assert send_due_digests(now=EIGHT) == 1


def test_one_that_fails_keeps_back_no_other_and_is_made_by_the_next_sweep(rep: User, manager: User) -> None:
    offered(at=MONDAY + 15 * HOUR)
    Preference.objects.create(person=manager, weekly_digest=True)
    Preference.objects.filter(person=rep).update(daily_digest_at=time(10))
    now = MONDAY + 7 * DAY + 10 * HOUR
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse_digest() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
            CREATE TRIGGER refuse_digest BEFORE INSERT ON notifications_notification
                FOR EACH ROW WHEN (NEW.recipient_id = {rep.pk}) EXECUTE FUNCTION refuse_digest();
            """
        )

    assert send_due_digests(now=now) == 1
    assert [len(digests_of(person)) for person in (rep, manager)] == [0, 1]

    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION refuse_digest() CASCADE")
    assert send_due_digests(now=now + 5 * MINUTE) == 1
    assert len(digests_of(rep)) == 1


@pytest.mark.django_db(transaction=True)
def test_several_workers_make_each_once(rep: User) -> None:
    offered(at=MONDAY + 15 * HOUR)
    start = threading.Barrier(3)

    def work() -> int:
        try:
            start.wait(timeout=30)
            return send_due_digests(now=EIGHT)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as workers:
        made = [job.result() for job in [workers.submit(work) for _ in range(3)]]

    assert sorted(made) == [0, 0, 1]
    assert len(digests_of(rep)) == 1


# --- A manager's week -----------------------------------------------------------------------------


@pytest.fixture
def reader_of_weeks(rep: User, manager: User) -> User:
    """Nia, who wants her week, and Mara no day."""
    Preference.objects.all().delete()
    Preference.objects.create(person=manager, weekly_digest=True)
    return manager


def test_a_manager_reads_on_monday_how_the_week_went(rep: User, reader_of_weeks: User) -> None:
    accepted, waiting = (offered(at=TUESDAY + hour * HOUR) for hour in (11, 12))
    accept_handoff(accepted, by=rep, now=TUESDAY + 11 * HOUR + MINUTE)
    Ticket.objects.create(
        alarm=Ticket.Alarm.NOT_OPENED,
        subject_key=f"handoff-{waiting.pk}",
        title="Not opened",
        owner=reader_of_weeks,
        opened_at=TUESDAY,
        due_at=TUESDAY + DAY,
    )
    monday = MONDAY + 7 * DAY

    times = (monday + 10 * HOUR - MINUTE, monday + 10 * HOUR, monday + 10 * HOUR + 5 * MINUTE)
    assert [send_due_digests(now=now) for now in times] == [0, 1, 0]

    [told] = digests_of(reader_of_weeks)
    assert told.title == "Inbound Europe, week from 2 Mar: 2 leads handed to sales"
    assert "Handed to sales: 2, 1 accepted, 0 rejected" in told.body
    assert "Tickets: 1 open, 1 late" in told.body
    # Opened and decided on in time: one of two each. First contact, and the transfer to Salesforce: none.
    assert "Promises kept: 25 % of 8 · Missed: 6" in told.body


def test_the_week_of_another_team_is_not_theirs(rep: User, reader_of_weeks: User) -> None:
    offered(at=TUESDAY + 11 * HOUR)
    reader_of_weeks.team = TeamFactory()
    reader_of_weeks.save(update_fields=["team"])

    assert send_due_digests(now=MONDAY + 7 * DAY + 10 * HOUR) == 0


def test_a_week_that_begins_on_tuesday_is_told_then(rep: User, reader_of_weeks: User) -> None:
    offered(at=TUESDAY + 11 * HOUR)
    monday = MONDAY + 7 * DAY
    Closure.objects.create(calendar=Calendar.objects.get(), on=monday.date(), name="Company day")

    assert send_due_digests(now=monday + 10 * HOUR) == 0
    assert send_due_digests(now=monday + DAY + 10 * HOUR) == 1
    assert send_due_digests(now=monday + 2 * DAY + 10 * HOUR) == 0
