"""What sales says once it has talked to the leads, and how satisfied both sides are (FEED-3, FEED-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Avg, Count, F, Func, Q, QuerySet, TextField

from common.charts import Chart, Point, Series, line_chart
from feedback.models import AcceptanceReason, Pulse, QualityCheck
from feedback.quality import QUESTIONS
from scoring.conversion import Share

Answer = QualityCheck.Answer

MOST_DRIVERS = 8
PULSE_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Question:
    """How one question of the check was answered."""

    label: str
    yes: Share
    partly: int
    no: int


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """The checks of a period; `conversation` is the mean of 1 to 5, None without any."""

    checks: int
    questions: tuple[Question, ...]
    conversation: float | None

    @property
    def good_percent(self) -> int | None:
        """Whole per cent that were really qualified; None without checks."""
        good = self.questions[0].yes
        return round(100 * good.yes / good.n) if good.n else None


def measure_quality(*, since: datetime, least: int) -> QualityFigures:
    counts = {
        f"{field}_{answer}": Count("pk", filter=Q(**{field: answer}))
        for field in QUESTIONS
        for answer in Answer.values
    }
    found = QualityCheck.objects.filter(at__gte=since).aggregate(
        checks=Count("pk"), mean=Avg("conversation"), **counts
    )
    return QualityFigures(
        checks=found["checks"],
        questions=tuple(
            Question(
                label,
                Share(found[f"{field}_{Answer.YES}"], found["checks"], least),
                found[f"{field}_{Answer.PARTLY}"],
                found[f"{field}_{Answer.NO}"],
            )
            for field, label in QUESTIONS.items()
        ),
        conversation=None if found["mean"] is None else float(found["mean"]),
    )


def latest_doubts(*, since: datetime, most: int) -> QuerySet[QualityCheck]:
    """The newest checks that said no to something."""
    doubts = Q(really_qualified=Answer.NO) | Q(data_matched=Answer.NO) | Q(timing_right=Answer.NO)
    checks = QualityCheck.objects.filter(doubts, at__gte=since).select_related("handoff__lead__company", "by")
    return checks.order_by("-at", "-pk")[:most]


class _Unnest(Func):
    """One row per element of an array."""

    function = "unnest"
    output_field = TextField()
    set_returning = True


def count_acceptance_drivers(*, since: datetime) -> tuple[int, list[tuple[str, int]]]:
    """How many acceptances of the period were explained, and the rules that reps named most often."""
    explained = AcceptanceReason.objects.filter(at__gte=since)
    rows = (
        explained.annotate(driver=_Unnest(F("drivers")))
        .values("driver")
        .annotate(named=Count("pk"))
        .order_by("-named", "driver")[:MOST_DRIVERS]
    )
    return explained.count(), [(row["driver"], row["named"]) for row in rows]


# --- Pulse --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PulseTrend:
    """The mean of each month and side, and of the latest month in words."""

    chart: Chart
    latest: tuple[tuple[str, float, int], ...]
    comments: tuple[str, ...]


def measure_pulse() -> PulseTrend:
    """The last months in which anybody answered."""
    months = sorted(
        Pulse.objects.order_by("-month").values_list("month", flat=True).distinct()[:PULSE_MONTHS]
    )
    rows = list(
        Pulse.objects.filter(month__in=months)
        .values("side", "month")
        .annotate(
            mean=Avg("score"),
            people=Count("pk"),
            said=ArrayAgg("comment", filter=~Q(comment=""), default=[], order_by="at"),
        )
        .order_by("side", "month")
    )
    labels = dict(Pulse.Side.choices)
    series = [
        Series(
            labels[side],
            [Point(row["month"], float(row["mean"]), note=_people(row["people"])) for row in of_side],
        )
        for side, of_side in groupby(rows, key=lambda row: row["side"])
    ]
    latest = [row for row in rows if months and row["month"] == months[-1]]
    return PulseTrend(
        chart=line_chart(
            "Satisfaction by month, 0 to 10",
            series,
            x_label="Month",
            y_words="{:.1f}".format,
            y_range=(0, 10),
            empty="Nobody has answered yet. Each person is asked once a month.",
        ),
        latest=tuple((labels[row["side"]], float(row["mean"]), row["people"]) for row in latest),
        comments=tuple(comment for row in latest for comment in row["said"]),
    )


def _people(number: int) -> str:
    return "1 answer" if number == 1 else f"{number} answers"
