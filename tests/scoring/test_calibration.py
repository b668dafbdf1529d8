"""Calibration counts handoffs by what was known when they were made, in steps that may be interrupted."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoff_portal.schedule import SCHEDULE
from leads.models import Lead, LeadEvent
from scoring.calibration import runs as calibration
from scoring.calibration import tasks as tasks_calibration
from scoring.calibration.draft import draft_suggested_points
from scoring.calibration.page import suggested_points
from scoring.calibration.runs import (
    Found,
    advance_calibration,
    calibrate_active_version,
    found_by,
    latest_calibration,
    median_cycles,
    request_calibration,
    waiting_calibrations,
)
from scoring.conversion import Goal, Share
from scoring.lifecycle.versions import ActiveVersionChanged
from scoring.models import CalibrationRun, ModelVersion, Rule, Signal
from scoring.services import create_draft, match_activities
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_signal, publish

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
Kind = LeadEvent.Kind
handoff_ids = itertools.count(1)


@pytest.fixture
def pricing() -> Signal:
    return make_signal("Pricing page", ["Page Viewed"], ("path", "equals", ["/pricing"]), intent="high")


@pytest.fixture
def version(pricing: Signal) -> ModelVersion:
    return publish(
        {"signal": pricing, "points": 20, "name": "Pricing page"},
        {"attribute": "title", "operator": "contains", "values": ["vp"], "points": 15, "name": "VP"},
        now=NOON - 300 * DAY,
    )


def hand_over(lead: Lead, at: datetime, *steps: tuple[str, timedelta], **detail: str) -> int:
    """The log of a handoff: steps after so long. `detail` goes with a rejection."""
    number = next(handoff_ids)
    for kind, after in (("handed_off", timedelta()), *steps):
        LeadEvent.objects.create(
            lead=lead,
            kind=kind,
            at=at + after,
            handoff_id=number,
            detail=detail if kind == "rejected" else {},
        )
    return number


def visited(at: datetime, *, received_at: datetime | None = None) -> Lead:
    lead = LeadFactory(created_at=NOON - 200 * DAY)
    do(lead, "Page Viewed", at, received_at=received_at, path="/pricing")
    match_activities([lead.pk])
    return lead


def count(version: ModelVersion, *, now: datetime = NOON, days: int = 365) -> Found:
    run = request_calibration(version, days=days, by=None, now=now)
    while advance_calibration(run.pk, now=now):
        pass
    run.refresh_from_db()
    assert run.finished_at == now
    assert run.steps_done <= run.steps
    return found_by(run)


def rule_id(version: ModelVersion, name: str) -> int:
    return version.rules.get(name=name).pk


def test_what_was_learnt_after_the_handoff_does_not_count(version: ModelVersion) -> None:
    handed = NOON - 100 * DAY
    lead = visited(handed - DAY, received_at=handed + DAY)  # planted: it happened before, but nobody knew
    hand_over(lead, handed)

    found = count(version)

    goal = found.counts.goals[Goal.QUALIFIED]
    assert goal.by_score == {15: Share(0, 1)}
    assert set(goal.rules) == {rule_id(version, "VP")}


def test_outcomes_are_counted_by_the_score_at_the_handoff(version: ModelVersion) -> None:
    handed = NOON - 100 * DAY
    hand_over(visited(handed - DAY), handed, ("accepted", HOUR), ("qualified", 2 * DAY), ("won", 30 * DAY))
    hand_over(visited(handed - DAY), handed, ("rejected", HOUR), reason="wrong-icp", type="definitional")
    hand_over(LeadFactory(created_at=handed), handed, ("accepted", HOUR), ("lost", 9 * DAY))

    counts = count(version).counts

    pricing = rule_id(version, "Pricing page")
    assert counts.goals[Goal.QUALIFIED].by_score == {35: Share(1, 2), 15: Share(0, 1)}
    assert counts.goals[Goal.WON].ended == {35: Share(1, 1), 15: Share(0, 1)}
    assert counts.goals[Goal.QUALIFIED].rules[pricing].fired == Share(1, 2)
    assert (counts.decided, counts.decided_by_rule[pricing]) == (Share(2, 3), Share(1, 2))
    assert (counts.reasons, counts.reasons_by_rule[pricing]) == ({"wrong-icp": 1}, {"wrong-icp": 1})


def test_a_lead_handed_over_twice_counts_twice_each_as_it_was(version: ModelVersion) -> None:
    lead = visited(NOON - 50 * DAY)
    hand_over(lead, NOON - 60 * DAY, ("rejected", HOUR), reason="premature", type="timing")
    hand_over(lead, NOON - 40 * DAY, ("qualified", DAY))

    counts = count(version).counts

    assert counts.goals[Goal.QUALIFIED].by_score == {15: Share(0, 1), 35: Share(1, 1)}


def test_the_cycle_is_the_median_of_those_that_got_there(version: ModelVersion) -> None:
    for took in (2, 4, 30):
        hand_over(LeadFactory(created_at=NOON - 200 * DAY), NOON - 100 * DAY, ("qualified", took * DAY))
    hand_over(LeadFactory(created_at=NOON - 200 * DAY), NOON - 3 * DAY)

    found = count(version)

    assert median_cycles(since=NOON - 365 * DAY, until=NOON) == {Goal.QUALIFIED: 4 * DAY}
    assert found.cycles == {Goal.QUALIFIED: 4 * DAY}
    assert found.counts.goals[Goal.QUALIFIED].immature == 1
    assert found.counts.goals[Goal.QUALIFIED].by_score == {15: Share(3, 3)}


def test_only_handoffs_of_the_time_asked_for_count(version: ModelVersion) -> None:
    for age in (10, 29, 31):
        hand_over(LeadFactory(created_at=NOON - 200 * DAY), NOON - age * DAY)

    assert count(version, days=30).counts.handed == 2


def test_all_leads_are_looked_at_now_and_a_quarter_ago(version: ModelVersion) -> None:
    visited(NOON - 10 * DAY)
    LeadFactory(created_at=NOON - 200 * DAY, title="Clerk")
    LeadFactory(created_at=NOON - DAY)

    found = count(version)

    assert (found.before.leads, found.before.scores) == (2, {15: 1, 0: 1})
    assert (found.after.leads, found.after.scores) == (3, {35: 1, 0: 1, 15: 1})
    assert found.after.share_fired(rule_id(version, "Pricing page")) == pytest.approx(1 / 3)


def test_of_very_many_leads_a_sample_is_looked_at(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "SAMPLE", 10)
    monkeypatch.setattr(calibration, "LEADS_PER_STEP", 4)
    LeadFactory.create_batch(40, created_at=NOON - 200 * DAY)

    found = count(version)

    assert found.after.leads == 10


# Steps


def test_a_count_goes_on_where_it_was_interrupted(
    version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "HANDOFFS_PER_STEP", 2)
    for _ in range(5):
        hand_over(LeadFactory(created_at=NOON - 200 * DAY), NOON - 100 * DAY)
    run = request_calibration(version, by=None, now=NOON)
    advance_calibration(run.pk, now=NOON)
    run.refresh_from_db()
    halfway = found_by(run).counts.handed

    tasks_calibration.count_waiting_calibrations_task()

    run.refresh_from_db()
    assert halfway == 2
    assert found_by(run).counts.handed == 5
    assert run.finished_at is not None
    assert waiting_calibrations() == []


def test_a_step_that_fails_is_tried_again_and_then_parked(version: ModelVersion) -> None:
    run = request_calibration(version, by=None, now=NOON)
    with connection.cursor() as cursor:
        # A count that no step can read.
        cursor.execute("UPDATE scoring_calibrationrun SET counts = '{\"counts\": 1}' WHERE id = %s", [run.pk])

    for _ in range(6):
        assert advance_calibration(run.pk, now=NOON) is False

    run.refresh_from_db()
    assert run.parked_at == NOON
    assert run.error
    again = request_calibration(version, by=None, now=NOON + DAY)
    assert again.pk != run.pk
    assert CalibrationRun.objects.count() == 1


def test_asking_twice_is_asking_once(version: ModelVersion, manager: User) -> None:
    first = request_calibration(version, by=manager, now=NOON)

    assert request_calibration(version, days=90, by=manager, now=NOON + HOUR) == first


def test_a_new_count_takes_the_place_of_the_old(version: ModelVersion) -> None:
    count(version)
    before = latest_calibration(version)

    count(version, now=NOON + DAY)

    assert latest_calibration(version) != before
    assert CalibrationRun.objects.count() == 1


@pytest.mark.parametrize("days", [6, 1_101])
def test_the_time_asked_for_must_make_sense(version: ModelVersion, days: int) -> None:
    with pytest.raises(InvalidInput, match="Look back between 7 and 1,100 days"):
        request_calibration(version, days=days, by=None, now=NOON)


def test_a_draft_is_not_calibrated(version: ModelVersion) -> None:
    draft = create_draft(based_on=version, by=None, now=NOON)

    with pytest.raises(InvalidInput, match="backtest"):
        request_calibration(draft, by=None, now=NOON)


def test_readers_have_nothing_counted(version: ModelVersion, reader: User) -> None:
    with pytest.raises(NotAllowed):
        request_calibration(version, by=reader, now=NOON)


def test_each_night_the_active_version_is_counted(version: ModelVersion) -> None:
    count(version, days=90)

    run = calibrate_active_version(now=NOON + DAY)

    assert run is not None
    assert (run.version, run.days, run.requested_by) == (version, 90, None)
    entries = {entry.name: entry.function for entry in SCHEDULE}
    assert entries["scoring-calibrate"] is tasks_calibration.calibrate_task
    assert entries["scoring-count-calibrations"] is tasks_calibration.count_waiting_calibrations_task


def test_without_an_active_version_the_night_is_quiet() -> None:
    assert calibrate_active_version(now=NOON) is None


# From figures to a draft


@pytest.fixture
def telling(version: ModelVersion) -> CalibrationRun:
    """VPs convert well and visitors of the pricing page badly, both without doubt."""
    handed = NOON - 100 * DAY
    made = [
        ("VP Sales", True, 20, 40),
        ("VP Sales", False, 36, 40),
        ("Clerk", True, 4, 40),
        ("Clerk", False, 20, 40),
    ]
    for title, visits, converted, n in made:
        for number in range(n):
            lead = LeadFactory(created_at=NOON - 200 * DAY, title=title)
            if visits:
                do(lead, "Page Viewed", handed - DAY, path="/pricing")
            steps = [("qualified", DAY)] if number < converted else []
            hand_over(lead, handed, *steps)
    match_activities(list(Lead.objects.values_list("pk", flat=True)))
    count(version)
    run = latest_calibration(version)
    assert run is not None
    return run


def test_the_chosen_suggestions_become_a_draft(
    telling: CalibrationRun, version: ModelVersion, marketing: User
) -> None:
    suggested = suggested_points(telling, goal=Goal.QUALIFIED)
    pricing, vp = rule_id(version, "Pricing page"), rule_id(version, "VP")

    draft = draft_suggested_points(
        telling, goal=Goal.QUALIFIED, rule_ids=[pricing, vp], by=marketing, now=NOON
    )

    assert suggested[pricing] == 0
    assert suggested[vp] not in (0, 15)
    assert list(draft.rules.values_list("name", "points")) == [("VP", suggested[vp])]
    assert dict(version.rules.values_list("name", "points")) == {"Pricing page": 20, "VP": 15}
    assert (draft.status, draft.based_on) == (ModelVersion.Status.DRAFT, version)


def test_what_was_not_chosen_stays(telling: CalibrationRun, version: ModelVersion, marketing: User) -> None:
    vp = rule_id(version, "VP")

    draft = draft_suggested_points(telling, goal=Goal.QUALIFIED, rule_ids=[vp], by=marketing, now=NOON)

    assert draft.rules.get(name="Pricing page").points == 20


def test_a_draft_needs_a_rule_with_a_suggestion(telling: CalibrationRun, marketing: User) -> None:
    with pytest.raises(InvalidInput, match="at least one rule"):
        draft_suggested_points(telling, goal=Goal.QUALIFIED, rule_ids=[0], by=marketing, now=NOON)

    assert not ModelVersion.objects.filter(status=ModelVersion.Status.DRAFT).exists()


def test_suggestions_for_a_retired_version_make_no_draft(
    telling: CalibrationRun, version: ModelVersion, pricing: Signal, marketing: User
) -> None:
    publish({"signal": pricing, "points": 30}, now=NOON)
    ids = list(Rule.objects.filter(version=version).values_list("pk", flat=True))

    with pytest.raises(ActiveVersionChanged):
        draft_suggested_points(telling, goal=Goal.QUALIFIED, rule_ids=ids, by=marketing, now=NOON)


def test_only_marketing_drafts(telling: CalibrationRun, version: ModelVersion, manager: User) -> None:
    vp = rule_id(version, "VP")

    with pytest.raises(NotAllowed):
        draft_suggested_points(telling, goal=Goal.QUALIFIED, rule_ids=[vp], by=manager, now=NOON)
