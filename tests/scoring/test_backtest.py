"""Backtests: honest about what was known, the same as looking at each lead by itself, run once (SCORE-10)."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from common.parking import MAX_ATTEMPTS
from leads.models import Lead
from leads.services import correct_lead
from scoring.backtesting import runs as backtests
from scoring.backtesting.replay import Tally
from scoring.backtesting.runs import (
    advance_backtest,
    fingerprint_of,
    points_of,
    request_backtest,
    waiting_backtests,
)
from scoring.backtesting.tasks import run_backtest_soon, run_waiting_backtests_task
from scoring.matching import match_activities
from scoring.models import Backtest, ModelVersion, Rule, Signal, SignalHit
from scoring.services import explain_score
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
START = NOON - 20 * WEEK


def run(version: ModelVersion, by: User, *, days: int = 28, now: datetime = NOON) -> Backtest:
    backtest = request_backtest(version, days=days, by=by, now=now)
    while advance_backtest(backtest.pk, now=now):
        pass
    backtest.refresh_from_db()
    assert backtest.finished_at == now, backtest.error
    return backtest


def tally_of(backtest: Backtest) -> Tally:
    return Tally.from_json(backtest.result["tally"])


def lead_since(start: datetime = START, **facts: object) -> Lead:
    return LeadFactory(created_at=start, **facts)


@pytest.fixture
def webinar(db: None) -> Signal:
    return make_signal("Webinar", ["Webinar Attended"], intent="high")


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], intent="high")


@pytest.fixture
def active(demo: Signal) -> ModelVersion:
    """Passes whoever asks for a demo."""
    return publish({"signal": demo, "points": 20}, now=START, threshold=20)


@pytest.fixture
def draft(active: ModelVersion, demo: Signal, webinar: Signal) -> ModelVersion:
    """Passes whoever attends a webinar as well."""
    return make_draft(
        {"signal": demo, "points": 20, "name": "Demo"},
        {"signal": webinar, "points": 20, "name": "Webinar"},
        threshold=20,
    )


# --- What it finds ------------------------------------------------------------------------------


def test_it_counts_whom_the_draft_would_have_passed_week_by_week(
    draft: ModelVersion, marketing: User
) -> None:
    attended, asked, both, idle = (lead_since() for _ in range(4))
    do(attended, "Webinar Attended", NOON - 10 * DAY)
    do(asked, "Demo Requested", NOON - 17 * DAY)
    do(both, "Webinar Attended", NOON - 24 * DAY)
    do(both, "Demo Requested", NOON - 3 * DAY)
    match_activities([attended.pk, asked.pk, both.pk, idle.pk])

    backtest = run(draft, marketing)

    tally = tally_of(backtest)
    assert (tally.draft, tally.active) == ([1, 1, 1, 0], [0, 1, 0, 1])
    assert {name: fate.leads for name, fate in tally.fates.items()} == {
        "more": 1,
        "fewer": 0,
        "kept": 2,
        "sooner": 0,
        "later": 0,
    }
    assert [example.lead_id for example in tally.examples["more"]] == [attended.pk]
    assert backtest.result["reasons"] == {
        str(attended.pk): "Draft: 20 points. Active: no clear signal of interest. Webinar +20 instead of 0."
    }
    assert tally.leads == 4


def test_a_signal_that_only_the_draft_counts_is_matched_to_the_past(
    active: ModelVersion, marketing: User
) -> None:
    lead = lead_since()
    do(lead, "Chat Started", NOON - 10 * DAY)
    match_activities([lead.pk])
    chat = make_signal("Chat", ["Chat Started"], intent="high")
    draft = make_draft({"signal": chat, "points": 30})

    backtest = run(draft, marketing)

    assert tally_of(backtest).draft == [0, 0, 1, 0]


def test_it_agrees_with_looking_at_each_lead_at_each_point(
    marketing: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A random history, in chunks smaller than it, against the explanation of every lead at every point."""
    monkeypatch.setattr(backtests, "LEADS_PER_STEP", 7)
    rng = random.Random(310)
    webinar = make_signal("Webinar", ["Webinar Attended"], intent="high")
    visit = make_signal("Visit", ["Page Viewed"])
    gone = make_signal("Gone", ["Unsubscribed"])
    vp = {"attribute": "title", "operator": "has_word", "values": ["VP"], "points": 10}
    fit = vp | {"kind": "fit"}
    often = {"signal": visit, "points": 5, "per_occurrence": True, "cap": 15, "window_days": 20}
    against = {"signal": gone, "kind": "disqualifier", "window_days": 9}
    active = publish(
        fit, often, against, {"signal": webinar, "points": 10}, now=START, threshold=20, signal_days=30
    )
    draft = make_draft(
        fit, often, {"signal": webinar, "points": 25, "window_days": 18}, threshold=35, signal_days=21
    )
    leads = [
        lead_since(NOON - rng.randint(0, 60) * DAY, title=rng.choice(["VP Sales", "Intern", ""]))
        for _ in range(40)
    ]
    for lead in leads:
        for _ in range(rng.randint(0, 9)):
            at = NOON - rng.randint(0, 60 * 24) * timedelta(hours=1)
            event = rng.choice(["Webinar Attended", "Page Viewed", "Page Viewed", "Unsubscribed"])
            do(lead, event, at, received_at=at + rng.choice([0, 0, 0, 12]) * DAY)
        if rng.random() < 0.3:
            correct_lead(lead, changes={"title": "VP Finance"}, by=marketing, via="test", at=NOON - 11 * DAY)
    match_activities([lead.pk for lead in leads])

    backtest = run(draft, marketing, days=35)

    points = points_of(backtest)

    def first_week(lead: Lead, version: ModelVersion) -> int | None:
        passes = [explain_score(lead, as_of=point, version=version).qualifies for point in points]
        return passes.index(True) if any(passes) else None

    weeks = [(lead.pk, first_week(lead, draft), first_week(lead, active)) for lead in leads]
    tally = tally_of(backtest)
    assert tally.draft == [sum(by == week for _, by, _ in weeks) for week in range(1, 6)]
    assert tally.active == [sum(by == week for _, _, by in weeks) for week in range(1, 6)]
    more = {pk for pk, by_draft, by_active in weeks if by_draft and by_active is None}
    fewer = {pk for pk, by_draft, by_active in weeks if by_active and by_draft is None}
    assert {example.lead_id for example in tally.examples["more"]} == more
    assert {example.lead_id for example in tally.examples["fewer"]} == fewer
    assert sum(tally.draft) > 3
    assert more
    assert fewer
    assert backtest.steps_done == backtest.steps == 2 + 6
    assert tally.leads == 40


# --- Nothing leaks from later -------------------------------------------------------------------


def plant_future_activity(lead: Lead, marketing: User) -> None:
    do(lead, "Webinar Attended", NOON + DAY, received_at=NOON - 20 * DAY)


def plant_late_arrival(lead: Lead, marketing: User) -> None:
    do(lead, "Webinar Attended", NOON - 20 * DAY, received_at=NOON + DAY)


def plant_later_fact(lead: Lead, marketing: User) -> None:
    do(lead, "Webinar Attended", NOON - 20 * DAY)
    correct_lead(lead, changes={"title": "VP Sales"}, by=marketing, via="test", at=NOON + DAY)


@pytest.mark.parametrize(
    ("plant", "needs_fit"),
    [(plant_future_activity, 0), (plant_late_arrival, 0), (plant_later_fact, 10)],
    ids=["an-activity-of-tomorrow", "an-activity-that-came-late", "a-title-learnt-later"],
)
def test_what_was_not_known_then_does_not_count(
    plant: Callable[[Lead, User], None],
    needs_fit: int,
    active: ModelVersion,
    webinar: Signal,
    marketing: User,
) -> None:
    lead = lead_since(title="Intern")
    vp = {"kind": "fit", "attribute": "title", "operator": "has_word", "values": ["VP"], "points": 10}
    draft = make_draft({"signal": webinar, "points": 30}, vp, threshold=30, icp_from=needs_fit)
    plant(lead, marketing)
    match_activities([lead.pk])

    then = run(draft, marketing, now=NOON)
    later = run(draft, marketing, now=NOON + WEEK)

    assert SignalHit.objects.filter(lead=lead).count() == 1
    assert sum(tally_of(then).draft) == 0
    assert tally_of(later).draft == [0, 0, 0, 1]


def test_what_came_late_counts_from_when_it_came(draft: ModelVersion, marketing: User) -> None:
    lead = lead_since()
    do(lead, "Webinar Attended", NOON - 27 * DAY, received_at=NOON - 8 * DAY)
    match_activities([lead.pk])

    assert tally_of(run(draft, marketing)).draft == [0, 0, 1, 0]


def test_a_lead_counts_from_when_we_knew_it(draft: ModelVersion, marketing: User) -> None:
    lead = lead_since(NOON - 8 * DAY)
    do(lead, "Webinar Attended", NOON - 27 * DAY)
    match_activities([lead.pk])

    assert tally_of(run(draft, marketing)).draft == [0, 0, 1, 0]


# --- Asking for one -----------------------------------------------------------------------------


def test_only_marketing_starts_one(draft: ModelVersion, manager: User, bdr: User) -> None:
    for person in (manager, bdr):
        with pytest.raises(NotAllowed):
            request_backtest(draft, days=90, by=person, now=NOON)


@pytest.mark.parametrize("days", [6, 367, -1, 10**9], ids=str)
def test_days_are_bounded(draft: ModelVersion, marketing: User, days: int) -> None:
    with pytest.raises(InvalidInput, match="Look back between 7 and 366 days"):
        request_backtest(draft, days=days, by=marketing, now=NOON)


def test_asking_twice_is_asking_once(draft: ModelVersion, marketing: User) -> None:
    first = request_backtest(draft, days=90, by=marketing, now=NOON)

    again = request_backtest(draft, days=90, by=marketing, now=NOON + DAY)
    other = request_backtest(draft, days=30, by=marketing, now=NOON + DAY)

    assert again == first
    assert list(waiting_backtests()) == [other.pk]


def test_a_draft_that_means_nothing_is_refused_in_words(active: ModelVersion, marketing: User) -> None:
    draft = make_draft({"attribute": "company.employee_count", "operator": "between", "points": 5})

    with pytest.raises(InvalidInput, match="Give a lowest or a highest value"):
        request_backtest(draft, days=90, by=marketing, now=NOON)


def test_any_version_can_be_run_even_the_active_one(active: ModelVersion, marketing: User) -> None:
    lead = lead_since()
    do(lead, "Demo Requested", NOON - DAY)
    match_activities([lead.pk])

    backtest = run(active, marketing)

    assert backtest.against is None
    assert tally_of(backtest).draft == [0, 0, 0, 1]


def test_without_an_active_version_there_is_nothing_to_compare(webinar: Signal, marketing: User) -> None:
    lead = lead_since()
    do(lead, "Webinar Attended", NOON - DAY)
    draft = make_draft({"signal": webinar, "points": 30})
    match_activities([lead.pk])

    backtest = run(draft, marketing)

    assert backtest.against is None
    assert tally_of(backtest).fates["more"].leads == 1


def test_the_fingerprint_changes_with_anything_that_the_version_says(
    draft: ModelVersion, webinar: Signal
) -> None:
    seen = {fingerprint_of(draft)}

    Rule.objects.filter(version=draft, signal=webinar).update(points=25)
    seen.add(fingerprint_of(draft))
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=25)
    seen.add(fingerprint_of(draft))
    Signal.objects.filter(pk=webinar.pk).update(event_names=["Webinar Watched"])
    seen.add(fingerprint_of(draft))
    webinar.conditions.create(property_name="minutes", operator="at_least", values=["30"])
    seen.add(fingerprint_of(draft))

    assert len(seen) == 5
    assert fingerprint_of(draft) in seen


# --- Running it ---------------------------------------------------------------------------------


def test_a_draft_changed_on_the_way_ends_it_with_a_sentence(draft: ModelVersion, marketing: User) -> None:
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    assert advance_backtest(backtest.pk, now=NOON)
    Rule.objects.filter(version=draft).update(points=1)

    assert not advance_backtest(backtest.pk, now=NOON)

    backtest.refresh_from_db()
    assert backtest.parked_at == NOON
    assert (
        backtest.error == "The draft was changed while it was run against history. Start the backtest again."
    )
    assert run(draft, marketing).finished_at


def test_a_signal_changed_on_the_way_ends_it_too(
    draft: ModelVersion, webinar: Signal, marketing: User
) -> None:
    """Its hits were forgotten: counting on would find nobody."""
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    advance_backtest(backtest.pk, now=NOON)
    Signal.objects.filter(pk=webinar.pk).update(backfilled_at=None)

    assert not advance_backtest(backtest.pk, now=NOON)
    assert Backtest.objects.get(pk=backtest.pk).parked_at == NOON


def test_it_begins_when_the_past_is_matched_to_its_signals(
    draft: ModelVersion, webinar: Signal, marketing: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That may take longer than one task may run."""
    Signal.objects.filter(pk=webinar.pk).update(backfilled_at=None)
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    monkeypatch.setattr("scoring.backtesting.runs.BACKFILL_SECONDS", 0)

    for _ in range(MAX_ATTEMPTS + 1):
        assert advance_backtest(backtest.pk, now=NOON)

    backtest.refresh_from_db()
    assert (backtest.steps_done, backtest.attempts, backtest.parked_at) == (0, 0, None)


def test_a_failing_step_is_tried_a_few_times_and_then_parked(draft: ModelVersion, marketing: User) -> None:
    lead_since()
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    advance_backtest(backtest.pk, now=NOON)
    Backtest.objects.filter(pk=backtest.pk).update(result={"last_id": 0})  # no sum to go on from

    for _ in range(MAX_ATTEMPTS + 1):
        assert not advance_backtest(backtest.pk, now=NOON)

    backtest.refresh_from_db()
    assert (backtest.attempts, backtest.parked_at) == (MAX_ATTEMPTS, NOON)
    assert backtest.error


def test_a_killed_run_goes_on_where_it_was(
    draft: ModelVersion, marketing: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "LEADS_PER_STEP", 1)
    leads = [lead_since() for _ in range(3)]
    for lead in leads:
        do(lead, "Webinar Attended", NOON - DAY)
    match_activities([lead.pk for lead in leads])
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    for _ in range(2):
        advance_backtest(backtest.pk, now=NOON)

    run_waiting_backtests_task()

    backtest.refresh_from_db()
    assert (backtest.steps_done, backtest.steps) == (5, 5)
    assert tally_of(backtest).draft == [0, 0, 0, 3]


def test_the_task_runs_it_to_the_end(draft: ModelVersion, marketing: User) -> None:
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)

    run_backtest_soon(backtest.pk)
    run_backtest_soon(backtest.pk)  # the queue may deliver twice

    assert Backtest.objects.get(pk=backtest.pk).finished_at is not None
    assert not waiting_backtests()


@pytest.mark.parametrize("count", [2, 9])
def test_a_step_asks_no_more_for_more_leads(
    count: int, draft: ModelVersion, marketing: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    leads = [lead_since() for _ in range(count)]
    for lead in leads:
        do(lead, "Webinar Attended", NOON - DAY)
    match_activities([lead.pk for lead in leads])
    backtest = request_backtest(draft, days=28, by=marketing, now=NOON)
    advance_backtest(backtest.pk, now=NOON)

    with django_assert_num_queries(32):
        advance_backtest(backtest.pk, now=NOON)
