"""What the lead did, rule by rule, summed up."""

from __future__ import annotations

from collections.abc import Callable

from scoring.compiling.changes import changes_at
from scoring.compiling.counting import count, faded_points, holds, last_seen, left, left_of, newest
from scoring.compiling.fit import capped, factor, factor_of, sum_of
from scoring.compiling.layout import Layout
from scoring.compiling.scopes import Scope, level
from scoring.language.rules import BehaviourRule, Effect, FitRule, Model


def behaviour(model: Model, layout: Layout, *, ledger: bool) -> str:
    """One row per lead and moment, with `earned`, `lost`, the last times that matter, and `changes_at`.

    On the way there `past_…` is where the hits of a slot end at the moment, and `newest_…` the hit there: the
    last of its slot, or of one before if it has none, which is longer ago than any window.
    """
    slots = range(len(layout.signals))
    past = [f"width_bucket({layout.now_in(slot)}, times) AS past_{slot}" for slot in slots]
    newest = [f"times[past_{slot}] AS newest_{slot}" for slot in slots]
    counts = [count(slot, window, layout) for slot, window in layout.counted]
    shares = [
        f"{left_of(rule, rule.decay, layout)} AS {left(rule)}" for rule in model.behaviour if rule.decay
    ]
    source = _joined(layout.scope)
    for columns in (past, newest, counts, shares):
        source = level(columns, source) if columns else source
    keys = ["lead_id", "as_of", "returned_at", "fit", "fit_disqualifies"]
    keys += [factor(rule) for rule in model.multipliers if isinstance(rule, FitRule)]
    return level(_summed(model, layout), source, keep=["*"] if ledger else keys)


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


def _summed(model: Model, layout: Layout) -> list[str]:
    gains = {rule: faded_points(rule, layout) for rule in model.behaviour if rule.points > 0}
    losses = {rule: faded_points(rule, layout) for rule in model.behaviour if rule.points < 0}
    against = [holds(rule, layout) for rule in model.behaviour if rule.effect is Effect.DISQUALIFIES]
    # Only the decay of the model asks when the lead was last engaged.
    engaging = {layout.slot(rule.signal) for rule in model.behaviour if rule.engages and model.decay}
    columns = [
        f"({sum_of(capped(gains, model.groups))})::bigint AS earned",
        f"({sum_of(capped(losses, model.groups))})::bigint AS lost",
        f"{_latest([last_seen(slot, layout) for slot in sorted(engaging)])} AS engaged_at",
        f"coalesce({' OR '.join(against) or 'false'}, false) AS behaviour_disqualifies",
        f"{changes_at(model, layout)} AS changes_at",
    ]
    for name, counts in _VERDICTS.items():
        times = [
            f"CASE WHEN {holds(rule, layout)} THEN {newest(layout.slot(rule.signal))} END"
            for rule in model.behaviour
            if counts(rule)
        ]
        columns.append(f"{_latest(times)} AS {name}")
    multipliers = [rule for rule in model.behaviour if rule.effect is Effect.MULTIPLIES]
    return columns + [factor_of(rule, holds(rule, layout)) for rule in multipliers]


_VERDICTS: dict[str, Callable[[BehaviourRule], bool]] = {
    "signalled_at": lambda rule: rule.is_clear_signal,
    "instant_at": lambda rule: rule.effect is Effect.INSTANT_MQL,
    "raised_at": lambda rule: rule.explicit,
}


def _latest(times: list[str]) -> str:
    # GREATEST ignores NULL, which is wanted here: the latest of those there are.
    return f"greatest({', '.join(times)})" if times else "NULL::timestamptz"
