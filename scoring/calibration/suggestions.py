"""What a rule should be worth, by what became of the leads on which it fired. Pure.

1. The effect of a rule is the odds ratio of converting between leads with it and without it *that scored
   alike otherwise*: the common odds ratio of Mantel and Haenszel (1959) over strata of the remaining score,
   with the variance of Robins, Breslow and Greenland (1986), Biometrics 42:311. Without the strata a rule
   would be praised for what fires together with it.
2. Points are log-odds times a factor, as in scorecards (Siddiqi 2006, ch. 6). The factor is the model's own:
   the one by which all effects together, less what chance adds to them, are as large as all points together
   are now. So the sum of points stays on the scale of the threshold. The slope of conversion on the score
   would be no such factor: where the points are wrong it is near zero.
3. Of little evidence little is believed: each effect is drawn towards what the rule's points say now, the
   more so the larger its variance is against the spread of all rules around that (empirical Bayes, Efron and
   Morris 1975, J. Am. Stat. Assoc. 70:311).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log, sqrt

from scoring.conversion import Share
from scoring.intervals import Interval, normal_quantile


@dataclass(frozen=True, slots=True)
class Effect:
    """A logarithm of odds with its standard error."""

    log_odds: float
    error: float

    @property
    def interval(self) -> Interval:
        reach = normal_quantile() * self.error
        return self.log_odds - reach, self.log_odds + reach

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out "no effect"."""
        low, high = self.interval
        return low > 0 or high < 0


def common_effect(strata: Iterable[tuple[Share, Share]]) -> Effect | None:
    """The common log odds ratio of the first of each pair over the second; None if they say nothing."""
    r_sum = s_sum = pr = ps_qr = qs = 0.0
    for fired, others in strata:
        n = fired.n + others.n
        if not fired.n or not others.n:
            continue
        a, b, c, d = fired.yes, fired.n - fired.yes, others.yes, others.n - others.yes
        p, q, r, s = (a + d) / n, (b + c) / n, a * d / n, b * c / n
        r_sum, s_sum = r_sum + r, s_sum + s
        pr, ps_qr, qs = pr + p * r, ps_qr + p * s + q * r, qs + q * s
    if not r_sum or not s_sum:
        return None
    variance = pr / (2 * r_sum**2) + ps_qr / (2 * r_sum * s_sum) + qs / (2 * s_sum**2)
    return Effect(log(r_sum / s_sum), sqrt(variance))


def points_per_log_odds(effects: Sequence[Effect], points: Sequence[float]) -> float | None:
    """The model's own factor; None if chance alone explains the effects."""
    beyond_chance = sum(effect.log_odds**2 - effect.error**2 for effect in effects)
    if beyond_chance <= 0 or not any(points):
        return None
    return sqrt(sum(given**2 for given in points) / beyond_chance)


def spread_of(effects: Sequence[Effect], expected: Sequence[float]) -> float:
    """The variance of the true effects around what is expected, by the method of moments; 0 if chance alone
    explains how far they lie apart."""
    if not effects:
        return 0.0
    excess = [
        (effect.log_odds - mean) ** 2 - effect.error**2
        for effect, mean in zip(effects, expected, strict=True)
    ]
    return max(0.0, sum(excess) / len(excess))


def drawn_towards(expected: float, effect: Effect, *, spread: float) -> float:
    """The effect that evidence and expectation make together, each by its weight."""
    weight = spread / (spread + effect.error**2) if spread else 0.0
    return weight * effect.log_odds + (1 - weight) * expected
