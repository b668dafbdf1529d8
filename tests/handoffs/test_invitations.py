"""The first contact in the rep's calendar: where it falls, what is sent, no more than needed (NOTE-2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Absence, User
from feedback.models import Verdict
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.contact.services import record_attempt
from handoffs.invitations.upkeep import mark_outside_hours, reconcile_invitations
from handoffs.models import CalendarInvitation, Handoff, Pool
from handoffs.routing.bulk_reassignment import Which, plan_for_people, reassign_in_bulk
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, withdraw_handoff
from handoffs.undo import undo_acceptance
from leads.models import LeadEvent
from leads.services import log_event
from notifications.delivering import deliver_due
from notifications.models import Delivery, Preference
from sla.models import Clock, Target
from tests.desk import offer, ready_lead, reason
from tests.notifications.conftest import MailServer, mail_server

__all__ = ["mail_server"]

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def event_in(file: str) -> icalendar.Event:
    (event,) = icalendar.Calendar.from_ical(file).walk("VEVENT")
    return event


def sent_to(person: User) -> list[tuple[str, int, datetime]]:
    """What a person's calendar was sent, in order: what to do, the sequence, and from when on."""
    deliveries = Delivery.objects.filter(recipient=person).exclude(calendar="").order_by("pk")
    events = [(delivery.calendar_method, event_in(delivery.calendar)) for delivery in deliveries]
    return [(method, int(event["SEQUENCE"]), event["DTSTART"].dt) for method, event in events]


def touch(handoff: Handoff, *, now: datetime) -> None:
    """Something that means nothing to the appointment."""
    log_event(handoff.lead, LeadEvent.Kind.ATTRIBUTES_CHANGED, at=now)


def promise_contact_by(handoff: Handoff, due_at: datetime, *, now: datetime) -> None:
    Clock.objects.filter(handoff_id=handoff.pk, kind=Target.Kind.FIRST_CONTACT).update(due_at=due_at)
    log_event(handoff.lead, LeadEvent.Kind.CLOCK_MOVED, at=now, handoff_id=handoff.pk)


@pytest.fixture
def at_two(now: datetime) -> datetime:
    return now + 2 * HOUR


@pytest.fixture
def handoff(pool: Pool, now: datetime, at_two: datetime) -> Handoff:
    """Offered a minute before noon, with an appointment for two o'clock, when everybody is back."""
    for rep in User.objects.filter(role=User.Role.BDR):
        Absence.objects.create(user=rep, starts_at=now, ends_at=at_two)
    handoff = offer(ready_lead(now=now - MINUTE), now=now - MINUTE)
    Absence.objects.all().delete()
    return handoff


# --- With the handoff ----------------------------------------------------------------------------


def test_the_appointment_comes_with_the_message_as_calendars_take_it(
    mail_server: MailServer, pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    User.objects.update(time_zone="America/New_York")
    handoff = offer(ready_lead(now=now), now=now + MINUTE)

    deliver_due(now=now + MINUTE)
    deliver_due(now=now + 5 * HOUR)  # 20:00 to 07:00 is quiet by the clock of New York

    ((address, email),) = mail_server.taken
    text, calendar = email.iter_parts()
    assert address == handoff.owner.email
    assert "Time left: Open it by Tue 3 Mar, 07:16" in text.get_content()
    assert calendar.get_content_type() == "text/calendar"
    assert dict(calendar["Content-Type"].params) == {"method": "REQUEST", "charset": "utf-8"}
    parsed = icalendar.Calendar.from_ical(calendar.get_content())
    assert (parsed["VERSION"], parsed["METHOD"]) == ("2.0", "REQUEST")
    assert [zone["TZID"] for zone in parsed.walk("VTIMEZONE")] == ["America/New_York"]
    (event,) = parsed.walk("VEVENT")
    eastern = ZoneInfo("America/New_York")
    assert event["DTSTART"].dt == datetime(2026, 3, 3, 7, 15, tzinfo=eastern)
    assert event["DTEND"].dt - event["DTSTART"].dt == QUARTER
    assert event["UID"] == f"{handoff.public_id}-{handoff.owner_id}@localhost"
    assert (event["SEQUENCE"], event["STATUS"]) == (0, "CONFIRMED")
    assert event["ORGANIZER"] != event["ATTENDEE"]
    assert event["ATTENDEE"] == f"mailto:{handoff.owner.email}"
    assert event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert "+49 30 1234" in event["DESCRIPTION"]
    assert event["DESCRIPTION"].endswith(f"/handoffs/{handoff.pk}/")
    assert event.errors == []


def test_each_lead_gets_a_quarter_hour_of_its_own(pool: Pool, bdr: User, now: datetime) -> None:
    pool.memberships.exclude(user=bdr).update(is_active=False)

    for _ in range(3):
        offer(ready_lead(now=now), now=now)

    assert [start for _, _, start in sent_to(bdr)] == [now, now + QUARTER, now + 2 * QUARTER]


def test_it_is_in_working_hours_or_not_at_all(pool: Pool) -> None:
    thursday_night = datetime(2026, 3, 5, 20, 10, tzinfo=UTC)
    offer(ready_lead(now=thursday_night), now=thursday_night)
    friday_night = datetime(2026, 3, 6, 20, 10, tzinfo=UTC)
    offer(ready_lead(now=friday_night), now=friday_night)  # within 48 hours, on a weekend

    assert [f"{row.starts_at:%a %H:%M}" for row in CalendarInvitation.objects.all()] == ["Fri 10:00"]


@pytest.mark.parametrize("why", ["wants none", "house wants none", "no address"])
def test_who_gets_no_invitation_is_told_all_the_same(pool: Pool, now: datetime, why: str) -> None:
    if why == "no address":
        User.objects.update(email="")
    for person in User.objects.all() if why == "wants none" else [None]:
        Preference.objects.create(person=person, wants_invitations=why == "no address")

    handoff = offer(ready_lead(now=now), now=now)

    assert not CalendarInvitation.objects.exists()
    assert handoff.owner.notifications.count() == 1
    assert sent_to(handoff.owner) == []


def test_who_wants_invitations_but_no_mail_of_handoffs_gets_the_invitation(pool: Pool, now: datetime) -> None:
    Preference.objects.create(person=None, email_kinds=[])

    handoff = offer(ready_lead(now=now), now=now)

    assert [method for method, _, _ in sent_to(handoff.owner)] == ["REQUEST"]


def test_who_claims_a_lead_is_invited_and_uninvited_when_it_is_given_back(pool: Pool, now: datetime) -> None:
    pool.memberships.update(max_open=0)
    waiting = offer(ready_lead(now=now), now=now)
    pool.memberships.update(max_open=9)
    member = pool.memberships.first().user
    assert not CalendarInvitation.objects.exists()

    claimed = accept_handoff(waiting, by=member, now=now + MINUTE)
    undo_acceptance(claimed, by=member, now=now + MINUTE)
    reconcile_invitations(now=now + 2 * MINUTE)

    assert [(method, number) for method, number, _ in sent_to(member)] == [("REQUEST", 0), ("CANCEL", 1)]
    claim_handoff(claimed, by=member, now=now + 3 * MINUTE)
    assert sent_to(member)[2:] == [("REQUEST", 2, now + QUARTER)]


# --- Somebody else's -----------------------------------------------------------------------------


def _other(handoff: Handoff) -> User:
    return User.objects.filter(role=User.Role.BDR).exclude(pk=handoff.owner_id).first()


def _manager() -> User:
    return User.objects.get(role=User.Role.MANAGER)


def test_a_lead_reassigned_leaves_one_calendar_for_the_other(
    handoff: Handoff, now: datetime, at_two: datetime
) -> None:
    old, new = handoff.owner, _other(handoff)

    reassign_handoff(handoff, to=new, by=_manager(), now=now, reason="Swap")
    reconcile_invitations(now=now)

    assert sent_to(old) == [("REQUEST", 0, at_two), ("CANCEL", 1, at_two)]
    assert sent_to(new) == [("REQUEST", 1, now)]
    uids = {
        event_in(each.calendar)["UID"] for each in Delivery.objects.filter(recipient=old).exclude(calendar="")
    }
    assert uids == {f"{handoff.public_id}-{old.pk}@localhost"}


def test_who_takes_over_many_is_told_once_and_invited_to_each(pool: Pool, bdr: User, now: datetime) -> None:
    for _ in range(4):
        offer(ready_lead(now=now), now=now)
    others = list(pool.memberships.exclude(user=bdr).values_list("user", flat=True))
    (new,) = User.objects.filter(pk__in=others)
    before = len(sent_to(new))

    plan = plan_for_people(bdr, [new], which=Which.ALL)
    with CaptureQueriesContext(connection) as queries:
        reassign_in_bulk(plan, by=_manager(), reason="Leaves", now=now - MINUTE)

    assert [method for method, _, _ in sent_to(bdr)] == ["REQUEST", "REQUEST", "CANCEL", "CANCEL"]
    invited = sent_to(new)[before:]
    assert [method for method, _, _ in invited] == ["REQUEST", "REQUEST"]
    assert len({start for _, _, start in sent_to(new)}) == 4
    stored = [query for query in queries if 'INSERT INTO "handoffs_calendarinvitation"' in query["sql"]]
    assert len(stored) == 1


# --- What happens later --------------------------------------------------------------------------


def test_what_does_not_matter_sends_nothing(handoff: Handoff, now: datetime) -> None:
    touch(handoff, now=now)

    assert [reconcile_invitations(now=now) for _ in range(2)] == [1, 0]

    assert len(sent_to(handoff.owner)) == 1


def test_a_deadline_that_comes_forward_moves_the_appointment(handoff: Handoff, now: datetime) -> None:
    promise_contact_by(handoff, now + HOUR, now=now)
    reconcile_invitations(now=now + MINUTE)
    promise_contact_by(handoff, now + 9 * HOUR, now=now)

    assert reconcile_invitations(now=now + MINUTE) == 1

    # Once: more time is no reason to move it again.
    assert sent_to(handoff.owner)[1:] == [("REQUEST", 1, now + QUARTER)]
    latest = Delivery.objects.filter(recipient=handoff.owner).last()
    assert latest.title == f"First contact: {handoff.lead.name}, {handoff.lead.company}"
    assert latest.body == "On Tue 3 Mar, 12:15, instead of any other time."
    # Only calendars need to know.
    assert not handoff.owner.notifications.filter(title=latest.title).exists()


def test_an_absence_over_the_appointment_moves_it(handoff: Handoff, now: datetime) -> None:
    """Although the promise, which runs around the clock, is due as before."""
    reconcile_invitations(now=now)
    assert mark_outside_hours(now=now) == 0
    Absence.objects.create(user=handoff.owner, starts_at=now + HOUR, ends_at=now + 3 * HOUR)

    assert mark_outside_hours(now=now + HOUR) == 1
    reconcile_invitations(now=now + HOUR)

    assert sent_to(handoff.owner)[1:] == [("REQUEST", 1, now + 3 * HOUR)]
    assert mark_outside_hours(now=now + HOUR) == 0


def test_who_is_away_until_the_deadline_need_not_make_it(
    handoff: Handoff, now: datetime, at_two: datetime
) -> None:
    Absence.objects.create(user=handoff.owner, starts_at=now + HOUR, ends_at=now + 99 * HOUR)
    touch(handoff, now=now)

    reconcile_invitations(now=now + HOUR)

    assert sent_to(handoff.owner)[1:] == [("CANCEL", 1, at_two)]


def test_a_promise_that_stands_still_or_is_missed_leaves_the_appointment(
    handoff: Handoff, now: datetime
) -> None:
    promise_contact_by(handoff, now - MINUTE, now=now)
    reconcile_invitations(now=now)
    clock = Clock.objects.filter(handoff_id=handoff.pk, kind=Target.Kind.FIRST_CONTACT)
    clock.update(paused_at=now, pause_reason="They are on holiday")
    touch(handoff, now=now)
    reconcile_invitations(now=now)

    assert len(sent_to(handoff.owner)) == 1


def test_the_end_of_a_handoff_takes_it_out_of_the_calendar_once(
    handoff: Handoff, marketing: User, now: datetime, at_two: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=now, reason="A mistake")

    reconcile_invitations(now=now)
    touch(handoff, now=now)
    reconcile_invitations(now=now)

    assert sent_to(handoff.owner)[1:] == [("CANCEL", 1, at_two)]


def test_after_the_first_contact_nothing_is_sent(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now)
    Absence.objects.create(user=handoff.owner, starts_at=now + HOUR, ends_at=now + 3 * HOUR)

    assert reconcile_invitations(now=now) == 1

    assert len(sent_to(handoff.owner)) == 1


def test_a_rejection_taken_back_brings_the_appointment_back(
    handoff: Handoff, now: datetime, at_two: datetime
) -> None:
    owner = handoff.owner
    reject_handoff(handoff, reason=reason("no-budget"), note="None", by=owner, via=Verdict.Via.PAGE, now=now)
    reconcile_invitations(now=now)
    handoff.refresh_from_db()
    undo_rejection(handoff, by=owner, now=now + timedelta(seconds=5))
    reconcile_invitations(now=now + MINUTE)

    assert sent_to(owner)[1:] == [("CANCEL", 1, at_two), ("REQUEST", 2, now + QUARTER)]


def test_an_appointment_that_has_begun_is_left_alone(
    handoff: Handoff, marketing: User, at_two: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=at_two, reason="A mistake")

    assert reconcile_invitations(now=at_two) == 0

    assert len(sent_to(handoff.owner)) == 1


def test_one_that_cannot_be_looked_at_keeps_back_no_other(pool: Pool, marketing: User, now: datetime) -> None:
    earlier = now - MINUTE
    bad, good = (offer(ready_lead(now=earlier), now=earlier) for _ in range(2))
    for handoff in (bad, good):
        withdraw_handoff(handoff, by=marketing, now=earlier, reason="A mistake")
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            CREATE FUNCTION refuse_poisoned() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'poisoned'; END $$;
            CREATE TRIGGER refuse_poisoned BEFORE UPDATE OF cancelled_at ON handoffs_calendarinvitation
                FOR EACH ROW WHEN (OLD.handoff_id = {bad.pk}) EXECUTE FUNCTION refuse_poisoned();
            """
        )

    assert [reconcile_invitations(now=earlier) for _ in range(2)] == [2, 0]

    assert [method for method, _, _ in sent_to(good.owner)][-1] == "CANCEL"
    assert CalendarInvitation.objects.get(pk=bad.pk).is_standing


def test_the_sweep_finds_what_is_to_come_by_its_index(db: None, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        try:
            # By itself: in which order tables are joined is a matter of how many rows there are.
            plan = CalendarInvitation.objects.filter(starts_at__gt=now).explain()
        finally:
            cursor.execute("RESET enable_seqscan")

    assert "invitation_to_come" in plan
