"""One rule on a signal: how often it was seen, whether it holds, and what it gives."""

from __future__ import annotations

from scoring.compiling.layout import EVER_HOURS, SLOT_HOURS, Layout, gives_for_each, is_seen_or_not, seen
from scoring.compiling.scopes import hours
from scoring.language.rules import MAX_OCCURRENCES, PER_MILLE, BehaviourRule, RuleDecay


def count(slot: int, window: int | None, layout: Layout) -> str:
    since = layout.now_in(slot, ago=window or EVER_HOURS)
    return (
        f"CASE WHEN newest_{slot} > {since} THEN past_{slot} - width_bucket({since}, times) ELSE 0 END"
        f" AS {seen(slot, window)}"
    )


def last_seen(slot: int, layout: Layout) -> str:
    """When the signal of the slot was last seen; null if never."""
    return f"CASE WHEN newest_{slot} > {layout.now_in(slot, ago=EVER_HOURS)} THEN {newest(slot)} END"


def newest(slot: int) -> str:
    return f"newest_{slot} - {hours(slot * SLOT_HOURS)}"


def holds(rule: BehaviourRule, layout: Layout) -> str:
    """True, false, or null where the signal was never seen."""
    slot = layout.slot(rule.signal)
    if is_seen_or_not(rule):
        return f"newest_{slot} > {layout.now_in(slot, ago=rule.window_hours or EVER_HOURS)}"
    times = seen(slot, rule.window_hours)
    if rule.max_count is None:
        return f"{times} >= {rule.min_count}"
    return f"{times} BETWEEN {rule.min_count} AND {rule.max_count}"


def base_points(rule: BehaviourRule, layout: Layout) -> str:
    """What the rule itself gives, bounded by its cap, before fading."""
    if not rule.points:
        return "0"
    points = str(_bounded(rule.points, rule.cap))
    if gives_for_each(rule):
        times = seen(layout.slot(rule.signal), rule.window_hours)
        points = f"{rule.points} * least({times}, {MAX_OCCURRENCES})"
        if rule.cap is not None:
            points = f"least({rule.cap}, {points})" if rule.points > 0 else f"greatest(-{rule.cap}, {points})"
    return f"CASE WHEN {holds(rule, layout)} THEN {points} ELSE 0 END"


def faded_points(rule: BehaviourRule, layout: Layout) -> str:
    base = base_points(rule, layout)
    return f"(({base})::bigint * {left(rule)} / {PER_MILLE})::int" if rule.decay else base


def _bounded(points: int, cap: int | None) -> int:
    return points if cap is None else max(-cap, min(cap, points))


def left(rule: BehaviourRule) -> str:
    """The column with the share of the rule's points that fading left, in per mille."""
    return f"left_{rule.key}"


def left_of(rule: BehaviourRule, decay: RuleDecay, layout: Layout) -> str:
    """By the age of the last hit; intervals compare in days of 24 hours."""
    steps = decay.steps()
    if not steps:
        return str(PER_MILLE)
    slot = layout.slot(rule.signal)
    # The age in its slot is the age.
    age = f"{layout.now_in(slot)} - newest_{slot}"
    ages = ",".join(f'"{after} hours"' for after, _ in steps)
    kept = ",".join(str(per_mille) for per_mille in (PER_MILLE, *(kept for _, kept in steps)))
    return (
        f"CASE WHEN {holds(rule, layout)} THEN ('{{{kept}}}'::int[])"
        f"[1 + width_bucket({age}, '{{{ages}}}'::interval[])] ELSE {PER_MILLE} END"
    )
