"""score.full: all leads scored again by 25 and by 100 behaviour rules, kept where the score changed.

Two connections, each with half of the leads, in chunks as re-scoring does it. Three runs: nearly everything
as before (1 % of the kept scores were spoilt), every score spoilt, and 100 rules instead of 25.

The reference R0 is the bare sum, `SELECT lead_id, sum(points) … GROUP BY lead_id` with one weight per signal,
over the same hits, the covering index read in order, over as many connections. For 100 rules it is the bare
sum of the points of the 100 rules.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from datetime import datetime

from django.db import connection, transaction
from django.utils import timezone

from bench.figures import Figure
from bench.scored_population import populate_scored, publish_rules
from bench.spreading import CONNECTIONS, Range, bare_sum, best, chunks, seconds_over_all
from scoring.engine import keep_range
from scoring.models import ModelVersion

LEADS, HITS = 500_000, 5_000_000
LEADS_PER_CHUNK = 25_000
MAX_RATIO, MAX_RATIO_ALL, MAX_RATIO_100 = 3.5, 6.0, 3.0
MAX_MEMORY_MB = 300

# Another total than the right one; the rest of the row stays, so that it is found by comparing.
_SPOIL = "UPDATE scoring_leadscore SET total = total + 1 WHERE lead_id %% %(every)s = 0"


def measure(database_url: str) -> list[Figure]:
    leads = int(os.environ.get("BENCH_FULL_LEADS") or LEADS)
    hits = int(os.environ.get("BENCH_FULL_HITS") or HITS)
    version = populate_scored(leads=leads, hits=hits)
    now = timezone.now()
    reference = best(bare_sum(version, until=now))
    by_rule = best(bare_sum(version, until=now, each_rule=True))
    seconds_over_all(keep_all(version, now=now))
    one_percent = min(spoilt(100, version, now=now) for _ in range(3))
    everything = min(spoilt(1, version, now=now) for _ in range(2))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    detail = {
        "leads": leads,
        "hits": hits,
        "connections": CONNECTIONS,
        "leads_per_second": round(leads / one_percent),
        "python_peak_mb": round(memory),
        "bare_sum_by_rule_s": round(by_rule, 2),
        "reference_is": "sum of one weight per signal by lead, index in order, same connections",
    }
    many = publish_rules(100)
    reference_100 = best(bare_sum(many, until=now, each_rule=True), times=2)
    seconds_over_all(keep_all(many, now=now))
    hundred = min(spoilt(100, many, now=now) for _ in range(2))
    of_100 = detail | {"reference_is": "sum of the points of each of the 100 rules by lead"}
    small = memory < MAX_MEMORY_MB
    return [
        _figure("score.full, 1 % changed", one_percent, reference, MAX_RATIO, detail, also=small),
        _figure("score.full, all changed", everything, reference, MAX_RATIO_ALL, detail, also=small),
        _figure("score.full, 100 rules", hundred, reference_100, MAX_RATIO_100, of_100, also=small),
    ]


def keep_all(version: ModelVersion, *, now: datetime) -> Callable[[Range], None]:
    def keep(span: Range) -> None:
        for first, last in chunks(span, LEADS_PER_CHUNK):
            with transaction.atomic():
                keep_range(version, first=first, last=last, now=now)

    return keep


def spoilt(every: int, version: ModelVersion, *, now: datetime) -> float:
    """Seconds to score all leads after each n-th kept score was made a wrong one."""
    with connection.cursor() as cursor:
        cursor.execute(_SPOIL, {"every": every})
        cursor.execute("VACUUM scoring_leadscore")
        cursor.execute("CHECKPOINT")
    return seconds_over_all(keep_all(version, now=now))


def _figure(
    name: str, seconds: float, reference: float, most: float, detail: dict[str, object], *, also: bool
) -> Figure:
    ratio = seconds / reference
    return Figure(
        name=name,
        value=round(seconds, 2),
        unit="s",
        reference=round(reference, 2),
        ratio=round(ratio, 2),
        target=f"<= {most:g} x R0",
        holds=ratio <= most and also,
        detail=detail,
    )
