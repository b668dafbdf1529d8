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
from scoring.language.rules import BehaviourRule, Effect, Model

SLOT_HOURS = 1_000 * 8_766
# Longer ago than any hit, and far less than a slot.
EVER_HOURS = 400 * 8_766


@dataclass(frozen=True, slots=True)
class Layout:
    """The signals in order, and what is counted of each: spans of hours, None for ever."""

    scope: Scope
    signals: tuple[int, ...]
    counted: tuple[tuple[int, int | None], ...]

    def slot(self, signal: int) -> int:
        return self.signals.index(signal)

    def now_in(self, slot: int, *, ago: int = 0) -> str:
        """The moment, so many hours ago, in a slot.

        Where one moment is for all leads this is a constant to the planner: unlike timestamptz, timestamps
        without a zone are added up before the statement runs. Otherwise it is a column of `moments`.
        """
        shift = slot * SLOT_HOURS - ago
        if self.scope.tells_moment:
            return _moved(shift)
        return f"(({AS_OF} AT TIME ZONE 'UTC' + {hours(shift)}) AT TIME ZONE 'UTC')"


def layout_of(model: Model, scope: Scope, *, ledger: bool) -> Layout:
    signals = tuple(sorted({rule.signal for rule in model.behaviour}))
    counted = {
        (signals.index(rule.signal), rule.window_hours)
        for rule in model.behaviour
        if ledger or not is_seen_or_not(rule)
    }
    return Layout(scope, signals, tuple(sorted(counted, key=lambda window: (window[0], window[1] or 0))))


def is_seen_or_not(rule: BehaviourRule) -> bool:
    """Whether all that matters is the last time the signal was seen: nothing need be counted."""
    return rule.min_count == 1 and rule.max_count is None and not gives_for_each(rule)


def gives_for_each(rule: BehaviourRule) -> bool:
    return rule.each and rule.effect is Effect.POINTS and rule.points != 0


def seen(slot: int, window_hours: int | None) -> str:
    """The column with the number of hits of the slot's signal in the window."""
    return f"seen_{slot}_{window_hours or 'ever'}"


def moments(model: Model, layout: Layout) -> str:
    """The moments, each with all that `now_in` names: worked out once for all leads."""
    if not layout.scope.tells_moment:
        return f"SELECT {AS_OF} AS as_of"
    slots = range(len(layout.signals) + 1)
    shifts = {slot * SLOT_HOURS - ago for slot in slots for ago in (0, EVER_HOURS)}
    for rule in model.behaviour:
        shifts.add(layout.slot(rule.signal) * SLOT_HOURS - (rule.window_hours or EVER_HOURS))
    columns = [f"as_of + {hours(shift)} AS {_moved(shift)}" for shift in sorted(shifts)]
    return f"SELECT {', '.join(['*', *columns])}\nFROM ({_MOMENTS[layout.scope]}) moment"


def _moved(shift: int) -> str:
    return f"later_{shift}" if shift >= 0 else f"earlier_{-shift}"


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
