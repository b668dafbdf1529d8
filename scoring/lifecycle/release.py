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
from django.db.models.functions import Least

from accounts.models import User
from leads.models import Lead
from leads.services import nudge_lead
from scoring.lifecycle.permissions import require_marketing
from scoring.models import ReleaseItem
from scoring.models.scores import evidence_of
from scoring.models.versions import ModelVersion

log = structlog.get_logger(__name__)

Decision = ReleaseItem.Decision

# So few are worth a nudge each; more are found by the next sweep.
NUDGED_AT_MOST = 25

# So many are decided on in one transaction: their locks are held for a moment only.
DECIDED_AT_ONCE = 1_000

# Whatever keeps a lead from sales now, such as a hold, may end: it is listed all the same, and `waiting()`
# shows it then. A lead listed before is listed anew, by the version and the change that did it now.
_LIST = """
INSERT INTO scoring_releaseitem (lead_id, version_id, listed_at, rules_changed_at, decision)
SELECT lead_id, %(version)s, %(now)s, coalesce(
  (SELECT max(started_at) FROM scoring_rescoring WHERE version_id = %(version)s), %(now)s), ''
FROM unnest(%(leads)s::bigint[]) lead_id ORDER BY lead_id
ON CONFLICT (lead_id) WHERE decided_at IS NULL
DO UPDATE SET version_id = excluded.version_id, listed_at = excluded.listed_at,
  rules_changed_at = excluded.rules_changed_at
"""


def list_for_release(lead_ids: Sequence[int], *, version: ModelVersion, now: datetime) -> None:
    """Put leads on the list that would become MQLs by this version. The caller holds the leads' locks."""
    parameters: dict[str, Any] = {"leads": list(lead_ids), "version": version.pk, "now": now}
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
    """The last word on each lead, with `has_evidence`: clear interest that came after it was said."""
    since = Case(When(decision=Decision.DISMISSED, then=F("decided_at")), default=F("rules_changed_at"))
    evidence = evidence_of(OuterRef("lead"), since=OuterRef("since"))
    items = ReleaseItem.objects.filter(lead__in=lead_ids).order_by("lead_id", "-listed_at", "-pk")
    return items.distinct("lead_id").annotate(since=since, has_evidence=Exists(evidence))


def note_handed_off(lead: Lead, *, now: datetime) -> None:
    """The lead is with sales, by its own evidence or by hand: nobody needs to release it. The caller holds
    its lock."""
    waiting = ReleaseItem.objects.filter(lead=lead, decided_at=None)
    waiting.update(decision=Decision.OVERTAKEN, decided_at=now)


def release_leads(items: QuerySet[ReleaseItem], *, by: User, now: datetime) -> int:
    """Let the leads go to sales, which the pipeline does as they then stand; say how many there were.

    Of two people at once, each lead is released by one. Many are released in chunks, each in a transaction of
    its own. Raises NotAllowed.
    """
    return _decide(items, Decision.RELEASED, by=by, now=now)


def keep_leads_back(items: QuerySet[ReleaseItem], *, by: User, now: datetime) -> int:
    """Take the leads off the list until they show evidence of their own; say how many. Raises NotAllowed."""
    return _decide(items, Decision.DISMISSED, by=by, now=now)


def _decide(items: QuerySet[ReleaseItem], decision: str, *, by: User, now: datetime) -> int:
    require_marketing(by)
    # Read once: what is asked for may be a part of the list that moves up as the list gets shorter.
    asked = list(items.waiting().order_by("pk").values_list("pk", flat=True))  # type: ignore[attr-defined]
    chunks = (asked[start : start + DECIDED_AT_ONCE] for start in range(0, len(asked), DECIDED_AT_ONCE))
    decided = sum(_decide_chunk(chunk, decision, by=by, now=now) for chunk in chunks)
    log.info("scoring.release_decided", decision=decision, leads=decided)
    return decided


@transaction.atomic
def _decide_chunk(item_ids: Sequence[int], decision: str, *, by: User, now: datetime) -> int:
    """Decide on those that still wait, under the leads' locks; how many that were."""
    asked = ReleaseItem.objects.filter(pk__in=item_ids).values("lead")
    locked = Lead.objects.filter(pk__in=asked).select_for_update(of=("self",), no_key=True).order_by("pk")
    list(locked.values_list("pk", flat=True))
    decided = dict(ReleaseItem.objects.waiting().filter(pk__in=item_ids).values_list("pk", "lead_id"))
    ReleaseItem.objects.filter(pk__in=decided).update(decision=decision, decided_at=now, decided_by=by)
    if decision == Decision.RELEASED:
        _let_go(sorted(decided.values()), now=now)
    return len(decided)


def _let_go(lead_ids: Sequence[int], *, now: datetime) -> None:
    Lead.objects.filter(pk__in=lead_ids).update(
        advance_at=Least("advance_at", Value(now)),
        advance_attempts=0,
        advance_parked_at=None,
        advance_error="",
    )
    for lead_id in lead_ids[:NUDGED_AT_MOST]:
        nudge_lead(lead_id)
