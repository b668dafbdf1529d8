"""sla.sweep: of a million open clocks a thousand have just passed their deadline, each of another lead.

The sweep claims clocks and leads, records the breaches, begins their ladders and writes into the log of each
lead. The reference is one UPDATE … RETURNING of the same columns of the same clocks, found by the same index.
Both commit, in turns. A second figure is the same sweep among ten thousand open clocks.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from statistics import median

from django.db import connection, transaction
from django.utils import timezone

from bench.clock_population import OPEN_PER_LEAD, run_clocks
from bench.figures import Figure
from protocol.service_levels import HYBRID
from sla.models import Clock, PolicyVersion, Target
from sla.presets import load_sla_preset
from sla.sweep import sweep_clocks

FEW, MANY, DUE = 10_000, 1_000_000, 1_000
ROUNDS = 7
MOST_TIMES_BARE = 3.0
MOST_TIMES_FEW = 1.5


def measure(database_url: str) -> list[Figure]:
    many = int(os.environ.get("BENCH_CLOCKS") or MANY)
    load_sla_preset(HYBRID, by=None, now=timezone.now())
    run_clocks(leads_from=0, open_clocks=FEW, missed=0)
    among_few, bare_among_few = _milliseconds(FEW)
    run_clocks(leads_from=Clock.objects.order_by("-lead_id")[0].lead_id, open_clocks=many - FEW, missed=0)
    among_many, bare = _milliseconds(many)
    return [
        Figure(
            name="sla.sweep",
            value=round(among_many, 1),
            unit="ms",
            reference=round(bare, 1),
            ratio=round(among_many / bare, 2),
            target=f"<= {MOST_TIMES_BARE:g} x the bare UPDATE",
            holds=among_many <= MOST_TIMES_BARE * bare,
            detail={
                "open": many,
                "due": DUE,
                "rounds": ROUNDS,
                "reference_is": "UPDATE … RETURNING of the due clocks by the index, median in ms",
            },
        ),
        Figure(
            name="sla.sweep.growth",
            value=round(among_many, 1),
            unit="ms",
            reference=round(among_few, 1),
            ratio=round(among_many / among_few, 2),
            target=f"<= {MOST_TIMES_FEW:g} x among {FEW:,}",
            holds=among_many <= MOST_TIMES_FEW * among_few,
            detail={
                "open": many,
                "due": DUE,
                "bare_among_few_ms": round(bare_among_few, 1),
                "reference_is": f"the same sweep of as many due among {FEW:,} open, median in ms",
            },
        ),
    ]


def _milliseconds(open_clocks: int) -> tuple[float, float]:
    """The sweep and the bare UPDATE, in turns because the speed of a machine wanders."""
    now = timezone.now()
    decisions = Clock.objects.running().filter(kind=Target.Kind.DECISION).order_by("handoff_id")
    chosen = list(decisions.values_list("pk", flat=True)[:: open_clocks // OPEN_PER_LEAD // DUE])[:DUE]
    swept, bare = [], []
    for _ in range(ROUNDS):
        bare.append(_timed(_update_bare, chosen, now=now))
        swept.append(_timed(_sweep, chosen, now=now))
    return median(swept), median(bare)


def _timed(act: Callable[[datetime], int], chosen: Sequence[int], *, now: datetime) -> float:
    _let_fall_due(chosen, now=now)
    started = time.perf_counter()
    number = act(now)
    took = time.perf_counter() - started
    if number != DUE:
        raise RuntimeError(f"Expected {DUE} clocks to be due, found {number}.")
    return took * 1000


def _sweep(now: datetime) -> int:
    return sweep_clocks(now=now).breaches


@transaction.atomic
def _update_bare(now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE sla_clock SET breach_recorded_at = %(now)s, warn_at = NULL, next_step_at = due_at
            WHERE outcome = 'running' AND paused_at IS NULL AND breach_recorded_at IS NULL
                AND due_at < %(now)s
            RETURNING *
            """,
            {"now": now},
        )
        return len(cursor.fetchall())


def _let_fall_due(chosen: Sequence[int], *, now: datetime) -> None:
    """These have just passed their deadline and have a ladder; what earlier rounds left is cleared away."""
    version = PolicyVersion.objects.latest("pk")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE sla_clock SET breach_recorded_at = NULL, next_step_at = NULL,
                policy_version_id = %(version)s,
                started_at = %(now)s - interval '1 day',
                due_at = %(now)s - (1 + handoff_id %% 600) * interval '1 second'
            WHERE id = ANY(%(chosen)s)
            """,
            {"version": version.pk, "now": now, "chosen": list(chosen)},
        )
        for table in ("sla_clock", "leads_lead", "leads_leadevent"):
            cursor.execute(f"VACUUM ANALYZE {table}")
