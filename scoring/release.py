"""The release list: leads that qualify only because the rules changed wait for marketing (ADR 0013).

Whoever first keeps such a score lists the lead: the re-scoring after a publish, or the pipeline. Evidence of
its own lets a listed lead go by itself; one that marketing kept back needs evidence from after that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce, Least

from accounts.models import User
from leads.models import Lead
from leads.services import nudge_lead
from scoring.models import ReleaseItem, Signal, SignalHit
from scoring.models.scores import ENTRY_STAGES
from scoring.models.versions import ModelVersion
from scoring.permissions import require_marketing

log = structlog.get_logger(__name__)

Decision = ReleaseItem.Decision

# So few are worth a nudge each; more are found by the next sweep.
NUDGED_AT_MOST = 25

# A lead that sales returned goes back only with new evidence (FEED-2), whatever the rules say: without it
# there is nothing to release. A lead listed before is listed anew, by the version that did it now.
_LIST = """
INSERT INTO scoring_releaseitem (lead_id, version_id, listed_at, decision)
SELECT lead.id, %(version)s, %(now)s, '' FROM leads_lead lead
WHERE lead.id = ANY(%(leads)s) AND lead.stage = ANY(%(stages)s) AND lead.hold = ''
  AND (lead.recycled_at IS NULL OR EXISTS (
    SELECT FROM scoring_signalhit hit JOIN scoring_signal signal ON signal.id = hit.signal_id
    WHERE hit.lead_id = lead.id AND hit.received_at > lead.recycled_at AND signal.intent = 'high'))
ORDER BY lead.id
ON CONFLICT (lead_id) WHERE decided_at IS NULL
DO UPDATE SET version_id = excluded.version_id, listed_at = excluded.listed_at
"""


def list_for_release(lead_ids: Sequence[int], *, version: ModelVersion, now: datetime) -> None:
    """Put leads on the list that would become MQLs by this version. The caller holds the leads' locks."""
    parameters: dict[str, Any] = {
        "leads": list(lead_ids),
        "stages": list(ENTRY_STAGES),
        "version": version.pk,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LIST, parameters)


def kept_for_release(lead_ids: Sequence[int]) -> set[int]:
    """Those of the leads that only marketing may let go now; one query for all of them."""
    if not lead_ids:
        return set()
    said = _latest_items(lead_ids).values_list("lead_id", "decision", "has_evidence")  # type: ignore[misc]  # annotated
    return {lead_id for lead_id, decision, has_evidence in said if decision in _KEEPING and not has_evidence}


_KEEPING = ("", Decision.DISMISSED)


def _latest_items(lead_ids: Sequence[int]) -> QuerySet[ReleaseItem]:
    """The last word on each lead, with `has_evidence`: a high-intent signal received since it was said."""
    since = Case(
        When(decision=Decision.DISMISSED, then=F("decided_at")),
        default=Coalesce(Least("version__published_at", "version__pilot__started_at"), F("listed_at")),
    )
    hits = SignalHit.objects.filter(
        lead=OuterRef("lead"), received_at__gt=OuterRef("since"), signal__intent=Signal.Intent.HIGH
    )
    items = ReleaseItem.objects.filter(lead__in=lead_ids).order_by("lead_id", "-listed_at", "-pk")
    return items.distinct("lead_id").annotate(since=since, has_evidence=Exists(hits))


def note_handed_off(lead: Lead, *, now: datetime) -> None:
    """The lead went by its own evidence: nobody needs to release it. The caller holds its lock."""
    waiting = ReleaseItem.objects.filter(lead=lead, decided_at=None)
    waiting.update(decision=Decision.OVERTAKEN, decided_at=now)


@transaction.atomic
def release_leads(items: QuerySet[ReleaseItem], *, by: User, now: datetime) -> int:
    """Let the leads go to sales, which the pipeline does as they then stand; say how many there were.

    Of two people at once, each lead is released by one. Raises NotAllowed.
    """
    require_marketing(by)
    lead_ids = _decide(items, Decision.RELEASED, by=by, now=now)
    Lead.objects.filter(pk__in=lead_ids).update(
        advance_at=Least("advance_at", Value(now)),
        advance_attempts=0,
        advance_parked_at=None,
        advance_error="",
    )
    for lead_id in lead_ids[:NUDGED_AT_MOST]:
        nudge_lead(lead_id)
    return len(lead_ids)


@transaction.atomic
def keep_leads_back(items: QuerySet[ReleaseItem], *, by: User, now: datetime) -> int:
    """Take the leads off the list until they show evidence of their own; say how many. Raises NotAllowed."""
    require_marketing(by)
    return len(_decide(items, Decision.DISMISSED, by=by, now=now))


def _decide(items: QuerySet[ReleaseItem], decision: str, *, by: User, now: datetime) -> list[int]:
    """Decide on those that still wait, under the leads' locks; the ids of their leads."""
    asked = items.waiting().values_list("lead_id", flat=True)  # type: ignore[attr-defined]
    locked = Lead.objects.filter(pk__in=list(asked)).select_for_update(of=("self",)).order_by("pk")
    lead_ids = list(locked.values_list("pk", flat=True))
    waiting = ReleaseItem.objects.waiting().filter(lead__in=lead_ids)
    decided = list(waiting.values_list("pk", "lead_id"))
    ReleaseItem.objects.filter(pk__in=[pk for pk, _ in decided]).update(
        decision=decision, decided_at=now, decided_by=by
    )
    log.info("scoring.release_decided", decision=decision, leads=len(decided))
    return [lead_id for _, lead_id in decided]
