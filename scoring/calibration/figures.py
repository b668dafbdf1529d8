"""The figures of a calibration, from its counts: shares by score band, lift and suggested points of each
rule, how well the score ranks. Pure.

Below `least` outcomes a figure is None, and the page says "Too few outcomes" (SCORE-15).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import inf

from scoring.calibration.counts import STRATUM, Counts, GoalCounts, total_of
from scoring.calibration.suggestions import Effect as Odds
from scoring.calibration.suggestions import common_effect, drawn_towards, points_per_log_odds, spread_of
from scoring.conversion import Goal, Share
from scoring.intervals import Interval, auc_interval, roc_auc, share_ratio, wilson
from scoring.language.rules import BehaviourRule, Effect, FitRule, Model
from scoring.language.sentences import rule_sentence

MOST_BANDS = 8
WIDTHS = (5, 10, 20, 25, 50, 100, 200, 250, 500)
# Of fewer the intervals of a ranking and of a lift, which are approximations, mean nothing.
FEWEST_OF_A_KIND = 5
# So many of a hundred scores on either end do not decide how wide the bands are.
TAIL = 2


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % interval."""

    yes: int
    n: int
    share: float
    low: float
    high: float


def rate_of(share: Share, *, least: int = 1) -> Rate | None:
    if share.n < max(1, least):
        return None
    return Rate(share.yes, share.n, share.yes / share.n, *wilson(share.yes, share.n))


# --- Score bands ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """Scores from `low` on, up to and with `high` if that is given."""

    low: int
    high: int | None
    counted: Share
    rate: Rate | None

    @property
    def label(self) -> str:
        return f"{self.low}–{self.high}" if self.high is not None else f"{self.low} or more"


def bands_of(by_score: Mapping[int, Share], *, least: int) -> list[Band]:
    """Bands with round bounds, as narrow as the outcomes allow: neighbours with too few share one band."""
    total = total_of(by_score.values())
    if not total.n:
        return []
    width = _width(by_score, total.n)
    stretches: dict[int, Share] = {}
    for score, share in by_score.items():
        stretches[score // width] = stretches.get(score // width, Share()) + share
    merged: list[tuple[int, Share]] = []
    for stretch in sorted(stretches):
        if merged and merged[-1][1].n < least:
            merged[-1] = merged[-1][0], merged[-1][1] + stretches[stretch]
        else:
            merged.append((stretch * width, stretches[stretch]))
    if len(merged) > 1 and merged[-1][1].n < least:
        low, before = merged[-2]
        merged[-2:] = [(low, before + merged[-1][1])]
    ends = [low - 1 for low, _ in merged[1:]]
    return [
        Band(low, high, share, rate_of(share, least=least))
        for (low, share), high in zip(merged, [*ends, None], strict=True)
    ]


def _width(by_score: Mapping[int, Share], n: int) -> int:
    """The narrowest round width by which most of the scores lie in few bands."""
    scores = sorted(by_score)
    reached = list(accumulate(by_score[score].n for score in scores))
    low = next(score for score, below in zip(scores, reached, strict=True) if below * 100 >= n * TAIL)
    high = next(
        score for score, below in zip(scores, reached, strict=True) if below * 100 >= n * (100 - TAIL)
    )
    return next((width for width in WIDTHS if (high - low) // width < MOST_BANDS), WIDTHS[-1])


# --- How well the score ranks --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ranking:
    """ROC-AUC: of 100 pairs of one that reached the goal and one that failed, in how many scored the one that
    reached it higher. None with too few outcomes, or too few of one kind."""

    positives: int
    negatives: int
    auc: float | None
    low: float = 0.0
    high: float = 1.0

    @property
    def outcomes(self) -> int:
        return self.positives + self.negatives


def ranking_of(counts: GoalCounts, *, least: int) -> Ranking:
    above = _repeated((score, share.yes) for score, share in counts.ended.items())
    below = _repeated((score, share.n - share.yes) for score, share in counts.ended.items())
    auc = roc_auc(above, below)
    rarer = min(len(above), len(below))
    if auc is None or len(above) + len(below) < least or rarer < FEWEST_OF_A_KIND:
        return Ranking(len(above), len(below), None)
    return Ranking(len(above), len(below), auc, *auc_interval(auc, len(above), len(below)))


def _repeated(counted: Iterable[tuple[int, int]]) -> list[int]:
    return [score for score, times in counted for _ in range(times)]


# --- Rules ---------------------------------------------------------------------------------------


class Advice(StrEnum):
    """What to do with the points of a rule."""

    TOO_FEW = "too_few"
    NO_POINTS = "no_points"
    UNKNOWN = "unknown"
    KEEP = "keep"
    IDLE = "idle"
    CHANGE = "change"
    TAKE_OUT = "take_out"


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule: how those convert on whom it fired (`fired`) and the others, and how many times as often.

    `points` is what the rule says now, None if it gives none; `suggested` is there if the advice is to change
    or to take it out (0).
    """

    rule_id: int
    name: str
    sentence: str
    points: int | None
    fired: Share
    others: Share
    fired_rate: Rate | None
    others_rate: Rate | None
    lift: float | None
    lift_interval: Interval
    decided: Share
    accepted: Rate | None
    advice: Advice
    suggested: int | None

    @property
    def is_certain(self) -> bool:
        """Whether the interval of the lift leaves out 1, that is no difference."""
        low, high = self.lift_interval
        return self.lift is not None and (low > 1 or high < 1)

    @property
    def fewer(self) -> int:
        """The smaller of both sides, which decides whether there are enough to compare."""
        return min(self.fired.n, self.others.n)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A rule with its effect beside the others, and the points that it gave on average."""

    effect: Odds
    given: float


def rule_figures(model: Model, counts: Counts, goal: Goal, *, least: int) -> list[RuleFigures]:
    """All rules of the model in its order."""
    of_goal = counts.goals[goal]
    everybody = total_of(of_goal.by_score.values())
    judged = _judge(model, of_goal, everybody, least=least)
    effects, given = [each.effect for each in judged.values()], [each.given for each in judged.values()]
    factor = points_per_log_odds(effects, given)
    spread = spread_of(effects, [points / factor for points in given]) if factor else 0.0
    figures = []
    for rule in model.rules:
        fired = of_goal.rules[rule.key].fired if rule.key in of_goal.rules else Share()
        others = everybody - fired
        advice, suggested = Advice.TOO_FEW, None
        if min(fired.n, others.n) >= least:
            advice, suggested = _advise(
                rule, judged.get(rule.key), factor=factor, spread=spread, threshold=model.threshold
            )
        figures.append(_figures(rule, counts, fired, others, advice, suggested, least=least))
    return figures


def _judge(model: Model, counts: GoalCounts, everybody: Share, *, least: int) -> dict[int, _Judged]:
    """The rules that give points and of which there is enough to say what they do."""
    by_total: dict[int, Share] = {}
    for score, share in counts.by_score.items():
        by_total[score // STRATUM] = by_total.get(score // STRATUM, Share()) + share
    judged = {}
    for rule in model.rules:
        counted = counts.rules.get(rule.key)
        if counted is None or rule.effect is not Effect.POINTS:
            continue
        fired = counted.fired
        if min(fired.n, everybody.n - fired.n) < least or not counted.points:
            continue
        effect = common_effect(
            (with_it, by_total.get(stratum, Share()) - counted.by_total.get(stratum, Share()))
            for stratum, with_it in counted.by_rest.items()
        )
        if effect is not None and effect.error:
            judged[rule.key] = _Judged(effect, counted.points / fired.n)
    return judged


def _advise(
    rule: FitRule | BehaviourRule,
    judged: _Judged | None,
    *,
    factor: float | None,
    spread: float,
    threshold: int,
) -> tuple[Advice, int | None]:
    if rule.effect is not Effect.POINTS:
        return Advice.NO_POINTS, None
    if judged is None or factor is None:
        return Advice.UNKNOWN, None
    expected = judged.given / factor
    low, high = judged.effect.interval
    if not judged.effect.is_certain:
        return (Advice.KEEP if low <= expected <= high else Advice.IDLE), None
    believed = drawn_towards(expected, judged.effect, spread=spread)
    # What it gave on average, to what it says: occurrences, caps and fading stay as they are.
    points = round(believed * factor * rule.points / judged.given)
    if points * rule.points <= 0:
        return Advice.TAKE_OUT, 0
    points = max(-threshold, min(threshold, points))
    return (Advice.KEEP, None) if points == rule.points else (Advice.CHANGE, points)


def _figures(
    rule: FitRule | BehaviourRule,
    counts: Counts,
    fired: Share,
    others: Share,
    advice: Advice,
    suggested: int | None,
    *,
    least: int,
) -> RuleFigures:
    decided = counts.decided_by_rule.get(rule.key, Share())
    lift, interval = None, (0.0, inf)
    if min(fired.n, others.n) >= least and _rarer(fired + others) >= FEWEST_OF_A_KIND:
        interval = share_ratio(fired.yes, fired.n, others.yes, others.n)
        lift = (fired.yes / fired.n) / (others.yes / others.n) if others.yes else inf if fired.yes else None
    return RuleFigures(
        rule_id=rule.key,
        name=rule.name,
        sentence=rule_sentence(rule),
        points=rule.points if rule.effect is Effect.POINTS else None,
        fired=fired,
        others=others,
        fired_rate=rate_of(fired, least=least),
        others_rate=rate_of(others, least=least),
        lift=lift,
        lift_interval=interval,
        decided=decided,
        accepted=rate_of(decided, least=least),
        advice=advice,
        suggested=suggested,
    )


def _rarer(share: Share) -> int:
    return min(share.yes, share.n - share.yes)
