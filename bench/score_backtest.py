"""score.backtest: 100,000 leads at 13 weekly points, each by what was known at that point.

Two connections, each with half of the leads, 20,000 of them to a statement; per point the statement's rows
are counted in the database. The reference is 13 times the bare sum, one for each point with the hits until
then, over as many connections.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from bench.figures import Figure
from bench.scored_population import populate_scored
from bench.spreading import CONNECTIONS, Range, bare_sum, best, chunks, seconds_over_all
from scoring.compile import Scope
from scoring.engine import LEADS_AT_ONCE, compiled
from scoring.models import ModelVersion

LEADS, HITS_PER_LEAD = 100_000, 10
POINTS = 13
MAX_RATIO = 1.8

_EDITS = """
INSERT INTO leads_attributechange (lead_id, field, old_value, new_value, changed_at, source)
SELECT id, 'title', 'Student', title, now() - interval '90 days' * random(), 'bench'
FROM leads_lead WHERE id % 50 = 0
"""


def measure(database_url: str) -> Figure:
    leads = int(os.environ.get("BENCH_BACKTEST_LEADS") or LEADS)
    version = populate_scored(leads=leads, hits=leads * HITS_PER_LEAD)
    with connection.cursor() as cursor:
        cursor.execute(_EDITS)
        cursor.execute("VACUUM ANALYZE leads_attributechange")
    now = timezone.now()
    points = [now - timedelta(weeks=weeks) for weeks in reversed(range(POINTS))]
    reference = sum(best(bare_sum(version, until=point), times=2) for point in points)
    seconds = min(seconds_over_all(_count_qualified(version, points)) for _ in range(3))
    ratio = seconds / reference
    return Figure(
        name="score.backtest",
        value=round(seconds, 2),
        unit="s",
        reference=round(reference, 2),
        ratio=round(ratio, 2),
        target=f"<= {MAX_RATIO:g} x {POINTS} R0",
        holds=ratio <= MAX_RATIO,
        detail={
            "leads": leads,
            "points": POINTS,
            "edited_leads": leads // 50,
            "connections": CONNECTIONS,
            "reference_is": f"{POINTS} bare sums of the hits until each point, same connections",
        },
    )


def _count_qualified(version: ModelVersion, points: list[datetime]) -> Callable[[Range], None]:
    statement = compiled(version, Scope.MOMENTS, ledger=False, historical=True)
    sql = (
        "SELECT as_of, count(*) FILTER (WHERE qualifies), sum(total), count(DISTINCT category || warmth)"
        f" FROM ({statement.sql} OFFSET 0) scored GROUP BY as_of"
    )

    def count(span: Range) -> None:
        for first, last in chunks(span, LEADS_AT_ONCE):
            with connection.cursor() as cursor:
                cursor.execute(sql, {**statement.parameters, "first": first, "last": last, "points": points})
                cursor.fetchall()

    return count
