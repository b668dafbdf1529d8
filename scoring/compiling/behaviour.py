"""What the lead did, counted rule by rule and summed up."""

from __future__ import annotations

from collections.abc import Callable

from scoring.compiling.changes import changes_at
from scoring.compiling.fit import capped, sum_of
from scoring.compiling.layout import EVER_HOURS, SLOT_HOURS, Layout, cut, gives_for_each, is_seen_or_not, seen
from scoring.compiling.scopes import Scope, hours, level
from scoring.rules import MAX_OCCURRENCES, PER_MILLE, BehaviourRule, Effect, Model, RuleDecay


def behaviour(model: Model, layout: Layout, scope: Scope) -> str:
    """One row per lead and moment, with `earned`, `lost`, the last times that matter, and `changes_at`."""
    slots = range(len(layout.signals))
    past = [f"width_bucket(until_{slot}, times) AS past_{slot}" for slot in slots]
    last = [
        f"CASE WHEN times[past_{slot}] > floor_{slot}"
        f" THEN times[past_{slot}] - {hours(slot * SLOT_HOURS)} END AS last_{slot}"
        for slot in slots
    ]
    counts = [_count(slot, window) for slot, window in layout.counted]
    fading = [rule for rule in model.behaviour if rule.decay]
    given = [f"{_given(rule, layout)} AS {_base(rule)}" for rule in fading]
    shares = [f"{_left(rule, rule.decay, layout)} AS {_left_name(rule)}" for rule in fading if rule.decay]
    source = _joined(scope)
    for columns in (past, last, counts, given, shares):
        source = level(columns, source) if columns else source
    return level(_summed(model, layout, scope), source)


def _joined(scope: Scope) -> str:
    if scope is Scope.PAIRS:
        return (
            "SELECT * FROM fits JOIN moments USING (lead_id, as_of)"
            " LEFT JOIN histories USING (lead_id, as_of)"
        )
    if scope is Scope.MOMENTS:
        return (
            "SELECT fits.*, moments.*, histories.times\n"
            "FROM fits JOIN moments ON moments.as_of BETWEEN fits.first_at AND fits.last_at\n"
            "LEFT JOIN histories ON histories.lead_id = fits.lead_id"
            " AND moments.as_of BETWEEN histories.first_at AND histories.last_at"
        )
    return (
        "SELECT fits.*, moments.*, histories.times, histories.ahead\n"
        "FROM moments CROSS JOIN fits LEFT JOIN histories ON histories.lead_id = fits.lead_id"
    )


# One rule


def _count(slot: int, window: int | None) -> str:
    since, latest = (f"floor_{slot}", EVER_HOURS) if window is None else (f"since_{slot}_{window}", window)
    return (
        f"CASE WHEN last_{slot} > {cut(latest)} THEN past_{slot} - width_bucket({since}, times) ELSE 0 END"
        f" AS {seen(slot, window)}"
    )


def holds(rule: BehaviourRule, layout: Layout) -> str:
    """True, false, or null where the signal was never seen."""
    slot = layout.slot(rule.signal)
    if is_seen_or_not(rule):
        return f"last_{slot} > {cut(rule.window_hours or EVER_HOURS)}"
    count = seen(slot, rule.window_hours)
    if rule.max_count is None:
        return f"{count} >= {rule.min_count}"
    return f"{count} BETWEEN {rule.min_count} AND {rule.max_count}"


def base_points(rule: BehaviourRule, layout: Layout) -> str:
    """What the rule itself gives, bounded by its cap, before fading."""
    return _base(rule) if rule.decay else _given(rule, layout)


def faded_points(rule: BehaviourRule, layout: Layout) -> str:
    if not rule.decay:
        return _given(rule, layout)
    return f"({_base(rule)}::bigint * {_left_name(rule)} / {PER_MILLE})::int"


def _given(rule: BehaviourRule, layout: Layout) -> str:
    points = str(_bounded(rule.points, rule.cap))
    if gives_for_each(rule):
        points = (
            f"{rule.points} * least({seen(layout.slot(rule.signal), rule.window_hours)}, {MAX_OCCURRENCES})"
        )
        if rule.cap is not None:
            points = f"least({rule.cap}, {points})" if rule.points > 0 else f"greatest(-{rule.cap}, {points})"
    return f"CASE WHEN {holds(rule, layout)} THEN {points} ELSE 0 END" if rule.points else "0"


def _bounded(points: int, cap: int | None) -> int:
    return points if cap is None else max(-cap, min(cap, points))


def _base(rule: BehaviourRule) -> str:
    return f"base_{rule.key}"


def _left_name(rule: BehaviourRule) -> str:
    return f"left_{rule.key}"


def _left(rule: BehaviourRule, decay: RuleDecay, layout: Layout) -> str:
    """Per mille of the points left at the age of the last hit; intervals compare in days of 24 hours."""
    steps = decay.steps()
    if not steps:
        return str(PER_MILLE)
    ages = ",".join(f'"{after} hours"' for after, _ in steps)
    kept = ",".join(str(per_mille) for per_mille in (PER_MILLE, *(kept for _, kept in steps)))
    age = f"as_of - last_{layout.slot(rule.signal)}"
    return (
        f"CASE WHEN {_base(rule)} <> 0 THEN ('{{{kept}}}'::int[])"
        f"[1 + width_bucket({age}, '{{{ages}}}'::interval[])] ELSE {PER_MILLE} END"
    )


# All rules


def _summed(model: Model, layout: Layout, scope: Scope) -> list[str]:
    gains = {rule: faded_points(rule, layout) for rule in model.behaviour if rule.points > 0}
    losses = {rule: faded_points(rule, layout) for rule in model.behaviour if rule.points < 0}
    against = [holds(rule, layout) for rule in model.behaviour if rule.effect is Effect.DISQUALIFIES]
    engaging = sorted({layout.slot(rule.signal) for rule in model.behaviour if rule.engages})
    columns = [
        f"({sum_of(capped(gains, model.groups))})::bigint AS earned",
        f"({sum_of(capped(losses, model.groups))})::bigint AS lost",
        f"{_latest([f'last_{slot}' for slot in engaging])} AS engaged_at",
        f"coalesce({' OR '.join(against) or 'false'}, false) AS behaviour_disqualifies",
        f"{changes_at(model, layout, scope)} AS changes_at",
    ]
    for name, counts in _VERDICTS.items():
        times = [
            f"CASE WHEN {holds(rule, layout)} THEN last_{layout.slot(rule.signal)} END"
            for rule in model.behaviour
            if counts(rule)
        ]
        columns.append(f"{_latest(times)} AS {name}")
    return columns


_VERDICTS: dict[str, Callable[[BehaviourRule], bool]] = {
    "signalled_at": lambda rule: rule.is_clear_signal,
    "instant_at": lambda rule: rule.effect is Effect.INSTANT_MQL,
    "raised_at": lambda rule: rule.explicit,
}


def _latest(times: list[str]) -> str:
    # GREATEST ignores NULL, which is wanted here: the latest of those there are.
    return f"greatest({', '.join(times)})" if times else "NULL::timestamptz"
