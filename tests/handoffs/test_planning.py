"""The next planned contact: one tap, a calendar file, and done once it was made (QUEUE-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.acting import NotAcceptedYet
from handoffs.contact.planning import FARTHEST, calendar_entry, plan_contact
from handoffs.contact.services import record_attempt
from handoffs.models import Cadence, Handoff
from handoffs.services import accept_handoff
from leads.models import LeadEvent
from sla.models import Clock, Target
from tests.page_forms import sent_by_enter

HOUR = timedelta(hours=1)


@pytest.fixture
def accepted(handoff: Handoff, now: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=now)


def plan(handoff: Handoff, at: datetime | None, *, now: datetime, **given: object) -> Handoff:
    return plan_contact(handoff, at=at, **({"channel": "call"} | given), by=handoff.owner, now=now)


def test_a_plan_is_kept_and_logged_without_its_note(accepted: Handoff, now: datetime) -> None:
    plan(accepted, now + 3 * HOUR, now=now, note=" Ask for Ms Roth ")
    plan(accepted, now + 3 * HOUR, now=now, note="Ask for Ms Roth")  # a double click

    accepted.refresh_from_db()
    assert (accepted.planned_contact_at, accepted.planned_channel) == (now + 3 * HOUR, "call")
    assert accepted.planned_note == "Ask for Ms Roth"
    entry = LeadEvent.objects.get(kind=LeadEvent.Kind.CONTACT_PLANNED)
    assert entry.detail == {"channel": "call", "planned_for": (now + 3 * HOUR).isoformat()}


def test_a_plan_can_be_taken_away(accepted: Handoff, now: datetime) -> None:
    plan(accepted, now + HOUR, now=now, note="Later")

    plan(accepted, None, now=now)

    accepted.refresh_from_db()
    assert (accepted.planned_contact_at, accepted.planned_channel, accepted.planned_note) == (None, "", "")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"after": -HOUR}, "at"),
        ({"after": timedelta()}, "at"),
        ({"after": FARTHEST + HOUR}, "at"),
        ({"after": HOUR, "channel": "pigeon"}, "channel"),
        ({"after": HOUR, "note": "x" * 201}, "note"),
        ({"after": HOUR, "note": "nul \x00"}, "note"),
    ],
    ids=["past", "now", "too-far", "channel", "long", "nul"],
)
def test_a_plan_nobody_can_keep_is_refused(
    accepted: Handoff, now: datetime, given: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        plan(accepted, now + given.pop("after"), now=now, **given)

    assert refused.value.field == field


def test_who_does_not_work_it_plans_nothing(handoff: Handoff, reader: User, now: datetime) -> None:
    with pytest.raises(NotAcceptedYet):
        plan(handoff, now + HOUR, now=now)
    accept_handoff(handoff, by=handoff.owner, now=now)
    with pytest.raises(NotAllowed):
        plan_contact(handoff, at=now + HOUR, channel="call", by=reader, now=now)


def test_an_attempt_at_about_the_planned_time_fulfils_the_plan(accepted: Handoff, now: datetime) -> None:
    plan(accepted, now + 5 * HOUR, now=now)

    record_attempt(accepted, channel="email", outcome="sent", by=accepted.owner, now=now + HOUR)
    still_planned = accepted.planned_contact_at
    record_attempt(accepted, channel="call", outcome="connected", by=accepted.owner, now=now + 4.5 * HOUR)

    accepted.refresh_from_db()
    assert still_planned == now + 5 * HOUR
    assert accepted.planned_contact_at is None


def test_the_calendar_file_is_in_the_zone_of_the_rep_and_replaces_an_earlier_one(
    accepted: Handoff, now: datetime
) -> None:
    starts_at = datetime(2026, 3, 31, 7, 0, tzinfo=UTC)  # 09:00 in Berlin, which has summer time by then
    plan(accepted, starts_at, now=now, note="Pricing; ask: who signs?")

    entry = calendar_entry(accepted, starts_at=starts_at, zone="Europe/Berlin", now=now)

    calendar = icalendar.Calendar.from_ical(entry)
    (event,) = calendar.walk("VEVENT")
    assert event["DTSTART"].dt == datetime(2026, 3, 31, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    assert str(event["SUMMARY"]).startswith("Call: Lea Holm, ")
    assert "ask: who signs?" in event["DESCRIPTION"]
    assert f"/handoffs/{accepted.pk}/" in event["DESCRIPTION"]
    assert str(event["UID"]).startswith(str(accepted.public_id))
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
    assert event.walk("VALARM")


# --- The page ------------------------------------------------------------------------------------

FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def as_owner(client: Client, accepted: Handoff) -> Client:
    client.force_login(accepted.owner)
    return client


def test_one_tap_plans_and_the_file_is_beside_it(as_owner: Client, accepted: Handoff) -> None:
    page = as_owner.get(f"/handoffs/{accepted.pk}/").content.decode()
    quick = page.split('name="quick" value="')[1].split('"')[0]

    answer = as_owner.post(
        f"/handoffs/{accepted.pk}/plan/", {"quick": quick, "channel": "email"}, headers=FRAGMENT
    )
    entry = as_owner.get(f"/handoffs/{accepted.pk}/plan.ics")

    accepted.refresh_from_db()
    assert accepted.planned_contact_at == datetime.fromisoformat(quick)
    assert f"/handoffs/{accepted.pk}/plan.ics" in answer.content.decode()
    assert entry["Content-Type"] == "text/calendar; charset=utf-8"
    assert entry.content.startswith(b"BEGIN:VCALENDAR")


def test_a_time_of_ones_own_is_read_in_ones_zone(as_owner: Client, accepted: Handoff) -> None:
    accepted.owner.time_zone = "Europe/Berlin"
    accepted.owner.save(update_fields=["time_zone"])
    tomorrow = timezone.localdate() + timedelta(days=2)

    as_owner.post(f"/handoffs/{accepted.pk}/plan/", {"at": f"{tomorrow}T14:30", "channel": "call"})

    accepted.refresh_from_db()
    planned = accepted.planned_contact_at.astimezone(ZoneInfo("Europe/Berlin"))
    assert (planned.date(), f"{planned:%H:%M}") == (tomorrow, "14:30")


def test_enter_beside_a_time_of_ones_own_plans_that_time(as_owner: Client, accepted: Handoff) -> None:
    action = f"/handoffs/{accepted.pk}/plan/"
    page = as_owner.get(f"/handoffs/{accepted.pk}/").content.decode()
    typed = f"{timezone.localdate() + timedelta(days=9)}T14:30"

    as_owner.post(action, sent_by_enter(page, action=action, field="at") | {"at": typed}, headers=FRAGMENT)

    accepted.refresh_from_db()
    planned = accepted.planned_contact_at.astimezone(ZoneInfo(accepted.owner.time_zone))
    assert 'name="quick"' in page
    assert f"{planned:%Y-%m-%dT%H:%M}" == typed


def test_without_a_time_the_page_says_so_and_keeps_the_note(as_owner: Client, accepted: Handoff) -> None:
    answer = as_owner.post(
        f"/handoffs/{accepted.pk}/plan/", {"at": "", "channel": "call", "note": "Ms Roth"}, headers=FRAGMENT
    )

    assert answer.status_code == 422
    assert "Choose a time." in answer.content.decode()
    assert 'value="Ms Roth"' in answer.content.decode()


def test_a_time_gone_by_is_refused_beside_what_was_typed(as_owner: Client, accepted: Handoff) -> None:
    given = {"at": "2020-01-01T09:00", "channel": "email", "note": "Ms Roth"}

    answer = as_owner.post(f"/handoffs/{accepted.pk}/plan/", given, headers=FRAGMENT)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<details class="plan-other" open>' in page
    assert '<p class="errorlist" role="alert">Choose a time to come, within a year.</p>' in page
    assert 'value="2020-01-01T09:00"' in page


def test_nothing_planned_is_no_file(as_owner: Client, accepted: Handoff) -> None:
    assert as_owner.get(f"/handoffs/{accepted.pk}/plan.ics").status_code == 404


def test_the_page_names_the_attempt_that_is_due(as_owner: Client, accepted: Handoff) -> None:
    """“Attempt 2 of 3, due by …”, by the first cadence that fits (QUEUE-3)."""
    Cadence.objects.all().delete()
    elsewhere = Cadence.objects.create(name="Elsewhere", position=1, sources=["Fair"])
    anywhere = Cadence.objects.create(name="Anywhere", position=2, categories=[accepted.category])
    elsewhere.steps.create(number=1, channel="call", minutes=5)
    for number in (1, 2, 3):
        anywhere.steps.create(number=number, channel="email", minutes=60 * number, in_working_hours=False)

    page = as_owner.get(f"/handoffs/{accepted.pk}/").content.decode()
    as_owner.post(f"/handoffs/{accepted.pk}/attempts/", {"attempt": "call:no_answer"})
    after = as_owner.get(f"/handoffs/{accepted.pk}/").content.decode()
    as_owner.post(f"/handoffs/{accepted.pk}/attempts/", {"attempt": "call:connected"})
    reached = as_owner.get(f"/handoffs/{accepted.pk}/").content.decode()

    assert "Attempt 1 of 3, e-mail, due by" in page
    assert "Attempt 2 of 3, e-mail, due by" in after
    assert "Reached after 2 attempts" in reached


def test_attempts_after_the_one_that_reached_them_do_not_count(as_owner: Client, accepted: Handoff) -> None:
    for outcome in ("call:connected", "call:voicemail", "email:sent"):
        as_owner.post(f"/handoffs/{accepted.pk}/attempts/", {"attempt": outcome})

    assert b"Reached after 1 attempt<" in as_owner.get(f"/handoffs/{accepted.pk}/").content


def test_the_first_attempt_has_one_deadline_the_sooner_one(
    as_owner: Client, accepted: Handoff, now: datetime
) -> None:
    """What the chip of the promise says, the attempt says too (QUEUE-3)."""
    due_at = now + timedelta(minutes=7)
    clock = Clock.objects.filter(handoff_id=accepted.pk, kind=Target.Kind.FIRST_CONTACT)
    clock.update(due_at=due_at)

    promised = as_owner.get(f"/handoffs/{accepted.pk}/").context["progress"]
    clock.update(paused_at=now, pause_reason="They are on holiday")
    paused = as_owner.get(f"/handoffs/{accepted.pk}/").context["progress"]

    assert (promised.next_number, promised.due_at) == (1, due_at)
    assert paused.due_at > due_at
