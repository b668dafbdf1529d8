"""A backtest as a page tells it: one sentence, tables, a chart, and what the figures cannot say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from urllib.parse import urlencode

from django.utils import timezone

from accounts.models import User
from common.charts import Chart, Point, Series, bar_chart, line_chart, percentage
from common.errors import InvalidInput
from leads.models import Lead
from scoring.backtesting.replay import Example, Fate, Tally
from scoring.backtesting.runs import fingerprint_of, latest_backtest, points_of
from scoring.conversion import Share
from scoring.models import Backtest, ModelVersion, ScoringPolicy

Status = ModelVersion.Status


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the table of outcomes. `fate` holds the counts."""

    label: str
    fate: Fate
    minimum: int

    @property
    def accepted(self) -> Share:
        return Share(self.fate.accepted, self.fate.decided, self.minimum)

    @property
    def qualified(self) -> Share:
        return Share(self.fate.qualified, self.fate.old_enough_to_qualify, self.minimum)

    @property
    def won(self) -> Share:
        return Share(self.fate.won, self.fate.old_enough_to_win, self.minimum)

    @property
    def shares(self) -> tuple[Share, Share, Share]:
        return self.accepted, self.qualified, self.won


@dataclass(frozen=True, slots=True)
class ShownExample:
    """A lead behind a figure. It is None if the reader may not see it or it is no longer there."""

    lead: Lead | None
    week_ends_at: datetime
    total: int
    why: str


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    threshold: int
    mqls: int
    a_week: float
    difference: int
    is_own: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What other pages say of the latest backtest of a version."""

    headline: str
    finished_at: datetime
    is_stale: bool


@dataclass(frozen=True, slots=True)
class BacktestPage:
    """All that the page shows of one finished backtest."""

    backtest: Backtest
    headline: str
    weekly: Chart
    groups: list[Group]
    more: list[ShownExample]
    fewer: list[ShownExample]
    bands: Chart
    thresholds: list[ThresholdRow]
    caveats: list[str]
    capacity_query: str

    @property
    def more_heading(self) -> str:
        return self.groups[0].label

    @property
    def fewer_heading(self) -> str:
        return self.groups[1].label


def summarise_backtest(version: ModelVersion) -> Summary | None:
    """The latest finished backtest of the version in a sentence, and whether it is still about it."""
    backtest = latest_backtest(version)
    if backtest is None or backtest.finished_at is None:
        return None
    return Summary(headline_of(backtest), backtest.finished_at, is_stale(backtest))


def is_stale(backtest: Backtest) -> bool:
    """Whether the version says something else by now. Only drafts can."""
    if backtest.version.status != Status.DRAFT:
        return False
    try:
        return fingerprint_of(backtest.version) != backtest.fingerprint
    except InvalidInput:
        return True


def describe_backtest(backtest: Backtest, *, user: User) -> BacktestPage:
    """`user` is who reads: examples show the leads that this person may see."""
    tally = Tally.from_json(backtest.result["tally"])
    policy = ScoringPolicy.objects.first() or ScoringPolicy()
    more, fewer = _examples(backtest, tally, user)
    return BacktestPage(
        backtest=backtest,
        headline=headline_of(backtest),
        weekly=_weekly(backtest, tally),
        groups=[Group(label, tally.fates[key], policy.min_outcomes) for key, label in _labels(backtest)],
        more=more,
        fewer=fewer,
        bands=_bands(tally, policy.min_outcomes),
        thresholds=_thresholds(tally) if backtest.result["threshold_decides"] else [],
        caveats=_caveats(tally),
        capacity_query=_capacity_query(backtest, tally),
    )


def headline_of(backtest: Backtest) -> str:
    tally = Tally.from_json(backtest.result["tally"])
    weeks = "week" if tally.weeks == 1 else f"{tally.weeks} weeks"
    passed = f"In the last {weeks} {name_of(backtest.version)} would have passed {_mqls(sum(tally.draft))}"
    if backtest.against_id is None:
        return f"{passed}."
    more, fewer = tally.fates["more"].leads, tally.fates["fewer"].leads
    return f"{passed} instead of {sum(tally.active):,}: {more:,} more, {fewer:,} fewer."


def name_of(version: ModelVersion) -> str:
    is_open = version.status in (Status.DRAFT, Status.PROPOSED, Status.SCHEDULED)
    return "the draft" if is_open else f"version {version.number}"


def _mqls(count: int) -> str:
    return "1 MQL" if count == 1 else f"{count:,} MQLs"


def _labels(backtest: Backtest) -> list[tuple[str, str]]:
    own = name_of(backtest.version)
    if backtest.against is None:
        return [("more", f"Passed by {own}")]
    other = f"version {backtest.against.number}"
    return [("more", f"Added: only {own}"), ("fewer", f"Removed: only {other}"), ("kept", "Kept: both")]


def _weekly(backtest: Backtest, tally: Tally) -> Chart:
    ends = [timezone.localtime(point).date() for point in points_of(backtest)[1:]]

    def series(name: str, counts: list[int]) -> Series:
        return Series(name, [Point(end, count) for end, count in zip(ends, counts, strict=True)])

    shown = [series(name_of(backtest.version).capitalize(), tally.draft)]
    if backtest.against:
        shown.append(series(f"Version {backtest.against.number}", tally.active))
    return line_chart("MQLs in each week", shown, x_label="Week until")


def _examples(backtest: Backtest, tally: Tally, user: User) -> tuple[list[ShownExample], list[ShownExample]]:
    points, reasons = points_of(backtest), backtest.result["reasons"]
    ids = [example.lead_id for example in chain(tally.examples["more"], tally.examples["fewer"])]
    leads = Lead.objects.visible_to(user).select_related("company").in_bulk(ids)

    def shown(examples: list[Example]) -> list[ShownExample]:
        return [
            ShownExample(
                leads.get(example.lead_id),
                points[example.point],
                example.total,
                reasons.get(str(example.lead_id), ""),
            )
            for example in examples
        ]

    return shown(tally.examples["more"]), shown(tally.examples["fewer"])


def _bands(tally: Tally, minimum: int) -> Chart:
    """What became of the draft's MQLs, by their score when they became one."""
    bands = [(f"{low}–{high}", Group("", fate, minimum)) for low, high, fate in tally.bands()]
    return bar_chart(
        "From MQL to SQL and won, by score",
        [
            Series("SQL", [group.qualified.point(label) for label, group in bands]),
            Series("Won", [group.won.point(label) for label, group in bands]),
        ],
        x_label="Score when it became an MQL",
        y_words=percentage,
        empty=f"Too few outcomes: no band has {minimum} leads handed over long enough ago.",
    )


def _thresholds(tally: Tally) -> list[ThresholdRow]:
    own = sum(tally.by_threshold[tally.threshold])
    return [
        ThresholdRow(
            threshold,
            mqls=sum(weeks),
            a_week=sum(weeks) / tally.weeks,
            difference=sum(weeks) - own,
            is_own=threshold == tally.threshold,
        )
        for threshold, weeks in sorted(tally.by_threshold.items())
    ]


def _caveats(tally: Tally) -> list[str]:
    """What a reader must know before trusting the figures."""
    found = [
        "Every week is counted as it was known at its end: nothing that happened, reached us or was changed "
        "later.",
        "Leads are looked at once a week; who qualified for less than a week in between is missed, by both "
        "versions alike.",
    ]
    more, fewer = tally.fates["more"], tally.fates["fewer"]
    if more.leads:
        found.append(_of_added(more))
    if fewer.leads:
        found.append(
            f"Of the {fewer.leads:,} removed, {fewer.handed:,} were handed over: their outcomes are known."
        )
    found.append(
        "Hand-offs younger than it usually takes to become sales-qualified or won, refused as another rep's "
        "or taken back before sales had said anything count on neither side of a share."
    )
    still_open = sum(tally.fates[group].open for group in ("more", "fewer", "kept"))
    if still_open:
        found.append(f"Sales still works on {still_open:,} of these leads: how they end is not known yet.")
    if tally.left_out:
        found.append(
            f"{tally.left_out:,} leads that sales had before these weeks are left out: they come back by the "
            "rules of recycling, not by their score."
        )
    if sooner := tally.fates["sooner"].leads:
        found.append(f"{sooner:,} MQLs would have come before these weeks, so they count for neither side.")
    if later := tally.fates["later"].leads:
        found.append(f"{later:,} MQLs came before these weeks and would come within them instead.")
    return found


def _of_added(more: Fate) -> str:
    if not more.handed:
        return (
            f"None of the {more.leads:,} added was ever handed over: what sales would have said is not known."
        )
    return (
        f"Of the {more.leads:,} added, {more.handed:,} were handed over anyway, later or by hand: their "
        "outcomes are shown, but they may be the better ones."
    )


def _capacity_query(backtest: Backtest, tally: Tally) -> str:
    """The figures for the panel that holds them against the capacity of the BDRs."""
    query = {"draft": _listed(tally.draft)}
    if backtest.against_id:
        query["active"] = _listed(tally.active)
    if backtest.result["threshold_decides"]:
        thresholds = sorted(tally.by_threshold)
        query["thresholds"] = _listed(thresholds)
        query["passed"] = _listed([sum(tally.by_threshold[each]) for each in thresholds])
        query["threshold"] = str(tally.threshold)
    return urlencode(query)


def _listed(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))
