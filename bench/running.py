"""Which benchmarks there are, and how one is run."""

from __future__ import annotations

import importlib

from bench.figures import Figure
from bench.installation import scratch_portal

# Each module has measure(database_url), which yields a figure or several; imported late, because models need
# settings.
BENCHMARKS = {
    "handoff.assign": "bench.assigning",
    "http.create": "bench.http_create",
    "http.pages": "bench.http_pages",
    "http.crowd": "bench.http_crowd",
    "score.full": "bench.score_full",
    "score.odoo": "bench.score_odoo",
    "score.one": "bench.score_one",
    "score.sweep": "bench.score_sweep",
    "score.backtest": "bench.score_backtest",
    "sla.page": "bench.sla_page",
    "intake.to_queue": "bench.intake_to_queue",
    "sla.start": "bench.sla_start",
    "sla.sweep": "bench.sla_sweep",
    "sla.ladder": "bench.sla_ladder",
    "crm.bulk": "bench.crm_bulk",
    "crm.calls": "bench.crm_calls",
    "crm.latency": "bench.crm_latency",
}


def run_one(name: str) -> list[Figure]:
    """Measure on a portal made for it. Once per process: Django takes its database once."""
    with scratch_portal() as database_url:
        found: Figure | list[Figure] = importlib.import_module(BENCHMARKS[name]).measure(database_url)
    return found if isinstance(found, list) else [found]
