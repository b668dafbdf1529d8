"""The ledger: what each rule added to the sum, when rules are added one after the other (SCORE-7)."""

from __future__ import annotations

from scoring.compiling.counting import base_points, faded_points, holds, newest
from scoring.compiling.fit import fit_holds
from scoring.compiling.layout import SLOT_HOURS, Layout, seen
from scoring.compiling.scopes import hours
from scoring.compiling.verdicts import decayed, readiness, weighted
from scoring.language.rules import BehaviourRule, FitRule, Model

_NO_LINES = "SELECT '[]' AS ledger"

# `spent` is what the rules of a group gave so far, this one included.
_STEPS = """\
SELECT line.*, CASE WHEN cap IS NULL THEN points ELSE
    greatest(-cap, least(cap, spent)) - greatest(-cap, least(cap, spent - points)) END AS step
FROM (
  SELECT line.*, sum(points) OVER (PARTITION BY family ORDER BY turn) AS spent
  FROM (VALUES
    {rules}
  ) line (turn, key, family, cap, of_fit, base, points, readied, seen, first_at, last_at, holds)
  WHERE holds OR seen > 0
) line"""

_SUMS = """\
SELECT line.*,
  coalesce(sum(step) FILTER (WHERE of_fit) OVER so_far, 0)::bigint AS fit_now,
  coalesce(sum(step) FILTER (WHERE NOT of_fit AND step > 0) OVER so_far, 0)::bigint AS earned_now,
  coalesce(sum(step) FILTER (WHERE NOT of_fit AND step < 0) OVER so_far, 0)::bigint AS lost_now
FROM (
{steps}
) line WINDOW so_far AS (ORDER BY turn)"""


def lines(model: Model, layout: Layout) -> str:
    """One row with the column `ledger`, for a row of `judged`: JSON, a list of `[rule key, base points,
    points, count, first, last, holds]`, of the rules that hold and those whose signal was seen in the window.
    """
    if not model.rules:
        return _NO_LINES
    factors = model.multipliers
    in_turn = [rule for rule in model.rules if rule not in factors] + list(factors)
    rules = ",\n    ".join(_row(turn, rule, model, layout) for turn, rule in enumerate(in_turn))
    engagement = f"({decayed(model, 'earned_now')} + lost_now)"
    ready = f"coalesce(readied, greatest(fit_now + {engagement}, 0))"
    return (
        "SELECT coalesce(json_agg(json_build_array("
        "key, base, sum_now - sum_before, seen, first_at, last_at, holds"
        ") ORDER BY turn)::text, '[]') AS ledger\nFROM (\n"
        "SELECT *, lag(sum_now, 1, 0::bigint) OVER (ORDER BY turn) AS sum_before\nFROM (\n"
        f"SELECT *, {weighted(model, 'fit_now', engagement, ready)} AS sum_now\nFROM (\n"
        f"{_SUMS.format(steps=_STEPS.format(rules=rules))}\n) line OFFSET 0) line\n) line"
    )


def _row(turn: int, rule: FitRule | BehaviourRule, model: Model, layout: Layout) -> str:
    caps = {group.key: group.cap for group in model.groups}
    family, cap = ("NULL", "NULL") if rule.group is None else (str(rule.group), str(caps[rule.group]))
    readied = "NULL"
    if rule in model.multipliers:
        readied = readiness(model, model.multipliers[: model.multipliers.index(rule) + 1])
    if isinstance(rule, FitRule):
        evidence = _fit_evidence(rule, readied)
    else:
        evidence = _behaviour_evidence(rule, readied, layout)
    columns = [str(turn), str(rule.key), family, cap, *evidence]
    kinds = _KINDS.values()
    return f"({', '.join(f'({column})::{kind}' for column, kind in zip(columns, kinds, strict=True))})"


def _fit_evidence(rule: FitRule, readied: str) -> list[str]:
    flag = fit_holds(rule)
    points = f"CASE WHEN {flag} THEN {rule.points} ELSE 0 END"
    return ["true", str(rule.points), points, readied, f"{flag}::int", "NULL", "NULL", flag]


def _behaviour_evidence(rule: BehaviourRule, readied: str, layout: Layout) -> list[str]:
    slot = layout.slot(rule.signal)
    count = seen(slot, rule.window_hours)
    return [
        "false",
        base_points(rule, layout),
        faded_points(rule, layout),
        readied,
        count,
        f"CASE WHEN {count} > 0 THEN times[past_{slot} - {count} + 1] - {hours(slot * SLOT_HOURS)} END",
        f"CASE WHEN {count} > 0 THEN {newest(slot)} END",
        f"coalesce({holds(rule, layout)}, false)",
    ]


_KINDS = {
    "turn": "int",
    "key": "bigint",
    "family": "bigint",
    "cap": "bigint",
    "of_fit": "boolean",
    "base": "bigint",
    "points": "bigint",
    "readied": "bigint",
    "seen": "int",
    "first_at": "timestamptz",
    "last_at": "timestamptz",
    "holds": "boolean",
}
