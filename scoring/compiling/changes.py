"""When the score changes by itself (SCORE-4): never late; early only where a cap or rounding hides a change.

A rule changes when a hit dated in the future arrives, when a hit leaves its window, and when its points fade.
The time of the model's own decay is in `scoring.compiling.verdicts`.
"""

from __future__ import annotations

from scoring.compiling.counting import base_points, left
from scoring.compiling.layout import EVER_HOURS, SLOT_HOURS, Layout, gives_for_each, is_seen_or_not, seen
from scoring.compiling.scopes import Scope, hours
from scoring.language.rules import PER_MILLE, BehaviourRule, Model, RuleDecay


def changes_at(model: Model, layout: Layout) -> str:
    """Null for MOMENTS: a backtest asks what was, not when to look again."""
    if layout.scope is Scope.MOMENTS:
        return "NULL::timestamptz"
    slots = range(len(layout.signals))
    moments = [_earliest("ahead", [_arrival(slot, layout) for slot in slots])]
    moments += [_changes_of(slot, model, layout) for slot in slots]
    return f"least({', '.join(moments)})" if layout.signals else "NULL::timestamptz"


def _changes_of(slot: int, model: Model, layout: Layout) -> str:
    """Of all rules on one signal; most leads have not seen most signals, so that is asked first."""
    rules = [rule for rule in model.behaviour if layout.slot(rule.signal) == slot]
    moments = list(dict.fromkeys(_leaving(rule, layout) for rule in rules if rule.window_hours))
    moments += [_fading(rule, rule.decay, layout) for rule in rules if rule.decay]
    widest = max(rule.window_hours or EVER_HOURS for rule in rules)
    return _earliest(f"newest_{slot} > {layout.now_in(slot, ago=widest)}", moments)


def _earliest(condition: str, moments: list[str]) -> str:
    # LEAST ignores NULL, which is wanted here: the earliest of the moments there are.
    return f"CASE WHEN {condition} THEN least({', '.join(moments or ['NULL::timestamptz'])}) END"


def _arrival(slot: int, layout: Layout) -> str:
    following = f"times[past_{slot} + 1]"
    ends = layout.now_in(slot + 1, ago=EVER_HOURS)
    return f"CASE WHEN {following} < {ends} THEN {following} - {hours(slot * SLOT_HOURS)} END"


def _leaving(rule: BehaviourRule, layout: Layout) -> str:
    """The hit whose leaving changes what the rule gives: the oldest where each counts, else the n-th newest,
    without which there are too few; and where there are too many, the one that makes them few enough."""
    slot, window = layout.slot(rule.signal), rule.window_hours or 0
    if is_seen_or_not(rule):
        held = f"newest_{slot} > {layout.now_in(slot, ago=window)}"
        return f"CASE WHEN {held} THEN newest_{slot} + {hours(window - slot * SLOT_HOURS)} END"
    count = seen(slot, window)
    oldest = f"{count} - 1" if gives_for_each(rule) else str(rule.min_count - 1)
    moved = hours(window - slot * SLOT_HOURS)
    cases = f"WHEN {count} >= {rule.min_count} THEN times[past_{slot} - ({oldest})]"
    if rule.max_count is not None:
        cases = f"WHEN {count} > {rule.max_count} THEN times[past_{slot} - {rule.max_count}] {cases}"
    return f"CASE {cases} END + {moved}"


def _fading(rule: BehaviourRule, decay: RuleDecay, layout: Layout) -> str:
    """The first age at which the points of the rule are fewer than now: those that keep, rounded towards
    zero, fewer points are all behind the last that keeps as many. Per mille rises in the array."""
    steps = decay.steps()
    if not steps:
        return "NULL::timestamptz"
    slot, kept_now = layout.slot(rule.signal), left(rule)
    base = f"abs({base_points(rule, layout)})::bigint"
    ages = ",".join(f'"{after - slot * SLOT_HOURS} hours"' for after, _ in reversed(steps))
    kept = ",".join(str(per_mille) for _, per_mille in reversed(steps))
    enough = f"({base} * {kept_now} / {PER_MILLE} * {PER_MILLE} - 1) / {base}"
    return (
        f"CASE WHEN {base} * {kept_now} >= {PER_MILLE} THEN newest_{slot}"
        f" + ('{{{ages}}}'::interval[])[width_bucket({enough}, '{{{kept}}}'::bigint[])] END"
    )
