"""How a lead's hits lie in one sorted array, and the cuts that are looked up in it.

Each signal of the model has a slot, a thousand years long: a hit is kept as its time moved into the slot of
its signal. So the array is ordered by signal and time, and a binary search for a moment in a slot tells how
many hits lie before it. The reach of a timestamp, 294,000 years, holds more slots than a model can have
rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.compiling.scopes import AS_OF, POINTS, Scope, hours
from scoring.rules import BehaviourRule, Effect, Model

SLOT_HOURS = 1_000 * 8_766
# Longer ago than any hit, and far less than a slot.
EVER_HOURS = 400 * 8_766


@dataclass(frozen=True, slots=True)
class Layout:
    """The signals in order, and what is counted of each: spans of hours, None for ever."""

    signals: tuple[int, ...]
    counted: tuple[tuple[int, int | None], ...]
    cuts: tuple[int, ...]

    def slot(self, signal: int) -> int:
        return self.signals.index(signal)


def layout_of(model: Model, *, ledger: bool) -> Layout:
    signals = tuple(sorted({rule.signal for rule in model.behaviour}))
    counted = {
        (rule.signal, rule.window_hours) for rule in model.behaviour if ledger or not is_seen_or_not(rule)
    }
    cuts = {rule.window_hours or EVER_HOURS for rule in model.behaviour}
    cuts |= {step.after_hours for step in model.decay} | {model.signal_hours}
    return Layout(
        signals,
        tuple(sorted(((signals.index(signal), window) for signal, window in counted), key=_order)),
        tuple(sorted(cuts)),
    )


def _order(window: tuple[int, int | None]) -> tuple[int, int]:
    return window[0], window[1] or 0


def is_seen_or_not(rule: BehaviourRule) -> bool:
    """Whether all that matters is the last time the signal was seen: nothing need be counted."""
    return rule.min_count == 1 and rule.max_count is None and not gives_for_each(rule)


def gives_for_each(rule: BehaviourRule) -> bool:
    return rule.each and rule.effect is Effect.POINTS and rule.points != 0


def seen(slot: int, window_hours: int | None) -> str:
    """The column with the number of hits of the slot's signal in the window."""
    return f"seen_{slot}_{window_hours or 'ever'}"


def cut(span_hours: int) -> str:
    """The column with the moment so many hours ago: later is inside."""
    return f"cut_{span_hours}"


def moments(layout: Layout, scope: Scope) -> str:
    """The moments, each with its cuts: worked out once for all leads, where a moment is for all leads."""
    columns = [f"as_of - {hours(span)} AS {cut(span)}" for span in layout.cuts]
    for slot in range(len(layout.signals)):
        columns += [
            f"as_of + {hours(slot * SLOT_HOURS)} AS until_{slot}",
            f"as_of + {hours(slot * SLOT_HOURS - EVER_HOURS)} AS floor_{slot}",
        ]
    columns += [
        f"as_of + {hours(slot * SLOT_HOURS - window)} AS since_{slot}_{window}"
        for slot, window in layout.counted
        if window is not None
    ]
    source = _MOMENTS.get(scope, f"SELECT {AS_OF} AS as_of")
    return f"SELECT {', '.join(['*', *columns])}\nFROM ({source}) moment"


_MOMENTS = {
    Scope.MOMENTS: f"SELECT DISTINCT as_of FROM unnest({POINTS}) as_of",
    Scope.PAIRS: (
        "SELECT DISTINCT lead_id, as_of"
        " FROM unnest(%(leads)s::bigint[], %(moments)s::timestamptz[]) pair (lead_id, as_of)"
    ),
}


def packed(signals: Sequence[int], *, first_slot: int = 0) -> str:
    """A hit's time in the slot of its signal: found by halving, as there may be many signals."""
    if len(signals) == 1:
        return hours(first_slot * SLOT_HOURS)
    half = len(signals) // 2
    return (
        f"CASE WHEN signal_id < {signals[half]} THEN {packed(signals[:half], first_slot=first_slot)}"
        f" ELSE {packed(signals[half:], first_slot=first_slot + half)} END"
    )
