"""The proof that scores add up (SCORE-7): for every lead, the ledger sums to the total, and the score that is
kept is what the engine says, and by a version in use.

Leads are gone through in ranges of ids. One statement per range recomputes the scores with their ledgers and
compares, so everything is read from one snapshot: what other workers write meanwhile is either wholly seen or
not at all. A kept score is compared by the version that made it, so it does not matter that a re-scoring is
under way; and not at all while the lead has news or a change that is due, for then it may lag behind.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Q

from leads.models import Lead
from scoring.compile import Scope, Statement
from scoring.engine import compiled
from scoring.models import LeadScore, ModelVersion, Rescoring, ScoreCheck

log = structlog.get_logger(__name__)

CHUNK = 20_000
MAX_CHUNK = 1_000_000
EXAMPLES = 10
# Longer ago, too much has changed for the two parts to be one check.
GIVEN_UP_AFTER = timedelta(days=1)

# What the kept row must share with the engine's result. It may plan to look again too early, never too late.
_COMPARED = (
    *("total", "fit", "engagement", "readiness", "category", "warmth"),
    *("icp_match", "has_signal", "has_red_flag", "is_instant_mql", "qualifies"),
)

# A claimed lead is due although its mark lies in the future: its attempts say so. What was scored after
# `as_of` is left to the next check, for it may know what happened since.
_ONE_VERSION = """
SELECT result.lead_id,
  result.total <> result.adjustment + (
    SELECT coalesce(sum((line ->> 2)::bigint), 0) FROM jsonb_array_elements(result.ledger::jsonb) line
  ) AS does_not_add_up,
  lead.unmatched_from IS NOT NULL OR lead.advance_attempts > 0 OR coalesce(lead.advance_at <= {as_of}, false)
    OR kept.scored_at > {as_of} AS is_waiting,
  ROW({kept}) IS DISTINCT FROM ROW({computed})
    OR coalesce(kept.next_change_at, 'infinity') > coalesce(result.next_change_at, 'infinity') AS differs
FROM ({scored}) result
JOIN scoring_leadscore kept ON kept.lead_id = result.lead_id AND kept.version_id = {version}
JOIN leads_lead lead ON lead.id = result.lead_id
"""

_CHECK = """
SELECT count(*), count(*) FILTER (WHERE is_waiting), count(*) FILTER (WHERE is_wrong),
  (array_agg(lead_id ORDER BY lead_id) FILTER (WHERE is_wrong))[:{examples}]
FROM (
  SELECT lead_id, is_waiting, does_not_add_up OR (differs AND NOT is_waiting) AS is_wrong
  FROM ({versions}) compared
) judged
"""


# Leads that nobody scored, or that kept the score of a version no longer in use, with nothing under way that
# would mend it. One statement again, so a publish is seen whole: with its re-scoring, or not at all.
_LEFT_BEHIND = """
SELECT lead.id FROM leads_lead lead LEFT JOIN scoring_leadscore kept ON kept.lead_id = lead.id
WHERE lead.id BETWEEN %(first)s AND %(last)s
  AND lead.unmatched_from IS NULL AND lead.advance_attempts = 0
  AND coalesce(lead.advance_at > %(as_of)s, true) AND lead.created_at <= %(as_of)s
  AND EXISTS (SELECT FROM scoring_modelversion WHERE status = 'active')
  AND NOT EXISTS (SELECT FROM scoring_rescoring WHERE finished_at IS NULL)
  AND NOT EXISTS (
    SELECT FROM scoring_modelversion version
    WHERE version.id = kept.version_id AND version.status IN ('active', 'pilot')
  )
ORDER BY lead.id
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a range of leads showed: `waiting` ones were only checked to add up."""

    leads: int = 0
    waiting: int = 0
    differing: int = 0
    examples: tuple[int, ...] = ()


def check_range(first: int, last: int, *, as_of: datetime) -> Finding:
    """Compare the scores kept of the leads with these ids with what the engine says now."""
    judged = _compare_kept(first, last, as_of=as_of)
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_BEHIND, {"first": first, "last": last, "as_of": as_of})
        left_behind = [lead_id for (lead_id,) in cursor.fetchall()]
    return Finding(
        judged.leads + len(left_behind),
        judged.waiting,
        judged.differing + len(left_behind),
        tuple(sorted({*judged.examples, *left_behind})[:EXAMPLES]),
    )


def _compare_kept(first: int, last: int, *, as_of: datetime) -> Finding:
    """The kept scores against the engine, each by the version that made it."""
    of_range = LeadScore.objects.filter(lead_id__gte=first, lead_id__lte=last)
    judges = Q(status__in=(ModelVersion.Status.ACTIVE, ModelVersion.Status.PILOT))
    if Rescoring.objects.filter(finished_at=None).exists():
        # Many leads still have the score of the version before, and rightly so. A pilot that went back to its
        # author is no version any more.
        judges |= Q(published_at__isnull=False)
    versions = ModelVersion.objects.filter(judges, pk__in=of_range.values("version"))
    parts = []
    parameters: dict[str, Any] = {"first": first, "last": last, "as_of": as_of}
    for version in versions:
        statement = compiled(version, Scope.RANGE, ledger=True, historical=False)
        scored, renamed = _own_parameters(statement, version.pk)
        parts.append(_comparison(version.pk, scored))
        parameters |= renamed
    if not parts:
        return Finding()
    with connection.cursor() as cursor:
        cursor.execute(_CHECK.format(examples=EXAMPLES, versions="UNION ALL".join(parts)), parameters)
        leads, waiting, differing, examples = cursor.fetchone()
    return Finding(leads, waiting, differing, tuple(examples or ()))


def _comparison(version_id: int, scored: str) -> str:
    return _ONE_VERSION.format(
        scored=scored,
        version=version_id,
        as_of="%(as_of)s::timestamptz",
        kept=", ".join(f"kept.{name}" for name in _COMPARED),
        computed=", ".join(f"result.{name}" for name in _COMPARED),
    )


def _own_parameters(statement: Statement, version_id: int) -> tuple[str, Mapping[str, Any]]:
    """The statement with its own parameters renamed, so that several versions fit into one."""
    names = {name: f"version_{version_id}_{name}" for name in statement.parameters}
    sql = re.sub(r"%\((\w+)\)s", lambda found: f"%({names.get(found[1], found[1])})s", statement.sql)
    return sql, {names[name]: value for name, value in statement.parameters.items()}


# --- One check, in steps that several workers may share ------------------------------------------


def begin_check(*, now: datetime) -> ScoreCheck:
    """The check that is under way, or a new one; one that nobody went on with for a day is given up."""
    under_way = ScoreCheck.objects.filter(finished_at=None, started_at__gt=now - GIVEN_UP_AFTER).first()
    return under_way or ScoreCheck.objects.create(started_at=now)


def latest_check() -> ScoreCheck | None:
    """The last check that came to its end."""
    return ScoreCheck.objects.filter(finished_at__isnull=False).first()


@transaction.atomic
def check_next_chunk(check: ScoreCheck, *, now: datetime, chunk: int = CHUNK) -> bool:
    """Check the next leads, add what is found to the check, and say whether more may be left."""
    row = ScoreCheck.objects.select_for_update().get(pk=check.pk)
    if row.finished_at is not None:
        return False
    ids = Lead.objects.filter(pk__gt=row.checked_to).order_by("pk").values_list("pk", flat=True)
    last = ids[chunk - 1 : chunk].first() or ids.last()
    if last is None:
        row.finished_at = now
        row.save(update_fields=["finished_at"])
        log.info("scoring.checked", leads=row.leads, waiting=row.waiting, differing=row.differing)
        return False
    finding = check_range(row.checked_to + 1, last, as_of=now)
    row.checked_to = last
    row.leads += finding.leads
    row.waiting += finding.waiting
    row.differing += finding.differing
    row.examples = [*row.examples, *finding.examples][:EXAMPLES]
    row.save(update_fields=["checked_to", "leads", "waiting", "differing", "examples"])
    return True


def sentence_of(check: ScoreCheck) -> str:
    """What a finished check found, in words."""
    if not check.leads:
        return "There are no scores to check yet."
    if check.differing:
        return f"{check.differing:,} of {check.leads:,} scores are not what their rules say."
    lag = f" {check.waiting:,} of them wait to be scored again." if check.waiting else ""
    return f"All {check.leads:,} scores add up.{lag}"
