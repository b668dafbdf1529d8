"""score.sweep: 0.1 % of the leads are due, as `next_change_at` foretold; only they are scored and kept.

The reference is the full re-score of all leads by the same version, 1 % changed, over two connections; the
sweep runs on one.
"""

from __future__ import annotations

import os
import time
from datetime import datetime

from django.db import connection
from django.utils import timezone

from bench.figures import Figure
from bench.score_full import keep_all, spoilt
from bench.scored_population import populate_scored
from bench.spreading import seconds_over_all
from handoffs.tasks import BATCH
from leads.models import Lead
from scoring.engine import keep_scores
from scoring.models import ModelVersion

LEADS, HITS_PER_LEAD = 500_000, 10
ONE_OF = 1_000
MAX_SHARE = 0.02


def measure(database_url: str) -> Figure:
    leads = int(os.environ.get("BENCH_SWEEP_LEADS") or LEADS)
    version = populate_scored(leads=leads, hits=leads * HITS_PER_LEAD)
    now = timezone.now()
    seconds_over_all(keep_all(version, now=now))
    full = min(spoilt(100, version, now=now) for _ in range(2))
    took = min(_sweep(version, now=now) for _ in range(3))
    share = took / full
    return Figure(
        name="score.sweep",
        value=round(took * 1000, 1),
        unit="ms",
        reference=round(full * 1000, 1),
        ratio=round(share, 4),
        target=f"<= {MAX_SHARE:.0%} of the full re-score",
        holds=share <= MAX_SHARE,
        detail={
            "leads": leads,
            "due": leads // ONE_OF,
            "reference_is": "the full re-score, 1 % changed, two connections, in ms",
        },
    )


def _sweep(version: ModelVersion, *, now: datetime) -> float:
    """Find the due leads by their mark and score them, as many at once as the pipeline's sweep takes."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_lead SET advance_at = %s WHERE id %% %s = 0", [now, ONE_OF])
        cursor.execute("UPDATE scoring_leadscore SET total = total + 1 WHERE lead_id %% %s = 0", [ONE_OF])
        cursor.execute("VACUUM ANALYZE leads_lead")
    started = time.perf_counter()
    due = list(Lead.objects.filter(advance_at__lte=now).order_by("advance_at").values_list("pk", flat=True))
    for begin in range(0, len(due), BATCH):
        keep_scores(version, due[begin : begin + BATCH], now=now)
    return time.perf_counter() - started
