"""Regret: rejected leads that later became opportunities, by reason, rep, rule and source (FEED-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from feedback.figures.cohorts import LATER_OPPORTUNITY, LATER_WON, Cohort, Grouping, Tally, count_cohort
from scoring.conversion import Share

GROUPINGS = (Grouping.REASON, Grouping.REP, Grouping.RULE, Grouping.SOURCE)


@dataclass(frozen=True, slots=True)
class RegretRow:
    """Of the rejections of one group, those whose lead later became an opportunity, and how many were won."""

    label: str
    regretted: Share
    won: int


@dataclass(frozen=True, slots=True)
class RegretTable:
    """The rejections of a period by one grouping, most regretted first."""

    by: Grouping
    rows: tuple[RegretRow, ...]


@dataclass(frozen=True, slots=True)
class Regret:
    """All rejections of a period; `won` are those whose lead became a customer in the end."""

    regretted: Share
    won: int
    tables: tuple[RegretTable, ...]

    @property
    def percent(self) -> int:
        return round(100 * self.regretted.yes / max(1, self.regretted.n))


def measure_regret(*, since: datetime, least: int) -> Regret:
    """Of the rejections since that moment. A lead passed on to its right rep was not rejected."""
    tallies = {by: count_cohort(Cohort.RETURNED, by=by, since=since) for by in GROUPINGS}
    marks = tallies[Grouping.REASON].marks
    return Regret(
        regretted=_regretted(marks, least=least),
        won=marks[LATER_WON],
        tables=tuple(_table(by, tally, least=least) for by, tally in tallies.items()),
    )


def _table(by: Grouping, tally: Tally, *, least: int) -> RegretTable:
    rows = [
        RegretRow(group.label, _regretted(group.marks, least=least), group.marks[LATER_WON])
        for group in tally.groups.values()
    ]
    rows.sort(key=lambda row: (-row.regretted.yes, row.regretted.n, row.label))
    return RegretTable(by, tuple(rows))


def _regretted(marks: Mapping[str, int], *, least: int) -> Share:
    later = marks.get(LATER_OPPORTUNITY, 0) + marks.get(LATER_WON, 0)
    return Share(later, sum(marks.values()), least)
