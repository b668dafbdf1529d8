"""What time does to points: the decay simulator, by the rules themselves (SCORE-4). Pure.

Somebody does once what the rules ask for, and then nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence

from common.charts import Chart, Mark, Point, Series, line_chart
from scoring.language.arithmetic import capped_points, points_at, toward_zero
from scoring.language.rules import PER_MILLE, BehaviourRule, Effect, Model

MOST_LINES = 5  # more cannot be told apart


def engagement_after(model: Model, rules: Sequence[BehaviourRule], age_days: int) -> int:
    """The engagement of a lead who, so many whole days ago, did what these rules count just often enough for
    each, and nothing else before or since."""
    left = capped_points(model, [(rule, _faded(rule, age_days)) for rule in rules])
    earned, lost = sum(max(0, points) for points in left), sum(min(0, points) for points in left)
    kept = model_keeps(model, age_days) if any(rule.engages for rule in rules) else PER_MILLE
    return max(earned * kept // PER_MILLE, min(earned, model.decay_floor)) + lost


def model_keeps(model: Model, age_days: int) -> int:
    """Per mille of the earned points that the decay of the model leaves after so many days."""
    kept = PER_MILLE
    for step in model.decay:
        if age_days * 24 >= step.after_hours:
            kept = step.per_mille
    return kept


def _faded(rule: BehaviourRule, age_days: int) -> int:
    if rule.window_hours is not None and age_days * 24 >= rule.window_hours:
        return 0
    points = points_at(rule, rule.min_count)
    if rule.decay is not None:
        points = toward_zero(points * rule.decay.kept_after(age_days), PER_MILLE)
    return points


def rules_with_points(model: Model) -> list[BehaviourRule]:
    """The rules that can be simulated."""
    return [rule for rule in model.behaviour if rule.effect is Effect.POINTS]


def rules_to_show(model: Model, names: Sequence[str]) -> list[BehaviourRule]:
    """The rules of these names; without any, the fading ones and then those with the most points."""
    rules = rules_with_points(model)
    chosen = [rule for rule in rules if rule.name in names]
    if not chosen:
        chosen = sorted(rules, key=lambda rule: (rule.decay is None, -rule.points))
    return chosen[:MOST_LINES]


def decay_chart(model: Model, rules: Sequence[BehaviourRule], *, days: int) -> Chart:
    """Points against days: each rule by itself and, if there are several, all of them together."""
    lines = [(rule.name, [rule]) for rule in rules]
    if len(rules) > 1:
        lines.append(("All together", list(rules)))
    return line_chart(
        "Points against days without news",
        [Series(name, _steps(model, of, days)) for name, of in lines],
        x_label="Days",
        marks=[Mark(model.threshold, f"MQL from {model.threshold:,}")] if _near(model, rules) else [],
        steps=True,
        empty="No rule on a signal gives points yet.",
    )


def _near(model: Model, rules: Sequence[BehaviourRule]) -> bool:
    """Whether the threshold fits on a chart of these points without squeezing them."""
    return 0 < model.threshold <= 3 * max(1, engagement_after(model, rules, 0))


def _steps(model: Model, rules: Sequence[BehaviourRule], days: int) -> list[Point]:
    """The points on the days on which they change, and on the first and the last."""
    found: list[Point] = []
    for day in range(days + 1):
        points = engagement_after(model, rules, day)
        if not found or points != found[-1].y or day == days:
            found.append(Point(day, points))
    return found
