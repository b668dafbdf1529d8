"""What marketing’s inbox shows: which leads sales refused, why, and which rules let them through (FEED-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Func, JSONField, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from feedback.models import Recycling, RejectionReason, Verdict
from handoffs.models import Handoff
from leads.models import QuarantinedItem

MOST_RULES = 12


@dataclass(frozen=True)
class Figures:
    """The tiles. Only definitional reasons speak about quality (FEED-1)."""

    accepted: int
    rejected: int
    definitional: int
    recycling: int
    quarantined: int

    @property
    def decided(self) -> int:
        return self.accepted + self.rejected

    @property
    def acceptance_rate(self) -> int | None:
        """Per cent of the decided handoffs that did not come back as wrong; None when none was decided."""
        if not self.decided:
            return None
        return round(100 * (self.decided - self.definitional) / self.decided)


@dataclass(frozen=True)
class RuleCount:
    """How the handoffs that a rule drove were decided."""

    name: str
    rejected: int
    accepted: int

    @property
    def decided(self) -> int:
        return self.rejected + self.accepted


def measure_inbox(*, since: datetime) -> Figures:
    verdicts = (
        Verdict.objects.standing()
        .filter(at__gte=since)
        .aggregate(
            rejected=Count("id"),
            definitional=Count("id", filter=Q(reason__type=RejectionReason.Type.DEFINITIONAL)),
        )
    )
    return Figures(
        accepted=_accepted(since).count(),
        rejected=verdicts["rejected"],
        definitional=verdicts["definitional"],
        recycling=Recycling.objects.filter(woken_at=None).count(),
        quarantined=QuarantinedItem.objects.filter(replayed_at=None, dismissed_at=None).count(),
    )


def _accepted(since: datetime) -> QuerySet[Handoff]:
    """Accepted and not returned since."""
    return Handoff.objects.filter(accepted_at__gte=since).exclude(status=Handoff.Status.REJECTED)


def count_reasons(*, since: datetime) -> QuerySet[RejectionReason]:
    """The reasons given in the period with their `rejections`, most frequent first."""
    in_period = Q(verdicts__at__gte=since, verdicts__undoing=None)
    return (
        RejectionReason.objects.annotate(rejections=Count("verdicts", filter=in_period))
        .filter(rejections__gt=0)
        .order_by("-rejections", "position", "id")
    )


class _Elements(Func):
    """One row per element of a JSON array."""

    function = "jsonb_array_elements"
    output_field = JSONField()
    set_returning = True


def count_rules(*, since: datetime) -> list[RuleCount]:
    """The rules among the top drivers of decided handoffs, most rejections first."""
    rejected = Verdict.objects.standing().filter(at__gte=since)
    decided = Handoff.objects.filter(
        Q(pk__in=rejected.values("handoff")) | Q(pk__in=_accepted(since).values("pk"))
    )
    counted = (
        decided.annotate(driver=_Elements(F("drivers")))
        .annotate(rule=KeyTextTransform("name", "driver"))
        .values("rule")
        .annotate(
            rejections=Count("id", filter=Q(status=Handoff.Status.REJECTED)),
            acceptances=Count("id", filter=~Q(status=Handoff.Status.REJECTED)),
        )
        .order_by("-rejections", "acceptances", "rule")
    )
    return [RuleCount(row["rule"], row["rejections"], row["acceptances"]) for row in counted[:MOST_RULES]]


def latest_verdicts(*, since: datetime, reason: RejectionReason | None) -> QuerySet[Verdict]:
    """The rejections of the period with everything a row shows."""
    verdicts = (
        Verdict.objects.standing()
        .filter(at__gte=since)
        .select_related("lead__company", "reason", "by", "handoff", "recycling", "duplicate_of")
    )
    return verdicts.filter(reason=reason) if reason else verdicts
