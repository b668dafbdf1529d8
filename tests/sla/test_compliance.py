"""SLA-9: compliance figures equal a count by hand, and the page, the file and the API show the same."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from statistics import median, quantiles
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from leads.models import LeadEvent
from leads.services import log_event
from sla.figures.cohorts import Grouping, Question, weeks_between
from sla.figures.compliance import measure_compliance, measure_groups
from sla.figures.forms import ComplianceFilter
from sla.models import Clock, Target
from tests.factories import NOON, LeadFactory, TeamFactory, UserFactory
from tests.sla.factories import ClockFactory

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WEEK_AGO = NOON - 7 * DAY
PERIOD = Question(since=WEEK_AGO, until=NOON)
MEASURED = (Target.Kind.OPENED, Target.Kind.DECISION, Target.Kind.FIRST_CONTACT)


def finished(minutes: int, *, outcome: str = Clock.Outcome.DONE, **fields: object) -> Clock:
    """A clock of an hour that was stopped after so many minutes."""
    started_at = fields.setdefault("started_at", NOON - DAY)
    return ClockFactory(
        outcome=outcome,
        stopped_at=started_at + minutes * MINUTE,
        wall_seconds=minutes * 60,
        business_seconds=minutes * 30,
        **fields,
    )


@pytest.fixture
def history(db) -> list[Clock]:
    """Sixty clocks of two teams, three kinds, four categories and two sources, as they come."""
    lead = LeadFactory()
    people = [UserFactory(team=team) for team in (TeamFactory(name="North"), TeamFactory(name="South"))]
    outcomes = ("done", "done", "done", "cancelled", "running")
    clocks = []
    for number in range(60):
        outcome = outcomes[number % 5]
        about = {
            "lead": lead,
            "owner": people[number % 2] if number % 7 else None,
            "team": people[number % 2].team,
            "kind": MEASURED[number % 3],
            "handoff_id": 1000 + number // 3,
            "category": "ABC"[number % 4 : number % 4 + 1],
            "source": ("Webinar", "Partner")[number % 2],
            "started_at": WEEK_AGO + number * timedelta(hours=2, minutes=47),
        }
        if outcome == "running":
            clocks.append(ClockFactory(**about, minutes=60 if number % 2 else 10_000))
        else:
            clocks.append(finished(17 * number % 130, outcome=outcome, **about))
    for clock in clocks[::4]:
        log_event(lead, LeadEvent.Kind.ATTEMPTED, at=NOON, handoff_id=clock.handoff_id)
    return clocks


def by_hand(clocks: list[Clock], *, now: datetime) -> dict[str, object]:
    """The same figures, counted clock by clock."""
    states = [clock.state(now) for clock in clocks]
    missed = [clock for clock in clocks if clock.is_late(now)]
    kept = [clock for clock, state in zip(clocks, states, strict=True) if state == Clock.State.MET]
    tried = LeadEvent.objects.filter(kind=LeadEvent.Kind.ATTEMPTED).values_list("handoff_id", flat=True)
    called = [
        list(tried).count(clock.handoff_id)
        for clock in clocks
        if clock.kind == Target.Kind.FIRST_CONTACT and clock.outcome == Clock.Outcome.DONE
    ]
    called = [attempts for attempts in called if attempts]
    seconds = {
        kind: sorted(clock.wall_seconds for clock in clocks if clock.kind == kind and clock.outcome == "done")
        for kind in MEASURED
    }
    return {
        "kept": (len(kept), len(kept) + len(missed)),
        "breached": (
            len({clock.handoff_id for clock in missed}),
            len({clock.handoff_id for clock in [*kept, *missed]}),
        ),
        "undecided": sum(clock.outcome == "running" and not clock.is_late(now) for clock in clocks),
        "attempts": sum(called) / len(called) if called else None,
        "wall": {kind: _median_and_p90(each) for kind, each in seconds.items()},
    }


def _median_and_p90(seconds: list[int]) -> tuple[float | None, float | None]:
    if len(seconds) < 2:
        return (seconds[0], seconds[0]) if seconds else (None, None)
    return median(seconds), pytest.approx(quantiles(seconds, n=10, method="inclusive")[8])


def as_told(figures) -> dict[str, object]:
    return {
        "kept": (figures.kept.yes, figures.kept.n),
        "breached": (figures.breached.yes, figures.breached.n),
        "undecided": figures.undecided,
        "attempts": figures.attempts,
        "wall": {kind: (speed.wall.median, speed.wall.p90) for kind, speed in figures.speeds.items()},
    }


# --- Counting -------------------------------------------------------------------------------------


def test_the_figures_of_all_are_those_counted_by_hand(history, django_assert_num_queries):
    with django_assert_num_queries(1):
        figures = measure_compliance(Clock.objects.all(), PERIOD, now=NOON)

    assert figures.kept.n > 30
    assert figures.undecided > 0
    assert figures.fell_away > 0
    assert as_told(figures) == by_hand(history, now=NOON)


@pytest.mark.parametrize(
    ("by", "column"),
    [
        (Grouping.KIND, "kind"),
        (Grouping.REP, "owner_id"),
        (Grouping.TEAM, "team_id"),
        (Grouping.CATEGORY, "category"),
        (Grouping.SOURCE, "source"),
    ],
)
def test_the_figures_of_a_group_are_those_counted_by_hand(history, by, column):
    groups = measure_groups(Clock.objects.all(), PERIOD, by=by, zone=UTC, now=NOON)

    alike = defaultdict(list)
    for clock in history:
        alike[getattr(clock, column)].append(clock)
    assert {group.key: as_told(group.figures) for group in groups} == {
        key: by_hand(clocks, now=NOON) for key, clocks in alike.items()
    }


def test_weeks_are_those_of_the_readers_zone(db):
    sunday_evening = datetime(2026, 2, 22, 23, 30, tzinfo=UTC)  # Monday already in Berlin
    finished(10, started_at=sunday_evening)
    question = Question(since=NOON - 30 * DAY, until=NOON)

    [in_utc] = measure_groups(Clock.objects.all(), question, by=Grouping.WEEK, zone=UTC, now=NOON)
    [in_berlin] = measure_groups(
        Clock.objects.all(), question, by=Grouping.WEEK, zone=ZoneInfo("Europe/Berlin"), now=NOON
    )

    assert in_utc.key == date(2026, 2, 16)
    assert in_berlin.key == date(2026, 2, 23)


def test_every_week_of_a_period_has_its_monday():
    assert weeks_between(NOON - 8 * DAY, NOON, UTC) == [
        date(2026, 2, 23),
        date(2026, 3, 2),
    ]


def test_a_promise_counts_once_it_is_decided_and_not_before(db):
    ClockFactory(started_at=NOON)
    due = NOON + 60 * MINUTE
    question = Question(since=NOON, until=NOON + DAY)

    running = measure_compliance(Clock.objects.all(), question, now=due)
    late = measure_compliance(Clock.objects.all(), question, now=due + timedelta(microseconds=1))

    assert (running.kept.n, running.undecided) == (0, 1)
    assert (late.kept.n, late.missed, late.undecided) == (1, 1, 0)


def test_a_period_holds_what_was_promised_in_it(db):
    """SLA-4: a deadline may move, so a promise belongs to the moment at which it was made."""
    finished(90, started_at=WEEK_AGO)
    finished(90, started_at=WEEK_AGO - timedelta(microseconds=1))
    finished(90, started_at=NOON)

    assert measure_compliance(Clock.objects.all(), PERIOD, now=NOON + DAY).missed == 1


def test_an_incident_excuses_and_the_figures_can_be_read_without_it(db):
    """SLA-7: figures show with and without."""
    stopped = finished(90)
    Clock.objects.filter(pk=stopped.pk).update(
        due_before_incident=stopped.due_at, due_at=stopped.due_at + 45 * MINUTE
    )

    excused = measure_compliance(Clock.objects.all(), PERIOD, now=NOON)
    counted = measure_compliance(
        Clock.objects.all(), Question(since=WEEK_AGO, until=NOON, counts_incidents=True), now=NOON
    )

    assert (excused.kept.yes, excused.missed) == (1, 0)
    assert (counted.kept.yes, counted.missed) == (0, 1)


def test_a_rep_counts_their_own_and_their_teams_promises(history, bdr, stranger):
    north = next(clock.owner for clock in history if clock.owner)
    seen = measure_compliance(Clock.objects.visible_to(north), PERIOD, now=NOON)
    theirs = [clock for clock in history if clock.team_id == north.team_id]

    assert as_told(seen) == by_hand(theirs, now=NOON)
    assert measure_compliance(Clock.objects.visible_to(stranger), PERIOD, now=NOON).kept.n == 0


# --- What may be asked ----------------------------------------------------------------------------


def asked(**query: str) -> ComplianceFilter:
    return ComplianceFilter(query, now=NOON)


def test_nothing_asked_is_the_last_thirty_days(db):
    form = asked()

    assert form.is_valid()
    assert form.question == Question(since=datetime(2026, 2, 1, tzinfo=UTC), until=NOON)
    assert form.grouping == Grouping.REP


def test_the_last_day_belongs_to_the_period(db):
    form = asked(since="2026-01-01", until="2026-01-31")

    assert form.is_valid()
    assert form.question.until == datetime(2026, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"since": "2025-01-01"}, "since"),
        ({"since": "2026-02-01", "until": "2026-01-01"}, "until"),
        ({"since": "2026-04-01"}, "until"),
        ({"since": "yesterday"}, "since"),
        ({"until": "0001-01-01"}, "until"),
        ({"owner": "9" * 30}, "owner"),
        ({"source": "\x00"}, "source"),
        ({"by": "moon"}, "by"),
    ],
    ids=["longer than a year", "turned", "in future", "word", "year 1", "huge owner", "NUL", "by"],
)
def test_what_cannot_be_asked_is_refused_by_the_name_of_its_field(db, query, field):
    form = asked(**query)

    assert not form.is_valid()
    assert field in form.errors


# --- The page and the file ------------------------------------------------------------------------


@pytest.fixture
def recent(db, bdr) -> list[Clock]:
    """Three promises of this week: two kept by one rep, one missed by nobody in particular."""
    yesterday = timezone.now() - DAY
    return [
        finished(10, owner=bdr, kind="opened", category="A", source="Webinar", started_at=yesterday),
        finished(30, owner=bdr, kind="decision", category="A", source="Webinar", started_at=yesterday),
        finished(90, owner=None, team=None, kind="decision", category="B", started_at=yesterday),
    ]


def test_the_page_tells_shares_times_and_groups(client, manager, recent, django_assert_max_num_queries):
    client.force_login(manager)

    with django_assert_max_num_queries(17):
        page = client.get("/sla/compliance/").content.decode()

    assert "66.7 %" in page
    assert "2 of 3 decided" in page
    assert "Overflow queue" in page
    assert "nine in ten within" in page


@pytest.mark.parametrize("by", list(Grouping))
def test_the_page_can_be_asked_by_everything(client, manager, recent, by):
    client.force_login(manager)

    response = client.get("/sla/compliance/", {"by": by, "hours": "wall", "incidents": "counted"})

    assert response.status_code == 200
    assert f"By {by}" in response.content.decode()


def test_filters_narrow_what_is_counted(client, manager, recent, bdr):
    client.force_login(manager)

    def decided(**query) -> str:
        return client.get("/sla/compliance/", query).content.decode()

    assert "2 of 2 decided" in decided(owner=bdr.pk)
    assert "2 of 2 decided" in decided(source="webinar")
    assert "0 of 1 decided" in decided(category="B")
    assert "1 of 2 decided" in decided(kind="decision")
    assert "Nothing matches" in decided(category="-")


def test_the_file_has_the_figures_of_the_page(client, manager, recent):
    client.force_login(manager)

    body = b"".join(client.get("/sla/compliance.csv", {"by": "category"}).streaming_content).decode()

    a, b = csv.DictReader(io.StringIO(body))
    assert (a["category"], a["kept"], a["missed"], a["compliance"]) == ("A", "2", "0", "1.0")
    assert (a["opened_median_wall_seconds"], a["opened_median_seconds"]) == ("600", "300")
    assert (b["category"], b["missed"], b["breach_rate"], b["opened_done"]) == ("B", "1", "1.0", "0")


def test_a_period_of_more_than_a_year_is_refused_in_words(client, manager):
    client.force_login(manager)

    for path in ("/sla/compliance/", "/sla/compliance.csv"):
        response = client.get(path, {"since": "2020-01-01"})
        assert response.status_code == 422
        assert "That is more than a year" in response.content.decode()


def test_figures_are_for_managers_operators_and_readers(client, bdr, marketing, operator, reader):
    statuses = {}
    for person in (bdr, marketing, operator, reader):
        client.force_login(person)
        statuses[person] = client.get("/sla/compliance/").status_code

    assert statuses == {bdr: 403, marketing: 403, operator: 200, reader: 200}
