"""score.one: one lead's total, category and full ledger as of now, computed in the database.

The reference reads the same rows and adds them up: count and latest time of the lead's activities, by one
bare statement. Both include the way to the database and back.
"""

from __future__ import annotations

import os
import time

from django.db import connection
from django.utils import timezone

from bench.figures import Figure, percentile
from bench.population import populate
from leads.models import Lead
from scoring.engine import score_with_ledger
from scoring.models import ModelVersion
from scoring.services import match_activities

TARGET_P95_MS = 4.0
SAMPLE = 2_000
ACTIVITIES = 20


def measure(database_url: str) -> Figure:
    present = int(os.environ.get("BENCH_SCORED_LEADS") or 10_000)
    populate(leads=present, activities_per_lead=ACTIVITIES)
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True)[:SAMPLE])
    match_activities(ids)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    version = ModelVersion.objects.active().get()
    now = timezone.now()

    scored, added = [], []
    with connection.cursor() as cursor:
        for pk in ids:
            started = time.perf_counter()
            result = score_with_ledger(version, pk, as_of=now)
            scored.append(time.perf_counter() - started)
            if result is None:
                raise RuntimeError(f"Lead {pk} was not scored.")
            started = time.perf_counter()
            cursor.execute("SELECT count(*), max(occurred_at) FROM leads_activity WHERE lead_id = %s", [pk])
            cursor.fetchone()
            added.append(time.perf_counter() - started)
    value = percentile(scored, 95) * 1000
    reference = percentile(added, 95) * 1000
    return Figure(
        name="score.one",
        value=round(value, 3),
        unit="ms (p95)",
        reference=round(reference, 3),
        ratio=round(value / reference, 2),
        target=f"<= {TARGET_P95_MS:g} ms",
        holds=value <= TARGET_P95_MS,
        detail={
            "p50_ms": round(percentile(scored, 50) * 1000, 3),
            "reference_p50_ms": round(percentile(added, 50) * 1000, 3),
            "sample": len(scored),
            "leads_present": present,
            "activities_per_lead": ACTIVITIES,
            "reference_is": "count and latest time of the lead's activities by one statement, p95 in ms",
        },
    )
