"""How the points of one rule fade while its signal is not seen again (SCORE-4). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, localcontext
from enum import StrEnum
from functools import lru_cache

from scoring.language.terms import MAX_DAYS, PER_MILLE, RuleRefused


class Shape(StrEnum):
    """How the points of one rule fade while its signal is not seen again (SCORE-4)."""

    STEP = "step"
    LINEAR = "linear"
    HALF_LIFE = "half_life"


@dataclass(frozen=True, slots=True)
class RuleDecay:
    """How the points of one rule fade with the whole days since its signal was last seen.

    STEP loses `percent` of the points after every `days`; LINEAR fades to nothing over `days`, its loss in
    whole per mille rounded towards zero; HALF_LIFE halves every `days`, to the nearest whole per mille. None
    falls below `floor_percent`.
    """

    shape: Shape
    days: int
    percent: int = 0
    floor_percent: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise RuleRefused(f"Points can fade over 1 to {MAX_DAYS:,} days.")
        if self.shape is Shape.STEP and not 1 <= self.percent <= 100:
            raise RuleRefused("A step must take from 1 to 100 % of the points.")
        if self.shape is not Shape.STEP and self.percent:
            raise RuleRefused("Only fading in steps takes a percentage: leave it empty, or choose steps.")
        if not 0 <= self.floor_percent <= 99:
            raise RuleRefused("Fading can leave from 0 to 99 % of the points.")

    def kept_after(self, age_days: int) -> int:
        """Per mille of the points left after so many whole days; never rises with the days, and stays as it
        is from the longest span on that a rule may name."""
        age_days = min(age_days, MAX_DAYS)
        if self.shape is Shape.STEP:
            kept = PER_MILLE - age_days // self.days * self.percent * 10
        elif self.shape is Shape.LINEAR:
            kept = PER_MILLE - PER_MILLE * age_days // self.days
        else:
            kept = _halved(age_days, self.days)
        return max(kept, self.floor_percent * 10)

    def steps(self) -> tuple[tuple[int, int], ...]:
        """(hours, per mille kept from then on) wherever that changes, in order; never at hour 0."""
        return _steps(self)


@lru_cache(maxsize=512)
def _steps(decay: RuleDecay) -> tuple[tuple[int, int], ...]:
    """Kept, as a half-life of years takes thousands of powers."""
    steps, before = [], PER_MILLE
    for age_days in range(1, MAX_DAYS + 1):
        kept = decay.kept_after(age_days)
        if kept != before:
            steps.append((age_days * 24, kept))
            before = kept
        if kept <= decay.floor_percent * 10:
            break
    return tuple(steps)


def _halved(age_days: int, half_life_days: int) -> int:
    """1000 × 2^(−age / half-life), rounded to the nearest whole: exact decimals, so every machine agrees."""
    with localcontext() as context:
        context.prec = 40
        kept = PER_MILLE * Decimal(2) ** (Decimal(-age_days) / half_life_days)
        return int(kept.to_integral_value(ROUND_HALF_UP))
