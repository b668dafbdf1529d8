"""The words of a calibration's figures. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from math import inf, isfinite

from common.charts import percentage
from scoring.calibration.drift import Verdict
from scoring.calibration.figures import Advice, Ranking, Rate, RuleFigures
from scoring.conversion import Goal, Share
from scoring.intervals import Interval
from scoring.language.sentences import count_phrase, signed

GOAL_WORDS = {Goal.QUALIFIED: "sales-qualified", Goal.WON: "won"}
ENDED_WORDS = {
    Goal.QUALIFIED: ("a lead that became sales-qualified", "a rejected one"),
    Goal.WON: ("a won lead", "a lost one"),
}
VERDICT_WORDS = {
    Verdict.STABLE: "Scores are spread as they were a quarter ago.",
    Verdict.SOME: "Scores are spread somewhat differently than a quarter ago: keep an eye on it.",
    Verdict.MARKED: "Scores are spread quite differently than a quarter ago: they may mean something else.",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure with its interval; without a figure `span` says why."""

    value: str = ""
    span: str = ""


def too_few(outcomes: int, least: int) -> str:
    return f"Too few outcomes: {outcomes:,} of {least:,}"


def rate_cell(rate: Rate | None, counted: Share, *, least: int) -> Cell:
    if rate is None:
        return Cell(span=too_few(counted.n, least) if counted.n else "—")
    return Cell(percentage(rate.share), span_words((rate.low, rate.high), percentage))


def rate_words(rate: Rate) -> str:
    return f"{percentage(rate.share)} ({span_words((rate.low, rate.high), percentage)})"


def span_words(interval: Interval, words: Callable[[float], str]) -> str:
    low, high = interval
    return f"{words(low)} to {words(high)}" if isfinite(high) else f"{words(low)} or more"


def lift_cell(figures: RuleFigures, *, least: int) -> Cell:
    """How many times as often: "1.8 times", "1.2 to 2.6"."""
    if figures.lift is None:
        if figures.fewer >= least:
            total = figures.fired + figures.others
            return Cell(span="Too few to compare" if total.yes else "Nobody converted")
        return Cell(span=too_few(figures.fewer, least) if figures.fewer else "—")
    span = span_words(figures.lift_interval, "{:.1f}".format)
    return Cell("Only with it" if figures.lift == inf else f"{figures.lift:.1f} times", span)


def ranking_words(ranking: Ranking, goal: Goal, *, least: int) -> str:
    upper, lower = ENDED_WORDS[goal]
    if ranking.auc is None:
        missing = f"{ranking.positives:,} and {ranking.negatives:,}" if ranking.outcomes >= least else ""
        why = f"there are {missing} of them" if missing else too_few(ranking.outcomes, least).lower()
        return f"How often {upper} scores above {lower} cannot be said yet: {why}."
    low, high = round(100 * ranking.low), round(100 * ranking.high)
    return (
        f"{upper.capitalize()} scores above {lower} in {round(100 * ranking.auc)} of 100 pairs "
        f"({low} to {high}); by chance it would be 50. ROC-AUC {ranking.auc:.3f}, of "
        f"{ranking.positives:,} and {ranking.negatives:,}."
    )


def advice_words(figures: RuleFigures, *, least: int) -> str:
    points = signed(figures.points or 0)
    if figures.advice is Advice.TOO_FEW:
        if figures.others.n < least <= figures.fired.n:
            return "Keep: it fires on nearly everybody"
        return "Keep: too few outcomes" if figures.fired.n else "Keep: it fired on nobody"
    return {
        Advice.NO_POINTS: "Gives no points",
        Advice.UNKNOWN: "Keep: all may be chance yet",
        Advice.KEEP: f"Keep {points}",
        Advice.IDLE: f"Keep {points}, though no effect shows",
        Advice.CHANGE: f"{points} → {signed(figures.suggested or 0)}",
        Advice.TAKE_OUT: "Take it out: it works against its points",
    }[figures.advice]


def reason_words(code: str) -> str:
    """The code of a reason as words: "wrong-icp" as "Wrong ICP"."""
    words = code.replace("-", " ").replace("_", " ")
    sentence = words[:1].upper() + words[1:]
    return " ".join(word.upper() if word.lower() == "icp" else word for word in sentence.split())


def days_words(span: timedelta) -> str:
    """A length of time as a person says it."""
    hours = round(span.total_seconds() / 3600)
    return count_phrase(hours, "hour") if hours < 48 else count_phrase(round(hours / 24), "day")
