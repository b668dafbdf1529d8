"""What marketing's inbox shows first: how many leads sales refused, why, and which (FEED-1, FEED-5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from common.charts import Chart, Mark, Series, line_chart, percentage
from common.csv_stream import csv_lines
from feedback.figures.cohorts import OVERTURNED, Cohort, Grouping, Stretch, count_by_stretch, count_cohort
from feedback.models import Dispute, MarketingTask, Reading, Recycling, RejectionReason, Verdict
from feedback.policy import feedback_policy
from leads.models import QuarantinedItem
from scoring.conversion import Share

Type = RejectionReason.Type

# How far back the chart looks, whatever period is chosen: so many weeks, or months for a year.
WEEKS, MONTHS = 13, 12
LONG_PERIOD_DAYS = 180
CSV_HEADER = (
    "at", "reason", "type", "note", "via", "by", "lead", "title", "company", "source", "campaign", "score",
    "category", "rules", "becomes", "disputed", "handoff_id", "verdict_id",
)  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """The tiles. `good` are the decided handoffs that were not returned for a reason that speaks against the
    criteria; a rejection that a manager overturned does not (FEED-1, FEED-4)."""

    good: Share
    goal: int
    accepted: int
    rejected: int
    passed_on: int
    overturned: int
    disputes_open: int
    tasks_open: int
    tasks_late: int
    recycling: int
    quarantined: int
    unread: int
    unread_late: int

    @property
    def decided(self) -> int:
        return self.good.n

    @property
    def against(self) -> int:
        return self.good.n - self.good.yes

    @property
    def acceptance_rate(self) -> int | None:
        """Whole per cent, rounded down: what is below the goal never reads as the goal. None when nothing was
        decided."""
        return 100 * self.good.yes // self.good.n if self.good.n else None

    @property
    def is_below_goal(self) -> bool:
        return self.good.n > 0 and 100 * self.good.yes < self.goal * self.good.n


def measure_inbox(*, since: datetime, now: datetime) -> Figures:
    marks = count_cohort(Cohort.DECIDED, by=Grouping.REASON, since=since).marks
    passed_on = Verdict.objects.standing().filter(at__gte=since, reason__type=Type.PROCEDURAL)
    tasks = MarketingTask.objects.aggregate(
        open=Count("pk", filter=Q(done_at=None)), late=Count("pk", filter=Q(done_at=None, due_at__lt=now))
    )
    unread = Reading.objects.open().aggregate(all=Count("pk"), late=Count("pk", filter=Q(due_at__lt=now)))
    return Figures(
        good=good_share(marks, against=definitional_codes()),
        goal=feedback_policy().acceptance_goal,
        accepted=marks[""],
        rejected=marks.total() - marks[""],
        passed_on=passed_on.count(),
        overturned=marks[OVERTURNED],
        disputes_open=Dispute.objects.filter(settled_at=None).count(),
        tasks_open=tasks["open"],
        tasks_late=tasks["late"],
        recycling=Recycling.objects.under_way().count(),
        quarantined=QuarantinedItem.objects.filter(replayed_at=None, dismissed_at=None).count(),
        unread=unread["all"],
        unread_late=unread["late"],
    )


def definitional_codes() -> frozenset[str]:
    """The reasons that are evidence about the criteria: only they count against marketing."""
    reasons = RejectionReason.objects.filter(type=Type.DEFINITIONAL)
    return frozenset(reasons.values_list("code", flat=True))


def good_share(marks: Mapping[str, int], *, against: frozenset[str], least: int = 1) -> Share:
    """Of decided handoffs those that did not come back for one of the reasons."""
    decided = sum(marks.values())
    return Share(decided - sum(marks.get(code, 0) for code in against), decided, least)


# --- The trend ----------------------------------------------------------------------------------


def acceptance_trend(*, days: int, now: datetime) -> Chart:
    """The acceptance rate by week, or by month for a long period, against the goal; in the viewer's zone."""
    stretch = Stretch.MONTH if days > LONG_PERIOD_DAYS else Stretch.WEEK
    first_days = _first_days(stretch, timezone.localdate(now))
    since = timezone.make_aware(datetime.combine(first_days[0], datetime.min.time()))
    zone = timezone.get_current_timezone_name()
    counted = count_by_stretch(Cohort.DECIDED, stretch, since=since, zone=zone)
    policy, against = feedback_policy(), definitional_codes()
    goal = policy.acceptance_goal / 100
    shares = [
        good_share(counted.get(day, Counter()), against=against, least=policy.min_decided)
        for day in first_days
    ]
    return line_chart(
        f"Acceptance rate by {stretch.value}",
        [
            Series(
                "Acceptance rate", [share.point(day) for share, day in zip(shares, first_days, strict=True)]
            )
        ],
        x_label=f"{stretch.value.capitalize()} from",
        marks=[Mark(goal, f"Goal {percentage(goal)}")],
        y_words=percentage,
        y_range=(0, 1),
        empty=f"No {stretch.value} has {policy.min_decided} decided handoffs yet: too few for a rate.",
    )


def _first_days(stretch: Stretch, today: date) -> list[date]:
    """The first days of the last weeks or months, oldest first, with the one that is under way."""
    if stretch is Stretch.WEEK:
        monday = today - timedelta(days=today.weekday())
        return [monday - timedelta(weeks=back) for back in reversed(range(WEEKS))]
    months = [today.year * 12 + today.month - 1 - back for back in reversed(range(MONTHS))]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


# --- Reasons and rejections ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How often one reason was given; `type` is its code."""

    code: str
    label: str
    type: str
    rejections: int


def count_reasons(*, since: datetime) -> list[ReasonCount]:
    """The reasons given in the period, most frequent first."""
    in_period = Q(verdicts__at__gte=since, verdicts__undoing=None)
    rows = (
        RejectionReason.objects.annotate(rejections=Count("verdicts", filter=in_period))
        .filter(rejections__gt=0)
        .order_by("-rejections", "position", "id")
        .values("code", "label", "type", "rejections")
    )
    return [ReasonCount(**row) for row in rows]


def latest_verdicts(*, since: datetime, reason: RejectionReason | None) -> QuerySet[Verdict]:
    """The rejections of the period with everything a row shows."""
    verdicts = (
        Verdict.objects.standing()
        .filter(at__gte=since)
        .select_related(
            "lead__company", "reason", "by", "handoff", "recycling", "duplicate_of", "dispute", "reading"
        )
    )
    return verdicts.filter(reason=reason) if reason else verdicts


def rejection_csv_lines(verdicts: QuerySet[Verdict]) -> Iterator[str]:
    """The rejections as CSV, newest first."""
    rows = verdicts.order_by("-at", "-id").iterator(chunk_size=1000)
    return csv_lines(CSV_HEADER, (_csv_row(verdict) for verdict in rows))


def _csv_row(verdict: Verdict) -> tuple[object, ...]:
    lead, handoff = verdict.lead, verdict.handoff
    dispute = getattr(verdict, "dispute", None)
    return (
        verdict.at.isoformat(),
        verdict.reason.code,
        verdict.reason.type,
        verdict.note,
        verdict.via,
        verdict.by,
        lead.name,
        lead.title,
        lead.company or "",
        lead.source,
        lead.campaign,
        handoff.score,
        handoff.category,
        "; ".join(f"{driver['name']} {driver['points']:+d}" for driver in handoff.drivers),
        verdict.reason.get_treatment_display(),
        dispute.get_outcome_display() or "Open" if dispute else "",
        handoff.pk,
        verdict.pk,
    )
