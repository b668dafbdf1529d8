"""A calibration as a page tells it: sentences, charts and tables, with a guard on every figure."""

from __future__ import annotations

from dataclasses import dataclass

from common.charts import Chart, Point, Series, bar_chart, percentage
from scoring.calibration.counts import total_of
from scoring.calibration.drift import Drift, drift_between
from scoring.calibration.figures import Band, RuleFigures, bands_of, ranking_of, rate_of, rule_figures
from scoring.calibration.reasons import ReasonFigures, reason_figures
from scoring.calibration.runs import Found, found_by
from scoring.calibration.words import (
    GOAL_WORDS,
    VERDICT_WORDS,
    Cell,
    advice_words,
    days_words,
    lift_cell,
    ranking_words,
    rate_cell,
    rate_words,
    reason_words,
    too_few,
)
from scoring.conversion import Goal, Share
from scoring.engine import model_of
from scoring.language.rules import Model
from scoring.language.sentences import count_phrase
from scoring.models import CalibrationRun, ScoringPolicy


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule as the table shows it."""

    figures: RuleFigures
    fired: Cell
    others: Cell
    lift: Cell
    accepted: Cell
    advice: str
    can_apply: bool


@dataclass(frozen=True, slots=True)
class FiringRow:
    """On how many of the leads a rule fires, then and now."""

    name: str
    before: float
    after: float
    before_words: str
    after_words: str


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """One reason for rejecting and the rules that had fired."""

    label: str
    n: int
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CalibrationPage:
    """Everything the page shows of a finished run for one goal."""

    run: CalibrationRun
    goal: Goal
    goal_words: str
    mature: Share
    left_out: tuple[str, ...]
    guard: str
    bands: Chart
    rankings: tuple[str, ...]
    rules: list[RuleRow]
    reasons: list[ReasonRow]
    drift: Chart | None
    drift_words: str
    firing: list[FiringRow]

    @property
    def can_apply(self) -> bool:
        return any(row.can_apply for row in self.rules)


def describe_calibration(run: CalibrationRun, *, goal: Goal, sort: str = "") -> CalibrationPage:
    """The finished run in words. The minimum of outcomes is the one in force now."""
    least = minimum_outcomes()
    found, model = found_by(run), model_of(run.version)
    counts = found.counts.goals[goal]
    mature = total_of(counts.by_score.values())
    rules = rule_figures(model, found.counts, goal, least=least)
    drift = drift_between(found.before, found.after, least=least)
    return CalibrationPage(
        run=run,
        goal=goal,
        goal_words=GOAL_WORDS[goal],
        mature=mature,
        left_out=_left_out(found, goal),
        guard="" if mature.n >= least else too_few(mature.n, least),
        bands=_bands_chart(bands_of(counts.by_score, least=least), goal, least=least),
        rankings=tuple(
            ranking_words(ranking_of(found.counts.goals[each], least=least), each, least=least)
            for each in (Goal.WON, Goal.QUALIFIED)
        ),
        rules=[_rule_row(each, least=least) for each in sorted_rules(rules, sort)],
        reasons=[_reason_row(each, least=least) for each in reason_figures(model, found.counts, least=least)],
        drift=_drift_chart(drift, found) if drift else None,
        drift_words=_drift_words(drift, found, least=least),
        firing=_firing_rows(model, found) if drift else [],
    )


def suggested_points(run: CalibrationRun, *, goal: Goal) -> dict[int, int]:
    """The points that the run suggests, by the id of the rule; 0 takes it out."""
    figures = rule_figures(model_of(run.version), found_by(run).counts, goal, least=minimum_outcomes())
    return {each.rule_id: each.suggested for each in figures if each.suggested is not None}


def minimum_outcomes() -> int:
    policy = ScoringPolicy.objects.first() or ScoringPolicy()
    return policy.min_outcomes


# --- Parts of the page ---------------------------------------------------------------------------


def _left_out(found: Found, goal: Goal) -> tuple[str, ...]:
    """Why hand-offs are not among the figures, with how many."""
    sentences = []
    immature, cycle = found.counts.goals[goal].immature, found.cycles.get(goal)
    if cycle is None:
        sentences.append(f"Nobody has become {GOAL_WORDS[goal]} yet, so no cycle is known.")
    else:
        words = f"Half of those that became {GOAL_WORDS[goal]} took {days_words(cycle)} or less"
        left = f"{count_phrase(immature, 'younger hand-off')} left out as immature"
        sentences.append(f"{words}; {left}.")
    if found.counts.left_out:
        sentences.append(
            f"{count_phrase(found.counts.left_out, 'hand-off')} left out as well: meant for another rep, or "
            "taken back before sales had decided."
        )
    return tuple(sentences)


def _bands_chart(bands: list[Band], goal: Goal, *, least: int) -> Chart:
    points = [_band_point(band, least=least) for band in bands]
    return bar_chart(
        f"Became {GOAL_WORDS[goal]}, by score at the hand-off",
        [Series(f"Became {GOAL_WORDS[goal]}", points)],
        x_label="Score",
        y_words=percentage,
        empty="There are too few outcomes to draw.",
    )


def _band_point(band: Band, *, least: int) -> Point:
    rate = band.rate
    if rate is None:
        return Point(band.label, None, note=too_few(band.counted.n, least))
    return Point(band.label, rate.share, rate.low, rate.high, note=f"{rate.yes:,} of {rate.n:,}")


def sorted_rules(rules: list[RuleFigures], sort: str) -> list[RuleFigures]:
    """By lift or by how often they fired, strongest first, those without a figure last; or as they stand."""
    if sort == "lift":
        return sorted(rules, key=lambda rule: -1 if rule.lift is None else rule.lift, reverse=True)
    if sort == "fired":
        return sorted(rules, key=lambda rule: rule.fired.n, reverse=True)
    return rules


def _rule_row(figures: RuleFigures, *, least: int) -> RuleRow:
    return RuleRow(
        figures=figures,
        fired=rate_cell(figures.fired_rate, figures.fired, least=least),
        others=rate_cell(figures.others_rate, figures.others, least=least),
        lift=lift_cell(figures, least=least),
        accepted=rate_cell(figures.accepted, figures.decided, least=least),
        advice=advice_words(figures, least=least),
        can_apply=figures.suggested is not None,
    )


def _reason_row(figures: ReasonFigures, *, least: int) -> ReasonRow:
    if figures.rules is None:
        sentences: tuple[str, ...] = (too_few(figures.n, least),)
    else:
        sentences = tuple(
            f"{name} fired in {rate_words(rate)}"
            + (f", against {percentage(base.share)} of all decided" if base else "")
            for name, rate, base in figures.rules
        )
    return ReasonRow(reason_words(figures.reason), figures.n, sentences)


def _drift_chart(drift: Drift, found: Found) -> Chart:
    sides = (("A quarter ago", drift.before, found.before), ("Now", drift.after, found.after))
    return bar_chart(
        "Leads by score",
        [
            Series(
                name,
                [
                    Point(label, count / snapshot.leads)
                    for label, count in zip(drift.labels, counted, strict=True)
                ],
            )
            for name, counted, snapshot in sides
        ],
        x_label="Score",
        y_words=percentage,
    )


def _drift_words(drift: Drift | None, found: Found, *, least: int) -> str:
    if drift is None:
        return f"Whether scores drift cannot be said yet. {too_few(found.before.leads, least)}" + (
            " leads were there a quarter ago."
        )
    return f"{VERDICT_WORDS[drift.verdict]} Population stability index {drift.index:.2f}."


def _firing_rows(model: Model, found: Found) -> list[FiringRow]:
    """Every rule that fires, those that changed most first; two of one name that fire alike are one row."""
    rows = set()
    for rule in model.rules:
        before = rate_of(Share(found.before.fired.get(rule.key, 0), found.before.leads))
        after = rate_of(Share(found.after.fired.get(rule.key, 0), found.after.leads))
        if before and after and (before.yes or after.yes):
            words = [f"{100 * rate.share:.1f} %" for rate in (before, after)]
            rows.add(FiringRow(rule.name, before.share, after.share, words[0], words[1]))
    return sorted(rows, key=lambda row: (-abs(row.after - row.before), row.name))
