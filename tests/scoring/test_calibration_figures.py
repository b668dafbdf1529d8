"""Bands, ranking, lift and suggested points, from counts (SCORE-11, SCORE-15)."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from math import inf

import pytest

from scoring.calibration.counts import Counts, GoalCounts, from_json, to_json
from scoring.calibration.drift import Snapshot, Verdict, drift_between
from scoring.calibration.figures import (
    Advice,
    RuleFigures,
    bands_of,
    ranking_of,
    rule_figures,
)
from scoring.calibration.reasons import reason_figures
from scoring.conversion import Goal, Share
from scoring.language.results import Line, Result
from scoring.language.rules import BehaviourRule, Category, Effect, Model, Warmth
from scoring.outcomes import Outcome
from tests.factories import NOON

HOUR = timedelta(hours=1)
OLD = timedelta(days=300)


def rule(key: int, points: int, effect: Effect = Effect.POINTS) -> BehaviourRule:
    return BehaviourRule(
        key, key, points, effect, name=f"Rule {key}", signal_name=f"Signal {key}", high_intent=True
    )


def result(*fired: BehaviourRule, base: int = 0) -> Result:
    """A lead on whom these rules fired, beside others that gave `base` points."""
    lines = tuple(Line(each.key, each.points, each.points, 1, NOON, NOON, True) for each in fired)
    total = base + sum(each.points for each in fired)
    return Result(
        1, total, 0, total, 0, 0, Category.C, Warmth.COLD, True, True, False, False, True, None, lines
    )  # fmt: skip


def outcome(*, converts: bool = False, reason: str = "", kind: str = "") -> Outcome:
    handed = Outcome(lead_id=1, handoff_id=1, handed_at=NOON)
    if reason:
        return replace(handed, rejected_at=NOON + HOUR, reason=reason, reason_type=kind)
    if converts:
        return replace(handed, accepted_at=NOON + HOUR, qualified_at=NOON + 2 * HOUR)
    return replace(handed, accepted_at=NOON + HOUR)


def counted(cases: Iterable[tuple[Outcome, Result]], *, age: timedelta = OLD) -> Counts:
    counts = Counts()
    for each, scored in cases:
        counts.count(each, scored, age=age, cycles={Goal.QUALIFIED: timedelta(days=10)})
    return counts


# --- What is counted -----------------------------------------------------------------------------


def test_young_handoffs_are_immature() -> None:
    counts = counted([(outcome(converts=True), result())], age=timedelta(days=9))

    assert counts.goals[Goal.QUALIFIED].immature == 1
    assert counts.goals[Goal.QUALIFIED].by_score == {}
    assert counts.goals[Goal.QUALIFIED].ended == {}
    assert counts.goals[Goal.WON].by_score == {0: Share(0, 1)}  # a goal without a cycle waits for none


def test_a_handoff_as_old_as_the_cycle_is_mature() -> None:
    counts = counted([(outcome(converts=True), result())], age=timedelta(days=10))

    assert counts.goals[Goal.QUALIFIED].by_score == {0: Share(1, 1)}


def test_a_refusal_as_another_reps_says_nothing_about_the_lead() -> None:
    counts = counted([(outcome(reason="wrong-rep", kind="procedural"), result(rule(1, 20)))])

    assert (counts.handed, counts.left_out, counts.decided) == (1, 1, Share(0, 0))
    assert counts.goals[Goal.QUALIFIED].by_score == {}


def test_what_marketing_took_back_before_a_decision_is_left_out() -> None:
    taken_back = replace(outcome(), accepted_at=None, withdrawn_at=NOON + HOUR)
    taken_late = replace(outcome(), withdrawn_at=NOON + 9 * HOUR)

    counts = counted([(taken_back, result()), (taken_late, result())])

    assert (counts.handed, counts.left_out) == (2, 1)


def test_a_deal_was_qualified_whoever_left_out_the_step() -> None:
    deal = replace(outcome(), opportunity_at=NOON + HOUR)

    assert counted([(deal, result())]).goals[Goal.QUALIFIED].by_score == {0: Share(1, 1)}


def test_counts_survive_json_as_they_are() -> None:
    cases = [
        (outcome(converts=True), result(rule(1, 20), base=15)),
        (outcome(reason="wrong-icp"), result(rule(1, 20), rule(2, -5))),
    ]
    counts = counted(cases)

    assert from_json(to_json(counts)) == counts
    assert from_json({}) == Counts()


# --- Bands ---------------------------------------------------------------------------------------


def test_bands_have_round_bounds_and_their_interval() -> None:
    by_score = {score: Share(score // 20, 5) for score in range(20, 100)}

    bands = bands_of(by_score, least=30)

    assert [band.label for band in bands] == [
        "20–29", "30–39", "40–49", "50–59", "60–69", "70–79", "80–89", "90 or more",
    ]  # fmt: skip
    first = bands[0].rate
    assert first is not None
    assert (first.yes, first.n, first.share) == (10, 50, 0.2)
    assert (first.low, first.high) == pytest.approx((0.1124, 0.3304), abs=5e-5)


def test_neighbours_with_too_few_outcomes_share_a_band() -> None:
    by_score = {5: Share(1, 40), 15: Share(1, 10), 25: Share(1, 10), 35: Share(1, 25), 45: Share(1, 3)}

    bands = bands_of(by_score, least=30)

    assert [(band.label, band.counted.n) for band in bands] == [("0–9", 40), ("10 or more", 48)]


def test_all_outcomes_together_may_be_too_few() -> None:
    (band,) = bands_of({50: Share(1, 7), 70: Share(1, 5)}, least=30)

    assert (band.counted, band.rate) == (Share(2, 12), None)
    assert bands_of({}, least=30) == []


# --- Ranking -------------------------------------------------------------------------------------


def test_the_ranking_compares_those_that_ended() -> None:
    counts = GoalCounts(ended={50: Share(1, 11), 70: Share(10, 20), 90: Share(9, 10)})

    ranking = ranking_of(counts, least=30)

    assert (ranking.positives, ranking.negatives) == (20, 21)
    # By hand: 1 of 50 ties with 10; 10 of 70 beat 10 and tie with 10; 9 of 90 beat 20 and tie with 1.
    assert ranking.auc == (1 * 5 + 10 * (10 + 5) + 9 * (20 + 0.5)) / (20 * 21)
    assert ranking.low < ranking.auc < ranking.high


@pytest.mark.parametrize(
    "ended", [{50: Share(10, 29)}, {50: Share(40, 40)}, {50: Share(0, 29), 90: Share(1, 1)}, {}]
)
def test_too_few_or_one_kind_only_cannot_be_ranked(ended: dict[int, Share]) -> None:
    assert ranking_of(GoalCounts(ended=ended), least=30).auc is None


# --- Rules ---------------------------------------------------------------------------------------

USEFUL, IDLE, HARMFUL, RARE = rule(1, 10), rule(2, 40), rule(3, 20), rule(4, 10)
INSTANT = rule(5, 0, Effect.INSTANT_MQL)
MODEL = Model(threshold=50, icp_from=0, signal_hours=24, behaviour=(USEFUL, IDLE, HARMFUL, RARE, INSTANT))


def planted(n: int, *, seed: int = 5) -> Counts:
    """Leads whose odds triple with USEFUL and halve with HARMFUL, whatever IDLE does; RARE fires on ten."""
    rng = random.Random(seed)
    cases = []
    for number in range(n):
        fired = [each for each in (USEFUL, IDLE, HARMFUL) if rng.random() < 0.5]
        odds = 0.6 * (3.0 if USEFUL in fired else 1) * (0.5 if HARMFUL in fired else 1)
        fired += [RARE] * (number < 10)
        cases.append((outcome(converts=rng.random() < odds / (1 + odds)), result(*fired, base=30)))
    return counted(cases)


def figures_of(counts: Counts, *, least: int = 30) -> dict[int, RuleFigures]:
    return {each.rule_id: each for each in rule_figures(MODEL, counts, Goal.QUALIFIED, least=least)}


def test_the_advice_follows_what_was_planted() -> None:
    figures = figures_of(planted(4_000))

    assert figures[USEFUL.key].advice is Advice.CHANGE
    assert (figures[USEFUL.key].suggested or 0) > 20
    assert figures[HARMFUL.key].advice is Advice.TAKE_OUT
    assert figures[HARMFUL.key].suggested == 0
    assert figures[IDLE.key].advice is Advice.IDLE
    assert figures[IDLE.key].suggested is None
    assert figures[INSTANT.key].advice is Advice.TOO_FEW
    assert figures[RARE.key].advice is Advice.TOO_FEW


def test_a_single_conversion_makes_no_lift() -> None:
    cases = [(outcome(converts=number == 0), result(*[USEFUL] * (number < 40))) for number in range(80)]

    useful = figures_of(counted(cases))[USEFUL.key]

    assert (useful.fired, useful.lift, useful.is_certain) == (Share(1, 40), None, False)


def test_lift_is_how_many_times_as_often_they_convert() -> None:
    cases = [(outcome(converts=number < 30), result(USEFUL)) for number in range(60)]
    cases += [(outcome(converts=number < 10), result()) for number in range(40)]

    useful = figures_of(counted(cases))[USEFUL.key]

    assert (useful.fired, useful.others) == (Share(30, 60), Share(10, 40))
    assert useful.lift == 2.0
    assert useful.lift_interval[0] < 2.0 < useful.lift_interval[1]
    assert useful.is_certain


@pytest.mark.parametrize(("without", "lift"), [(0, inf), (4, 3.0)])
def test_where_nobody_else_converts_the_lift_has_no_bound(without: int, lift: float) -> None:
    cases = [(outcome(converts=number < 12), result(USEFUL)) for number in range(40)]
    cases += [(outcome(converts=number < without), result()) for number in range(40)]

    assert figures_of(counted(cases))[USEFUL.key].lift == pytest.approx(lift)


def test_the_guard_looks_at_the_smaller_side() -> None:
    cases = [(outcome(converts=number % 2 == 0), result(USEFUL)) for number in range(100)]
    cases += [(outcome(), result()) for _ in range(12)]

    useful = figures_of(counted(cases))[USEFUL.key]

    assert (useful.advice, useful.lift, useful.fewer) == (Advice.TOO_FEW, None, 12)
    assert figures_of(counted(cases), least=12)[USEFUL.key].lift is not None


def test_chance_alone_suggests_nothing() -> None:
    rng = random.Random(1)
    cases = []
    for _ in range(400):
        fired = [each for each in (USEFUL, IDLE, HARMFUL) if rng.random() < 0.5]
        cases.append((outcome(converts=rng.random() < 0.4), result(*fired, base=30)))

    figures = figures_of(counted(cases))

    assert [figures[key].suggested for key in (1, 2, 3)] == [None, None, None]


def test_a_suggestion_never_exceeds_the_threshold() -> None:
    """Odds a hundredfold: one rule alone would be an instant MQL, and that is another kind of rule."""
    rng = random.Random(2)
    cases = []
    for _ in range(3_000):
        fired = [each for each in (USEFUL, IDLE, HARMFUL) if rng.random() < 0.5]
        odds = 0.1 * (100 if USEFUL in fired else 1)
        cases.append((outcome(converts=rng.random() < odds / (1 + odds)), result(*fired, base=30)))

    assert (figures_of(counted(cases))[USEFUL.key].suggested or 0) <= MODEL.threshold


# --- Reasons -------------------------------------------------------------------------------------


def test_the_rules_behind_a_reason_are_told_beside_how_often_they_fire() -> None:
    cases = [
        (outcome(reason="wrong-icp"), result(*([USEFUL] if number < 16 else []))) for number in range(40)
    ]
    cases += [(outcome(), result()) for _ in range(40)]
    cases += [(outcome(reason="premature"), result(USEFUL)) for _ in range(5)]

    wrong, premature = reason_figures(MODEL, counted(cases), least=30)

    assert (wrong.reason, wrong.n) == ("wrong-icp", 40)
    assert wrong.rules is not None
    ((name, rate, base),) = wrong.rules
    assert base is not None
    assert (name, rate.share, base.share) == ("Rule 1", 0.4, 21 / 85)
    assert (premature.reason, premature.rules) == ("premature", None)  # 5 of 30


# --- Drift ---------------------------------------------------------------------------------------


def test_a_shifted_distribution_is_marked() -> None:
    before = Snapshot(leads=100, scores=dict.fromkeys(range(100), 1))
    same = Snapshot(leads=200, scores=dict.fromkeys(range(100), 2))
    shifted = Snapshot(leads=100, scores=dict.fromkeys(range(50, 100), 2))

    stable, marked = drift_between(before, same, least=30), drift_between(before, shifted, least=30)

    assert stable is not None
    assert marked is not None
    assert stable.verdict is Verdict.STABLE
    assert stable.edges == tuple(range(10, 100, 10))
    assert (stable.labels[0], stable.labels[-1]) == ("0–9", "90 or more")
    assert marked.verdict is Verdict.MARKED
    assert (sum(marked.before), sum(marked.after)) == (100, 100)


def test_many_leads_of_one_score_share_a_bin() -> None:
    before = Snapshot(leads=100, scores={0: 90, 10: 5, 20: 5})

    drift = drift_between(before, before, least=30)

    assert drift is not None
    assert (drift.edges, drift.before, drift.index) == ((10,), (90, 10), 0)


def test_drift_needs_leads_on_both_sides() -> None:
    few, many = Snapshot(leads=29, scores={0: 29}), Snapshot(leads=90, scores={0: 90})

    assert drift_between(few, many, least=30) is None
    assert drift_between(many, few, least=30) is None
