"""sla.page: the live board as a finished page, with 200,000 open and 50,000 missed promises.

The same requests go over one connection to one worker of the web server, first with a twentieth of that: the
whole board, one team's, and the poll of a board on which nothing has changed. Half of the missed promises are
late and still open. Times are measured at the client. The reference is the same mix on the small table.
"""

from __future__ import annotations

import http.client
import os
from typing import Any

from accounts.models import Team, User
from bench.asking import Ask, as_poll, ask_in_turn
from bench.clock_population import run_clocks
from bench.figures import Figure, percentile
from bench.installation import web_server
from bench.sessions import session_cookie
from leads.models import Lead

OPEN, OPEN_PER_MISSED, SMALLER = 200_000, 4, 20
TARGET_P95_MS = 60

Timings = dict[str, list[float]]


def measure(database_url: str) -> Figure:
    open_clocks = int(os.environ.get("BENCH_SLA_OPEN") or OPEN)
    rounds = int(os.environ.get("BENCH_ROUNDS") or 40)
    present, timings = 0, []
    for size in (open_clocks // SMALLER, open_clocks):
        added = size - present
        run_clocks(leads_from=Lead.objects.count(), open_clocks=added, missed=added // OPEN_PER_MISSED)
        present = size
        with web_server(1) as port:
            timings.append(_time_board(port, rounds))
    small, large = timings
    return _figure(small, large, open_clocks)


def _time_board(port: int, rounds: int) -> Timings:
    """Seconds of every request, by request."""
    manager = User.objects.get(username="bench-manager")
    team = Team.objects.filter(name__startswith="Bench team").earliest("pk")
    cookie = session_cookie(manager)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    pages = [Ask("/sla/", cookie), Ask(f"/sla/?team={team.pk}", cookie)]
    timings = ask_in_turn(connection, pages, rounds, 200)
    polls = ask_in_turn(connection, [as_poll(connection, manager, "/sla/")], rounds, 304)
    return timings | {f"poll {name}": seconds for name, seconds in polls.items()}


def _figure(small: Timings, large: Timings, open_clocks: int) -> Figure:
    p95, reference = _ms(large, 95), _ms(small, 95)
    return Figure(
        name="sla.page",
        value=p95,
        unit="ms (p95)",
        reference=reference,
        ratio=round(p95 / reference, 2),
        target=f"p95 <= {TARGET_P95_MS} ms",
        holds=p95 <= TARGET_P95_MS,
        detail=_detail(small, large) | {"open": open_clocks, "missed": open_clocks // OPEN_PER_MISSED},
    )


def _detail(small: Timings, large: Timings) -> dict[str, Any]:
    return {
        "p50_ms": _ms(large, 50),
        "reference_p50_ms": _ms(small, 50),
        "p95_ms_by_request": {name: round(percentile(each, 95) * 1000, 2) for name, each in large.items()},
        "cores": os.cpu_count(),
        "reference_is": "the same requests on a twentieth of the promises",
    }


def _ms(timings: Timings, percent: float) -> float:
    return round(percentile([each for per_ask in timings.values() for each in per_ask], percent) * 1000, 2)
