"""SLA-7: past promises under other terms, by the owner's hours and the pauses on record."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from common.errors import InvalidInput
from sla.figures.cohorts import Question
from sla.models import Calendar, CalendarInterval, Clock, Pause, Target
from sla.versions import TargetTerms
from sla.what_if import Trial, Verdict, changed_clocks, try_terms
from tests.factories import UserFactory
from tests.sla.factories import ClockFactory, PolicyFactory, TargetFactory

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FRIDAY_EVENING = datetime(2026, 3, 6, 16, 30, tzinfo=UTC)  # 17:30 in Berlin
MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)  # 10:00 in Berlin, the office opens
NOW = datetime(2026, 3, 16, 12, tzinfo=UTC)
QUARTER = Question(since=NOW - 90 * DAY, until=NOW)


def called(at: datetime, office: Calendar | None = None, **fields: object) -> Clock:
    """A first contact, promised on Friday 17:30 within an hour around the clock and made at that moment."""
    fields = {"started_at": FRIDAY_EVENING, "calendar": office, "outcome": Clock.Outcome.DONE} | fields
    return ClockFactory(stopped_at=at, **fields)


def terms(
    mode: str, minutes: int | None, *, kind: str = Target.Kind.FIRST_CONTACT, **more: object
) -> TargetTerms:
    return TargetTerms(kind, mode, minutes=minutes, **more)


def held_to(*targets: TargetTerms, question: Question = QUARTER) -> Trial:
    return try_terms(Clock.objects.all(), question, targets=targets, now=NOW)


# --- Judging ----------------------------------------------------------------------------------------


def test_an_hour_of_working_time_forgives_the_weekend(office):
    """SLA-2: Friday 17:30 and one business hour is Monday 10:30."""
    in_time = called(MONDAY + 30 * MINUTE, office)
    late = called(MONDAY + 30 * MINUTE + timedelta(microseconds=1), office)

    trial = held_to(terms("business", 60))

    assert (trial.total.was.yes, trial.total.missed) == (0, 2)
    assert (trial.total.would_be.yes, trial.total.would_miss) == (1, 1)
    [change] = trial.changes
    assert (change.clock_id, change.due_at) == (in_time.pk, MONDAY + 30 * MINUTE)
    assert (change.was, change.would_be) == (Verdict.MISSED, Verdict.KEPT)
    assert late.pk != change.clock_id


def test_shorter_terms_find_more_missed(db):
    called(FRIDAY_EVENING + 20 * MINUTE)
    called(FRIDAY_EVENING + 50 * MINUTE)

    trial = held_to(terms("wall", 30))

    assert (trial.total.missed, trial.total.would_miss) == (0, 1)


def test_close_of_business_and_the_rule_after_hours_can_be_tried(office):
    called(FRIDAY_EVENING + 45 * MINUTE, office)
    called(MONDAY + 90 * MINUTE, office, started_at=FRIDAY_EVENING + DAY)  # on Saturday

    same_day = held_to(terms("same_day", None))
    after_hours = held_to(terms("wall", 15, after_hours_minutes=120))

    assert [change.due_at for change in same_day.changes] == [
        MONDAY + 8 * HOUR,
        FRIDAY_EVENING + 30 * MINUTE,
    ]
    assert [change.due_at for change in after_hours.changes] == [
        MONDAY + 2 * HOUR,
        FRIDAY_EVENING + 15 * MINUTE,
    ]


def test_time_that_stood_still_stays_forgiven(db):
    clock = called(FRIDAY_EVENING + 50 * MINUTE)
    for start, end in ((10, 20), (25, 40)):
        Pause.objects.create(
            clock=clock,
            reason="Waits for the lead",
            started_at=FRIDAY_EVENING + start * MINUTE,
            ended_at=FRIDAY_EVENING + end * MINUTE,
        )

    assert held_to(terms("wall", 25)).total.would_miss == 0
    assert held_to(terms("wall", 24)).total.would_miss == 1


def test_what_is_not_done_is_judged_up_to_now(db):
    ClockFactory(started_at=NOW - 2 * HOUR)
    ClockFactory(started_at=NOW - 2 * HOUR, outcome="cancelled", stopped_at=NOW - HOUR - 30 * MINUTE)

    trial = held_to(terms("wall", 180))

    assert (trial.total.was.n, trial.total.missed) == (1, 1)
    assert trial.total.would_be.n == 0
    assert [change.would_be for change in trial.changes] == [Verdict.UNDECIDED]


def test_only_the_targets_that_the_terms_promise_are_looked_at(db):
    called(FRIDAY_EVENING + 90 * MINUTE)
    called(FRIDAY_EVENING + 90 * MINUTE, kind=Target.Kind.DECISION)

    trial = held_to(terms("wall", 120, kind=Target.Kind.DECISION))

    assert trial.looked_at == 1
    assert [kind.label for kind in trial.kinds] == ["Accept or reject"]


def test_people_whose_figures_would_change_most_come_first(db):
    anna, ben = UserFactory(first_name="Anna"), UserFactory(first_name="Ben")
    called(FRIDAY_EVENING + 20 * MINUTE, owner=anna)
    called(FRIDAY_EVENING + 50 * MINUTE, owner=ben)

    trial = held_to(terms("wall", 30))

    assert [person.label for person in trial.people] == [str(ben), str(anna)]


def test_the_newest_are_looked_at_when_there_are_more(db, monkeypatch):
    monkeypatch.setattr("sla.what_if.MOST_CLOCKS", 2)
    for hours in range(3):
        called(NOW, started_at=FRIDAY_EVENING + hours * HOUR)

    trial = held_to(terms("wall", 365 * 24 * 60))

    assert trial.is_part
    assert trial.looked_at == 2
    shown = changed_clocks(trial, Clock.objects.all(), most=1)
    assert [clock.started_at for clock, _ in shown] == [FRIDAY_EVENING + 2 * HOUR]


def test_many_promises_cost_as_many_statements_as_few(office, django_assert_num_queries):
    for number in range(4):
        called(NOW, office, started_at=FRIDAY_EVENING + number * HOUR)

    # The clocks, their owners, calendars with intervals and closures, absences and pauses.
    with django_assert_num_queries(7):
        held_to(terms("business", 60))


def test_nothing_is_written(office):
    clock = called(MONDAY, office)
    before = Clock.objects.filter(pk=clock.pk).values().get()

    held_to(terms("business", 5))

    assert Clock.objects.filter(pk=clock.pk).values().get() == before


def test_a_deadline_beyond_the_calendar_is_refused_in_words(db):
    hardly_open = Calendar.objects.create(name="Sundays at noon", time_zone="UTC")
    CalendarInterval.objects.create(calendar=hardly_open, weekday=6, opens_at="12:00", closes_at="12:01")
    called(MONDAY, hardly_open)

    with pytest.raises(InvalidInput, match=r"First contact: .* Choose a shorter time") as refusal:
        held_to(terms("business", 365 * 24 * 60))

    assert refusal.value.field == "first_contact_minutes"


# --- The page ---------------------------------------------------------------------------------------


@pytest.fixture
def yesterday(db, bdr) -> Clock:
    started_at = timezone.now() - DAY
    return ClockFactory(
        owner=bdr,
        started_at=started_at,
        outcome="done",
        stopped_at=started_at + 90 * MINUTE,
        source="Webinar",
    )


def test_a_manager_tries_a_policy(client, manager, yesterday):
    policy = PolicyFactory(name="Relaxed", is_active=False)
    TargetFactory(policy=policy, mode=Target.Mode.WALL, minutes=120)
    client.force_login(manager)

    response = client.get("/sla/what-if/", {"policy": policy.pk})

    page = response.content.decode()
    assert response.status_code == 200
    assert "First contact: within 2 hours, around the clock" in page
    assert "instead of missed" in page
    assert response.context["trial"].total.would_be.yes == 1


def test_typed_terms_go_before_those_of_the_policy_and_the_file_names_what_changes(
    client, manager, yesterday
):
    policy = PolicyFactory()
    TargetFactory(policy=policy, mode=Target.Mode.WALL, minutes=120)
    client.force_login(manager)
    query = {"policy": policy.pk, "first_contact_mode": "wall", "first_contact_minutes": "95"}

    body = b"".join(client.get("/sla/what-if.csv", query).streaming_content).decode()

    [row] = csv.DictReader(io.StringIO(body))
    assert (row["was"], row["would_be"], row["clock_id"]) == ("missed", "kept", str(yesterday.pk))
    assert datetime.fromisoformat(row["would_be_due_at"]) == yesterday.started_at + 95 * MINUTE


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"opened_minutes": "15"}, "Choose what the minutes are counted in."),
        ({"opened_mode": "wall"}, "Give the minutes allowed."),
        ({"opened_mode": "same_day", "opened_minutes": "5"}, "Leave them blank"),
        ({"opened_mode": "wall", "opened_minutes": "9" * 12}, "longer than a year"),
        ({"opened_mode": "moon"}, "Select a valid choice"),
        ({"policy": "0"}, "Select a valid choice"),
    ],
    ids=["no mode", "no minutes", "minutes of a day", "huge", "no such mode", "no such policy"],
)
def test_terms_that_make_no_sense_are_refused_in_words(client, manager, query, words):
    client.force_login(manager)

    for path in ("/sla/what-if/", "/sla/what-if.csv"):
        response = client.get(path, query)
        assert response.status_code == 422
        assert words in response.content.decode()


def test_the_page_opens_without_a_question_and_not_for_reps(client, manager, bdr):
    client.force_login(manager)
    assert "Choose a policy, or type terms" in client.get("/sla/what-if/").content.decode()

    client.force_login(bdr)
    assert client.get("/sla/what-if/").status_code == 403
