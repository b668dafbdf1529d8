"""Marketing's side of the service levels, beside that of sales (SLA-8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Avg, Count, F, Q, QuerySet

from common.charts import Chart, Mark, Point, Series, bar_chart, line_chart, percentage
from feedback.figures.cohorts import Cohort, Stretch, count_by_stretch
from feedback.figures.inbox import definitional_codes, good_share
from feedback.models import Commitment, Dispute, FeedbackPolicy, MarketingTask, Reading
from feedback.policy import feedback_policy
from feedback.pulses import month_of
from scoring.calibration.runs import median_cycles
from scoring.conversion import Goal, Share
from sla.calendars import calendar_of, house_zone, working_hours
from sla.figures.cohorts import Grouping, Question
from sla.figures.compliance import Group, measure_groups
from sla.figures.quantiles import Quantiles
from sla.models import Clock, Target

MONTHS = 6
# How far back the usual time to an SQL is measured: long enough to know, short enough to be of today.
CYCLE_DAYS = 365
RECENT_DAYS = 30  # for the clocks of sales and of the transfer
DUTY_DAYS = 90  # marketing's clocks are fewer
# The portal keeps these, not sales.
NOT_OF_SALES = (Target.Kind.CRM_TRANSFER, Target.Kind.NOTIFICATION)

# A lead passed on from rep to rep is one MQL: it counts once, with what became of it in the end. It is passed
# on in the moment in which it is returned; one that only lapsed stays the same handoff.
_MQLS = """
WITH offer AS (
  SELECT handoff.id, handoff.lead_id, handoff.created_at, handoff.qualified_at,
    handoff.hops = 0 OR NOT EXISTS (
      SELECT FROM handoffs_handoff earlier
      WHERE earlier.lead_id = handoff.lead_id AND earlier.slot_returned_at = handoff.created_at
    ) AS is_first
  FROM handoffs_handoff handoff WHERE handoff.created_at >= %(since)s AND handoff.status <> 'withdrawn'
),
passed AS (
  SELECT *, sum(is_first::int) OVER (PARTITION BY lead_id ORDER BY created_at, id) AS passage FROM offer
),
mql AS (
  SELECT min(created_at) AS made_at, bool_or(qualified_at IS NOT NULL) AS is_sql,
    min(id) FILTER (WHERE is_first) AS first_id
  FROM passed WHERE passage > 0
  GROUP BY lead_id, passage
)
SELECT date_trunc('month', mql.made_at AT TIME ZONE %(zone)s)::date, count(*),
  count(*) FILTER (WHERE mql.made_at <= %(mature)s),
  count(*) FILTER (WHERE mql.made_at <= %(mature)s AND mql.is_sql),
  count(package.handoff_id), count(*) FILTER (WHERE package.completeness = 100)
FROM mql LEFT JOIN handoffs_contextpackage package ON package.handoff_id = mql.first_id
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Month:
    """One month of marketing: what it promised and what it delivered.

    `good` are of the decided handoffs, `sql` of the MQLs old enough to say, `complete` of the packages.
    """

    first_day: date
    commitment: Commitment | None
    mqls: int
    good: Share
    sql: Share
    complete: Share


@dataclass(frozen=True, slots=True)
class Duty:
    """One of marketing's clocks: of those that are over or late, how many were in time."""

    name: str
    in_time: Share
    open: int
    late: int
    usual: timedelta | None


@dataclass(frozen=True, slots=True)
class Transfer:
    """How quickly handoffs reached Salesforce in the last weeks; seconds around the clock."""

    kept: Share
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class OurSide:
    """Months, the oldest first; the last is under way, and `pace` says how much of it has passed (0 to 1)."""

    months: tuple[Month, ...]
    pace: float
    maturity: timedelta | None
    policy: FeedbackPolicy
    duties: tuple[Duty, ...]
    transfer: Transfer
    sales: tuple[Group, ...]

    @property
    def present(self) -> Month:
        return self.months[-1]

    @property
    def expected(self) -> int | None:
        """How many MQLs would be due by now if they came evenly over the working time of the month."""
        commitment = self.present.commitment
        return round(commitment.mqls * self.pace) if commitment else None

    @property
    def sql(self) -> Share:
        """MQL to SQL over all months shown."""
        return sum((month.sql for month in self.months), Share(least=self.policy.min_decided))

    @property
    def advice(self) -> str:
        """What to do about the share of MQLs that become SQLs."""
        value, policy = self.sql.value, self.policy
        if value is None:
            return "Too few MQLs are old enough to say."
        if 100 * value < policy.sql_from:
            return "Below the band: too much is let through. Tighten the criteria or raise the threshold."
        if 100 * value > policy.sql_to:
            return "Above the band: the bar is so high that good leads are held back. Lower it a little."
        return "Within the band."


def measure_our_side(*, now: datetime) -> OurSide:
    """The last months with the one under way, in the time zone of the default calendar."""
    policy = feedback_policy()
    zone = house_zone()
    days = _months_until(month_of(now))
    since = datetime(days[0].year, days[0].month, 1, tzinfo=zone)
    cycle = median_cycles(since=now - timedelta(days=CYCLE_DAYS), until=now).get(Goal.QUALIFIED)
    recently = now - timedelta(days=RECENT_DAYS)
    question = Question(since=recently, until=now)
    sales = measure_groups(Clock.objects.all(), question, by=Grouping.KIND, zone=zone, now=now)
    return OurSide(
        months=tuple(_read_months(days, since, policy, mature=now - (cycle or timedelta()), zone=zone)),
        pace=_pace(now, zone),
        maturity=cycle,
        policy=policy,
        duties=_measure_duties(since=now - timedelta(days=DUTY_DAYS), now=now),
        transfer=_measure_transfer(sales, since=recently),
        sales=tuple(group for group in sales if group.key not in NOT_OF_SALES),
    )


def _months_until(last: date) -> list[date]:
    number = last.year * 12 + last.month - 1
    return [date(each // 12, each % 12 + 1, 1) for each in range(number - MONTHS + 1, number + 1)]


def _read_months(
    days: Sequence[date], since: datetime, policy: FeedbackPolicy, *, mature: datetime, zone: ZoneInfo
) -> list[Month]:
    promised = Commitment.objects.filter(month__in=days).select_related("by")
    commitments = {each.month: each for each in promised}
    decided = count_by_stretch(Cohort.DECIDED, Stretch.MONTH, since=since, zone=zone.key)
    against, least = definitional_codes(), policy.min_decided
    with connection.cursor() as cursor:
        cursor.execute(_MQLS, {"since": since, "zone": zone.key, "mature": mature})
        counted = {row[0]: row[1:] for row in cursor.fetchall()}
    months = []
    for day in days:
        mqls, old_enough, qualified, packages, complete = counted.get(day, (0, 0, 0, 0, 0))
        months.append(
            Month(
                day,
                commitments.get(day),
                mqls,
                good=good_share(decided.get(day, Counter()), against=against, least=least),
                sql=Share(qualified, old_enough, least),
                complete=Share(complete, packages),
            )
        )
    return months


def _pace(now: datetime, zone: ZoneInfo) -> float:
    """How much of this month's working time has passed; of its days where there is no calendar."""
    first = month_of(now)
    start = datetime(first.year, first.month, 1, tzinfo=zone)
    end = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=zone)
    hours = working_hours(calendar_of(None), person=None, around=now)
    whole = hours.business_time_between(start, end)
    return hours.business_time_between(start, now) / whole if whole else (now - start) / (end - start)


def _measure_transfer(groups: Sequence[Group], *, since: datetime) -> Transfer:
    kept = next((each.figures.kept for each in groups if each.key == Target.Kind.CRM_TRANSFER), Share())
    done = Clock.objects.filter(
        kind=Target.Kind.CRM_TRANSFER, started_at__gte=since, outcome=Clock.Outcome.DONE
    )
    median, p90 = done.aggregate(spans=Quantiles("wall_seconds"))["spans"] or (None, None)
    return Transfer(kept, median, p90)


# --- Marketing's clocks -------------------------------------------------------------------------


def _measure_duties(*, since: datetime, now: datetime) -> tuple[Duty, ...]:
    asked = MarketingTask.objects.filter(created_at__gte=since)
    tasks = asked.exclude(done_at__isnull=False, done_by=None)  # those that nobody needs any more
    kinds = MarketingTask.Kind
    readings = Reading.objects.filter(created_at__gte=since, verdict__undoing=None)
    return (
        _duty("Fix the data of returned leads", tasks.filter(kind=kinds.FIX_DATA), now=now),
        _duty("Fill the gaps of packages", tasks.filter(kind=kinds.FILL_GAPS), now=now),
        _duty("Read what sales refused", readings, done="read_at", now=now),
        _duty(
            "Settle disputes (managers)",
            Dispute.objects.filter(at__gte=since),
            begun="at",
            done="settled_at",
            now=now,
        ),
    )


def _duty(
    name: str, clocks: QuerySet[Any], *, begun: str = "created_at", done: str = "done_at", now: datetime
) -> Duty:
    is_open = Q(**{f"{done}__isnull": True})
    is_late = Q(due_at__lt=now)
    found = clocks.aggregate(
        in_time=Count("pk", filter=Q(**{f"{done}__lte": F("due_at")})),
        missed=Count("pk", filter=Q(**{f"{done}__gt": F("due_at")}) | is_open & is_late),
        open=Count("pk", filter=is_open),
        late=Count("pk", filter=is_open & is_late),
        usual=Avg(F(done) - F(begun)),
    )
    share = Share(found["in_time"], found["in_time"] + found["missed"])
    return Duty(name, share, found["open"], found["late"], found["usual"])


# --- Charts -------------------------------------------------------------------------------------


def chart_volume(months: Sequence[Month]) -> Chart:
    """MQLs promised and delivered, month by month."""
    promised = [Point(_name(month), month.commitment.mqls if month.commitment else None) for month in months]
    delivered = [Point(_name(month), month.mqls) for month in months]
    return bar_chart(
        "MQLs by month",
        [Series("Promised", promised), Series("Delivered", delivered)],
        x_label="Month",
        empty="No MQL was handed over yet.",
    )


def chart_conversion(months: Sequence[Month], policy: FeedbackPolicy) -> Chart:
    """The share of MQLs that became SQLs, by the month they were handed over in, and the band."""
    return line_chart(
        "MQLs that became SQLs",
        [Series("Became SQL", [month.sql.point(month.first_day) for month in months])],
        x_label="Month",
        marks=[
            Mark(policy.sql_from / 100, f"From {policy.sql_from} %"),
            Mark(policy.sql_to / 100, f"Up to {policy.sql_to} %"),
        ],
        y_words=percentage,
        y_range=(0, 1),
        empty="No month has enough MQLs that are old enough to say.",
    )


def _name(month: Month) -> str:
    return f"{month.first_day:%b %Y}"
