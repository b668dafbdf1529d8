"""Why one version passes a lead at a moment and another does not, in one line. Pure; names no person."""

from __future__ import annotations

from collections import Counter

from scoring.language.results import Result
from scoring.language.rules import Formula, Model
from scoring.language.sentences import count_phrase, signed

MOST_RULES = 2

Scored = tuple[Model, Result | None]


def why_passed(passes: str, passed: Scored, fails: str, failed: Scored | None) -> str:
    """Such as "Draft: 61 points. Active: 41 of the 50 points needed. Webinar attended +20 instead of 0." """
    model, result = passed
    if result is None:
        return ""
    words = [f"{passes}: {count_phrase(result.total, 'point')}."]
    if failed is None:
        return words[0]
    other_model, other = failed
    words.append(f"{fails}: {what_is_missing(other_model, other)}.")
    if other is not None:
        words += _differences(_by_rule(model, result), _by_rule(other_model, other))
    return " ".join(words)


def what_is_missing(model: Model, result: Result | None) -> str:
    """The first thing, in the order of the checklist, that keeps the lead from being an MQL."""
    if result is None:
        return "not known then"
    if result.has_red_flag:
        return "a red flag"
    if not result.icp_match:
        return f"no ICP match, {result.fit} of {model.icp_from} fit points"
    if not result.has_signal:
        return "no clear signal of interest"
    if model.formula is not Formula.CHECKLIST and result.total < model.threshold:
        return f"{result.total} of the {count_phrase(model.threshold, 'point')} needed"
    return count_phrase(result.total, "point")


def _by_rule(model: Model, result: Result) -> Counter[str]:
    """Points by the name of the rule, which a copy of a version keeps while its ids change."""
    names = {rule.key: rule.name for rule in model.rules}
    points: Counter[str] = Counter()
    for line in result.lines:
        points[names.get(line.rule_id, "")] += line.points
    return points


def _differences(mine: Counter[str], others: Counter[str]) -> list[str]:
    """The rules whose points differ most; a rule that gives none shows as 0."""
    differing = [name for name in {**mine, **others} if mine[name] != others[name]]
    differing.sort(key=lambda name: (-abs(mine[name] - others[name]), name))
    return [
        f"{name} {_points(mine[name])} instead of {_points(others[name])}." for name in differing[:MOST_RULES]
    ]


def _points(points: int) -> str:
    return signed(points) if points else "0"
