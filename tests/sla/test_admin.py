"""Calendars and policies in the admin: plain words, and nothing that cannot work is kept (SLA-1, SLA-2)."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from sla.conditions import HandoffFacts
from sla.models import Calendar, Clock, Policy
from sla.services import start_clocks
from sla.versions import keep_version
from tests.factories import LeadFactory
from tests.sla.factories import CalendarFactory, ClockFactory, PolicyFactory, TargetFactory


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


def inline(prefix: str, rows: list[dict], initial: int = 0) -> dict:
    values = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    return values | {
        f"{prefix}-{number}-{name}": value for number, row in enumerate(rows) for name, value in row.items()
    }


def calendar_form(intervals, *, closures=(), people=(), **fields) -> dict:
    rows = [{"weekday": day, "opens_at": opens, "closes_at": closes} for day, opens, closes in intervals]
    values = {
        "name": "Munich",
        "time_zone": "Europe/Berlin",
        "holiday_country": "",
        "holiday_subdivision": "",
    }
    return (
        values
        | fields
        | inline("intervals", rows)
        | inline("closures", list(closures))
        | inline("calendarperson_set", list(people))
    )


def policy_form(*targets, steps=(), **fields) -> dict:
    values = {"name": "Standard", "position": 1, "is_active": "on", "is_instant_mql": "unknown"}
    rows = [
        {"kind": "first_contact", "mode": "business", "minutes": 60, "warn_percent": "50,80"} | target
        for target in targets
    ]
    ladder = [{"after_minutes": 0, "waits_for_receiver": "on"} | step for step in steps]
    return values | fields | inline("targets", rows) | inline("steps", ladder)


def refusal(client, path: str, data: dict) -> str:
    response = client.post(path, data)
    assert response.status_code == 200, "the form was taken"
    return response.content.decode().replace("&#x27;", "'")


# --- Calendars ----------------------------------------------------------------------------------


def test_a_calendar_with_several_intervals_a_day_is_kept_and_the_first_is_the_default(as_manager):
    form = calendar_form(
        [(0, "09:00", "12:00"), (0, "13:00", "18:00"), (4, "22:00", "06:00")],
        closures=[{"on": "2026-12-24", "name": "Christmas Eve"}],
        holiday_country="de",
        holiday_subdivision="by",
    )

    assert as_manager.post("/admin/sla/calendar/add/", form).status_code == 302

    calendar = Calendar.objects.get()
    assert calendar.is_default
    assert (calendar.holiday_country, calendar.holiday_subdivision) == ("DE", "BY")
    assert calendar.intervals.count() == 3
    assert calendar.closures.get().on == date(2026, 12, 24)


@pytest.mark.parametrize(
    ("intervals", "fields", "sentence"),
    [
        ([], {}, "This calendar would never be open. Give it at least one interval."),
        (
            [(0, "09:00", "13:00"), (0, "12:00", "18:00")],
            {},
            "Monday 09:00–13:00 and Monday 12:00–18:00 overlap. Change one of them.",
        ),
        (
            [(6, "22:00", "06:00"), (0, "05:00", "09:00")],
            {},
            "Sunday 22:00–06:00 (next day) and Monday 05:00–09:00 overlap.",
        ),
        ([(0, "09:00", "17:00")], {"time_zone": "Berlin"}, "“Berlin” is not a time zone."),
        ([(0, "09:00", "17:00")], {"holiday_country": "XX"}, "No public holidays are known for “XX”."),
        (
            [(0, "09:00", "17:00")],
            {"holiday_country": "DE", "holiday_subdivision": "ZZ"},
            "“ZZ” is not a part of “DE”. Known: BB, BE,",
        ),
    ],
)
def test_a_calendar_that_cannot_work_is_refused(as_manager, intervals, fields, sentence):
    page = refusal(as_manager, "/admin/sla/calendar/add/", calendar_form(intervals, **fields))

    assert sentence in page
    assert not Calendar.objects.exists()


def test_saving_a_closure_moves_open_clocks_and_says_how_many(as_manager, policy, office, bdr):
    facts = HandoffFacts(7, category="B", warmth="cold", source="", is_instant_mql=False)
    # The admin takes the time itself, so the clock must run now.
    start_clocks(LeadFactory(), facts, owner=bdr, team=bdr.team, now=timezone.now())
    due_at = Clock.objects.get(kind="first_contact").due_at
    rows = [
        {
            "id": row.pk,
            "calendar": office.pk,
            "weekday": row.weekday,
            "opens_at": "10:00",
            "closes_at": "18:00",
        }
        for row in office.intervals.all()
    ]
    form = calendar_form([], name=office.name) | inline("intervals", rows, initial=len(rows))
    form |= inline("closures", [{"on": due_at.date().isoformat(), "name": "Move of the office"}])

    page = as_manager.post(f"/admin/sla/calendar/{office.pk}/change/", form, follow=True).content.decode()

    assert "The due time of 1 open clock moved." in page
    assert Clock.objects.get(kind="first_contact").due_at > due_at


def test_another_calendar_is_made_the_default_by_an_action(as_manager, office):
    munich = CalendarFactory(name="Munich")
    path = "/admin/sla/calendar/"

    as_manager.post(path, {"action": "make_default", "_selected_action": [office.pk, munich.pk]})
    assert Calendar.objects.get(is_default=True) == office

    as_manager.post(path, {"action": "make_default", "_selected_action": [munich.pk]})
    assert Calendar.objects.get(is_default=True) == munich


def test_the_default_calendar_is_not_deleted(as_manager, office):
    assert as_manager.post(f"/admin/sla/calendar/{office.pk}/delete/", {"post": "yes"}).status_code == 403


# --- Policies -----------------------------------------------------------------------------------


def test_a_policy_is_kept_and_listed_in_plain_words(as_manager, office):
    form = policy_form(
        {}, {"kind": "opened", "mode": "wall", "minutes": 15, "warn_percent": ""}, category="A"
    )

    assert as_manager.post("/admin/sla/policy/add/", form).status_code == 302

    listed = as_manager.get("/admin/sla/policy/").content.decode()
    assert "category A" in listed
    assert (
        "First contact: Within 1 hour of working time; Opened: Within 15 minutes, around the clock" in listed
    )


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ({"warn_percent": "50,120"}, "A warning comes before the deadline: use 1 to 99 per cent"),
        ({"warn_percent": "0"}, "A warning comes before the deadline: use 1 to 99 per cent"),
        ({"minutes": ""}, "Give the minutes allowed, 1 or more"),
        ({"minutes": 0}, "Give the minutes allowed, 1 or more"),
        ({"mode": "same_day"}, "Give the minutes allowed, 1 or more"),
        ({"minutes": 10_000_000}, "This is longer than a year: the unit is minutes."),
        ({"after_hours_minutes": 0}, "Give 1 minute or more, or leave it blank."),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(as_manager, office, target, sentence):
    assert sentence in refusal(as_manager, "/admin/sla/policy/add/", policy_form(target))
    assert not Policy.objects.exists()


def test_two_targets_of_a_kind_are_refused(as_manager, office):
    assert "duplicate" in refusal(as_manager, "/admin/sla/policy/add/", policy_form({}, {}))


def test_working_time_needs_a_calendar_to_count_by(as_manager):
    assert "no default calendar" in refusal(as_manager, "/admin/sla/policy/add/", policy_form({}))

    around_the_clock = policy_form({"mode": "wall"})
    assert as_manager.post("/admin/sla/policy/add/", around_the_clock).status_code == 302


def test_a_policy_that_never_applies_is_pointed_out(as_manager, office):
    PolicyFactory(name="Everything", position=0)

    page = as_manager.post("/admin/sla/policy/add/", policy_form({}), follow=True).content.decode()

    assert "“Standard” never applies: “Everything” comes first" in page


def test_each_save_that_changes_something_is_a_version_with_who_and_what(as_manager, manager, office):
    """SLA-4: history is kept in sentences."""
    form = policy_form({}, steps=[{"action": "remind"}], countries="Germany, Austria", min_employees=50)
    as_manager.post("/admin/sla/policy/add/", form)
    policy = Policy.objects.get()
    path = f"/admin/sla/policy/{policy.pk}/change/"
    target, step = policy.targets.get(), policy.steps.get()
    kept = [{"id": target.pk, "policy": policy.pk, "minutes": 30}]
    steps = [
        {"id": step.pk, "policy": policy.pk, "action": "remind"},
        {"action": "reassign", "after_minutes": 60, "kinds": ["opened", "decision"]},
    ]
    rows = policy_form(*kept, steps=steps, countries="Germany, Austria", min_employees=50)

    saved = as_manager.post(path, rows | {"targets-INITIAL_FORMS": 1, "steps-INITIAL_FORMS": 1}, follow=True)

    assert "Version 2 holds for handoffs from now on" in saved.content.decode()
    assert list(policy.versions.values_list("number", "by")) == [(2, manager.pk), (1, manager.pk)]
    told = as_manager.get(path).content.decode()
    assert "First contact: within 30 minutes of working time" in told
    assert "before, within 1 hour of working time" in told
    assert "After 1 hour: give it to the next rep (opened, accept or reject only)" in told
    assert "Applies to Germany or Austria, 50 employees or more." in told


def test_saving_without_a_change_makes_no_version(as_manager, office):
    as_manager.post("/admin/sla/policy/add/", policy_form())
    policy = Policy.objects.get()

    as_manager.post(f"/admin/sla/policy/{policy.pk}/change/", policy_form(name="By another name"))

    assert policy.versions.count() == 1


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ({"action": "rest"}, "Say after how many lapsed offers"),
        ({"action": "remind", "lapses": 2}, "Say after how many lapsed offers"),
        (
            {"action": "remind", "after_minutes": 10_000_000},
            "This is longer than a year: the unit is minutes.",
        ),
        ({"action": "remind", "kinds": ["lunch"]}, "Select a valid choice"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(as_manager, office, step, sentence):
    assert sentence in refusal(as_manager, "/admin/sla/policy/add/", policy_form({}, steps=[step]))


def test_sizes_the_wrong_way_round_are_refused(as_manager, office):
    form = policy_form({}, min_employees=500, max_employees=50)

    assert "swap them" in refusal(as_manager, "/admin/sla/policy/add/", form)


def test_a_policy_that_was_used_is_switched_off_and_not_deleted(as_manager, policy, now):
    keep_version(policy, by=None, now=now)

    assert as_manager.post(f"/admin/sla/policy/{policy.pk}/delete/", {"post": "yes"}).status_code == 403


def test_clocks_are_shown_and_not_edited(as_manager, bdr):
    clock = ClockFactory(owner=bdr)

    assert as_manager.get(f"/admin/sla/clock/{clock.pk}/change/").status_code == 200
    assert as_manager.post(f"/admin/sla/clock/{clock.pk}/change/", {"minutes": 1}).status_code == 403
    assert as_manager.get("/admin/sla/clock/add/").status_code == 403


@pytest.mark.parametrize("model", ["calendar", "policy"])
def test_only_managers_edit_service_levels(client, marketing, operator, reader, model):
    for person in (marketing, operator, reader):
        client.force_login(person)
        assert client.get(f"/admin/sla/{model}/add/").status_code == 403


def test_a_list_of_policies_costs_the_same_whatever_its_length(
    as_manager, office, django_assert_max_num_queries
):
    for _ in range(3):
        TargetFactory(policy=PolicyFactory())
    with django_assert_max_num_queries(12):  # six of them ask which settings have their one row
        as_manager.get("/admin/sla/policy/")
