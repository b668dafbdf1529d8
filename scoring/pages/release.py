"""What the release list shows of a lead: its score before and now, and what drives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT

from leads.models import LeadEvent
from scoring.engine import model_of, score_pairs
from scoring.language.explanation import explain_result
from scoring.models import ModelVersion, ReleaseItem


@dataclass(frozen=True, slots=True)
class Row:
    """`before` is the score under the rules before, blank where only the threshold moved."""

    item: ReleaseItem
    before: int
    driver: str


def with_scores(items: QuerySet[ReleaseItem]) -> QuerySet[ReleaseItem]:
    """With the lead and, as `was`, the score that the change of rules replaced."""
    change = LeadEvent.objects.filter(
        lead=OuterRef("lead"), kind=LeadEvent.Kind.SCORE_CHANGED, at=OuterRef("listed_at")
    )
    was = Subquery(change.values(total=KT("detail__from"))[:1])
    return items.select_related("lead__company", "lead__score__version", "version").annotate(was=was)


def describe_items(items: Sequence[ReleaseItem], *, now: datetime) -> list[Row]:
    """One statement per version for all of them together."""
    drivers: dict[int, str] = {}
    versions = {item.lead.score.version for item in items}
    for version in versions:
        lead_ids = [item.lead_id for item in items if item.lead.score.version_id == version.pk]
        drivers |= _drivers(version, lead_ids, now=now)
    return [Row(item, _before(item), drivers.get(item.lead_id, "")) for item in items]


def _before(item: ReleaseItem) -> int:
    was = getattr(item, "was", None)
    return int(was) if was is not None else item.lead.score.total


def _drivers(version: ModelVersion, lead_ids: Sequence[int], *, now: datetime) -> dict[int, str]:
    model = model_of(version)
    found = {}
    for _, result in score_pairs(version, [(lead_id, now) for lead_id in lead_ids], ledger=True):
        drivers = explain_result(model, version.number, result, as_of=now).drivers
        found[result.lead_id] = drivers[0].sentence if drivers else ""
    return found
