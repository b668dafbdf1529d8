"""score.odoo: 81,500 open leads of diverse attributes scored again with their activities, and kept.

Odoo 19's predictive scoring re-scores as many in 7.3 to 8.2 s, 10 to 11 thousand leads a second. The
reference is the bare sum of the same hits, over as many connections.
"""

from __future__ import annotations

import os

from django.utils import timezone

from bench.figures import Figure
from bench.score_full import keep_all, spoilt
from bench.scored_population import populate_scored
from bench.spreading import CONNECTIONS, bare_sum, best, seconds_over_all

LEADS = 81_500
HITS_PER_LEAD = 10
LEADS_PER_SECOND = 110_000

# Hundreds of titles, sources, campaigns and countries, and answers that some gave.
_FACTS = {
    "title": "(ARRAY['Chief','Head of','VP','Director,','Junior','Senior','Deputy'])[1 + n % 7] || ' '"
    " || (ARRAY['Logistics','Sales','Finance','Engineering','Operations','IT','HR'])[1 + n / 7 % 7]"
    " || ' ' || n % 13",
    "country": "'Country ' || n % 97",
    "source": "'Source ' || n % 41",
    "campaign": "'Campaign ' || n % 211",
    "budget": "CASE WHEN n % 5 = 0 THEN n % 900 || ' k' ELSE '' END",
    "timeline": "CASE WHEN n % 7 = 0 THEN 'within ' || n % 12 || ' months' ELSE '' END",
    "pain_point": "CASE WHEN n % 3 = 0 THEN 'Shipments arrive late, case ' || n ELSE '' END",
}


def measure(database_url: str) -> Figure:
    leads = int(os.environ.get("BENCH_ODOO_LEADS") or LEADS)
    version = populate_scored(leads=leads, hits=leads * HITS_PER_LEAD, lead_facts=_FACTS)
    now = timezone.now()
    reference = best(bare_sum(version, until=now))
    first_time = seconds_over_all(keep_all(version, now=now))
    seconds = min(spoilt(100, version, now=now) for _ in range(5))
    rate = leads / seconds
    return Figure(
        name="score.odoo",
        value=round(rate),
        unit="leads/s",
        reference=round(leads / reference),
        ratio=round(seconds / reference, 2),
        target=f">= {LEADS_PER_SECOND:,} leads/s",
        holds=rate >= LEADS_PER_SECOND,
        detail={
            "leads": leads,
            "seconds": round(seconds, 3),
            "first_time_seconds": round(first_time, 3),
            "hits_per_lead": HITS_PER_LEAD,
            "connections": CONNECTIONS,
            "ratio_is": "seconds of re-scoring by seconds of the bare sum",
            "reference_is": "leads a second of the bare sum of their points",
        },
    )
