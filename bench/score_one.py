"""score.one: one lead's total, category and full ledger as it was known now, computed in the database.

Measured with 10,000 leads present and again with 1,000,000, 20 and 5 hits to a lead. The sample is the same
leads both times. The reference reads the same rows by one bare statement: count and latest time of the lead's
hits. All include the way to the database and back.
"""

from __future__ import annotations

import os
import time

from django.db import connection
from django.utils import timezone

from bench.figures import Figure, percentile
from bench.scored_population import add_leads, populate_scored
from leads.models import Lead
from scoring.engine import score_with_ledger
from scoring.models import ModelVersion

TARGET_P95_MS = 4.0
MAX_GROWTH = 1.3
FEW, MANY = 10_000, 1_000_000
SAMPLE = 2_000
HITS_OF_FEW, HITS_OF_MANY = 20, 5

_READ = "SELECT count(*), max(occurred_at) FROM scoring_signalhit WHERE lead_id = %s"


def measure(database_url: str) -> list[Figure]:
    few = int(os.environ.get("BENCH_ONE_FEW_LEADS") or FEW)
    many = int(os.environ.get("BENCH_ONE_MANY_LEADS") or MANY)
    version = populate_scored(leads=few, hits=few * HITS_OF_FEW)
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True)[:SAMPLE])
    scored, read = _milliseconds(version, ids)
    add_leads(leads=many - few, hits=(many - few) * HITS_OF_MANY, numbered_from=few + 1)
    scored_among_many, _ = _milliseconds(version, ids)
    p95, reference, among_many = (percentile(took, 95) for took in (scored, read, scored_among_many))
    growth = among_many / p95
    detail = {
        "sample": len(ids),
        "hits_per_lead": HITS_OF_FEW,
        "leads_present": few,
        "p50_ms": round(percentile(scored, 50), 3),
        "reference_is": "count and latest time of the lead's hits by one statement, p95 in ms",
    }
    grown = {
        "leads_present": many,
        "p50_ms": round(percentile(scored_among_many, 50), 3),
        "reference_is": f"the same leads among {few}, p95 in ms",
    }
    return [
        Figure(
            name="score.one",
            value=round(p95, 3),
            unit="ms (p95)",
            reference=round(reference, 3),
            ratio=round(p95 / reference, 2),
            target=f"<= {TARGET_P95_MS:g} ms",
            holds=p95 <= TARGET_P95_MS,
            detail=detail,
        ),
        Figure(
            name=f"score.one among {many:,}",
            value=round(among_many, 3),
            unit="ms (p95)",
            reference=round(p95, 3),
            ratio=round(growth, 2),
            target=f"<= {MAX_GROWTH:g} x among {few:,}",
            holds=growth <= MAX_GROWTH,
            detail=detail | grown,
        ),
    ]


def _milliseconds(version: ModelVersion, ids: list[int]) -> tuple[list[float], list[float]]:
    """What each scoring and each bare reading took, one after the other and once before to warm up."""
    now = timezone.now()
    scored, read = [], []
    with connection.cursor() as cursor:
        for warm in (False, True):
            for pk in ids:
                began = time.perf_counter()
                if score_with_ledger(version, pk, as_of=now) is None:
                    raise RuntimeError(f"Lead {pk} was not scored.")
                between = time.perf_counter()
                cursor.execute(_READ, [pk])
                cursor.fetchone()
                if warm:
                    scored.append((between - began) * 1000)
                    read.append((time.perf_counter() - between) * 1000)
    return scored, read
