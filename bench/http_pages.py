"""http.queue, http.leads, http.poll: the pages that are open all day, as finished HTML; small and large.

The same requests go over one connection to one worker of the web server (gunicorn as `make demo` runs it),
first with 10,000 leads and 2,000 handoffs, then with 1,000,000 and 200,000. A tenth of the handoffs is open,
and there is a BDR for every 60 of those: more handoffs, more BDRs, no longer queues. Times are measured at
the client, so they hold everything from the first byte sent to the last byte read.

- http.queue: a BDR's own queue, their team's, the overflow, and everybody's as a manager sees it;
- http.leads: the newest leads, a page far down, one stage, one category, a name, a company, and a BDR's own;
- http.poll: the queues once more, while nothing changes: 304 without a body.

The reference is the same mix on the small tables.
"""

from __future__ import annotations

import http.client
import os
from typing import Any

from accounts.models import User
from bench.asking import Ask, as_poll, ask_in_turn
from bench.figures import Figure, percentile
from bench.handoff_population import grow
from bench.installation import web_server
from bench.sessions import session_cookie
from leads.models import Lead

SMALL, LARGE = 10_000, 1_000_000
TARGET_P50_MS, TARGET_P95_MS, TARGET_RATIO, TARGET_POLL_MS = 15, 40, 1.3, 3


def measure(database_url: str) -> list[Figure]:
    sizes = (int(os.environ.get("BENCH_SMALL") or SMALL), int(os.environ.get("BENCH_LEADS") or LARGE))
    rounds = int(os.environ.get("BENCH_ROUNDS") or 40)
    present, timings = 0, []
    for size in sizes:
        grow(from_leads=present, to_leads=size)
        present = size
        with web_server(1) as port:
            timings.append(_time_pages(port, rounds))
    small, large = timings
    return [
        _page_figure("http.queue", small["queue"], large["queue"], sizes),
        _page_figure("http.leads", small["leads"], large["leads"], sizes),
        _poll_figure(small["poll"], large["poll"], sizes),
    ]


def _time_pages(port: int, rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of every request, by page and by request."""
    bdr = User.objects.filter(username__startswith="rep").earliest("pk")
    manager, reader = User.objects.get(username="bench-manager"), User.objects.get(username="bench-reader")
    queues = [(bdr, path) for path in ("/queue/", "/queue/?tab=team", "/queue/?tab=overflow")]
    queues += [(manager, path) for path in ("/queue/", "/queue/?tab=overflow")]
    leads = [(reader, path) for path in _lead_pages()] + [(bdr, "/leads/")]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    polls = [as_poll(connection, user, path) for user, path in queues]
    return {
        "queue": ask_in_turn(
            connection, (Ask(path, session_cookie(user)) for user, path in queues), rounds, 200
        ),
        "leads": ask_in_turn(
            connection, (Ask(path, session_cookie(user)) for user, path in leads), rounds, 200
        ),
        "poll": ask_in_turn(connection, polls, rounds, 304),
    }


def _lead_pages() -> list[str]:
    middle = Lead.objects.order_by("-created_at")[Lead.objects.count() // 2]
    after = f"{middle.created_at:%Y-%m-%dT%H:%M:%S.%fZ}~{middle.pk}"
    return [
        "/leads/",
        f"/leads/?after={after}",
        "/leads/?stage=nurture",
        "/leads/?category=A",
        f"/leads/?q={middle.last_name}",
        f"/leads/?q={middle.first_name}+{middle.last_name}",
        "/leads/?q=Company+77",
        "/leads/?q=first",
        "/leads/?q=nobody+at+all",
    ]


# --- Figures -------------------------------------------------------------------------------------


def _page_figure(
    name: str, small: dict[str, list[float]], large: dict[str, list[float]], sizes: tuple[int, int]
) -> Figure:
    p50, p95, reference = _ms(large, 50), _ms(large, 95), _ms(small, 50)
    slower = max(_median(large[each]) / _median(small[key]) for each, key in zip(large, small, strict=True))
    return Figure(
        name=name,
        value=p50,
        unit="ms",
        reference=reference,
        ratio=round(p50 / reference, 2),
        target=f"p50 <= {TARGET_P50_MS}, p95 <= {TARGET_P95_MS} ms, ratio <= {TARGET_RATIO}",
        holds=p50 <= TARGET_P50_MS and p95 <= TARGET_P95_MS and p50 / reference <= TARGET_RATIO,
        detail=_detail(small, large, sizes)
        | {"p95_ms": p95, "reference_p95_ms": _ms(small, 95), "worst_ratio_of_a_request": round(slower, 2)},
    )


def _poll_figure(
    small: dict[str, list[float]], large: dict[str, list[float]], sizes: tuple[int, int]
) -> Figure:
    p50, reference = _ms(large, 50), _ms(small, 50)
    return Figure(
        name="http.poll",
        value=p50,
        unit="ms",
        reference=reference,
        ratio=round(p50 / reference, 2),
        target=f"<= {TARGET_POLL_MS} ms, no body",
        holds=p50 <= TARGET_POLL_MS,
        detail=_detail(small, large, sizes) | {"p95_ms": _ms(large, 95)},
    )


def _detail(
    small: dict[str, list[float]], large: dict[str, list[float]], sizes: tuple[int, int]
) -> dict[str, Any]:
    return {
        "leads": sizes[1],
        "reference_leads": sizes[0],
        "median_ms_by_request": {name: round(_median(each) * 1000, 2) for name, each in large.items()},
        "reference_median_ms": [round(_median(each) * 1000, 2) for each in small.values()],
        "cores": os.cpu_count(),
        "reference_is": "the same requests on the small tables",
    }


def _median(seconds: list[float]) -> float:
    return percentile(seconds, 50)


def _ms(timings: dict[str, list[float]], percent: float) -> float:
    return round(percentile([each for per_ask in timings.values() for each in per_ask], percent) * 1000, 2)
