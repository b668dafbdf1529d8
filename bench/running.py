"""Which benchmarks there are, and how one is run."""

from __future__ import annotations

import importlib

from bench.figures import Figure
from bench.installation import scratch_portal

# Each module has measure(database_url) -> Figure; imported late, because models need settings.
BENCHMARKS = {
    "http.create": "bench.http_create",
    "score.one": "bench.score_one",
    "intake.to_queue": "bench.intake_to_queue",
}


def run_one(name: str) -> Figure:
    """Measure on a portal made for it. Once per process: Django takes its database once."""
    with scratch_portal() as database_url:
        figure: Figure = importlib.import_module(BENCHMARKS[name]).measure(database_url)
    return figure
