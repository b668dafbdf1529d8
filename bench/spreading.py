"""Work on all leads over several connections, each with a range of its own, and the bare sums beside it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise

from django.db import connection, connections
from django.db.models import Max, Min, Sum

from leads.models import Lead
from scoring.models import ModelVersion

CONNECTIONS = 2

Range = tuple[int, int]


def ranges(parts: int) -> list[Range]:
    """The ids of all leads in so many ranges of one size."""
    bounds = Lead.objects.aggregate(first=Min("pk"), last=Max("pk"))
    first, count = bounds["first"], bounds["last"] - bounds["first"] + 1
    edges = [first + count * part // parts for part in range(parts + 1)]
    return [(begin, end - 1) for begin, end in pairwise(edges)]


def chunks(span: Range, size: int) -> Iterator[Range]:
    for begin in range(span[0], span[1] + 1, size):
        yield begin, min(span[1], begin + size - 1)


def seconds_over_all(work: Callable[[Range], object]) -> float:
    """Wall time of the work on all leads, each connection with its part of them."""

    def on_its_own(span: Range) -> None:
        try:
            work(span)
        finally:
            connections.close_all()

    spans = ranges(CONNECTIONS)
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(on_its_own, spans))
    return time.perf_counter() - started


# The sum is not sent to the client, lead by lead: what counts is the adding.
_SUM = """
SELECT count(*), sum(total) FROM (
    SELECT lead_id, sum(points) AS total
    FROM scoring_signalhit JOIN (VALUES {weights}) weight (signal_id, points) USING (signal_id)
    WHERE lead_id BETWEEN %(first)s AND %(last)s AND occurred_at <= %(until)s
    GROUP BY lead_id OFFSET 0
) summed
"""
# The covering index in its order, one process for each connection.
_IN_ORDER = "SET enable_hashagg = off; SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0"


def bare_sum(version: ModelVersion, *, until: datetime, each_rule: bool = False) -> Callable[[Range], None]:
    """R0: for every lead of a range, add up the points of its hits; no window, no cap, no fit.

    One weight for each signal, the cheapest such sum; or, for many rules, the points of each rule.
    """
    rules = version.rules.exclude(signal=None)
    if each_rule:
        pairs = list(rules.values_list("signal_id", "points"))
    else:
        pairs = list(rules.values_list("signal_id").annotate(Sum("points")).order_by("signal_id"))
    sql = _SUM.format(weights=", ".join(f"({signal}::bigint, {points})" for signal, points in pairs))

    def add_up(span: Range) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_IN_ORDER)
            cursor.execute(sql, {"first": span[0], "last": span[1], "until": until})
            cursor.fetchall()

    return add_up


def best(work: Callable[[Range], object], *, times: int = 3) -> float:
    """The shortest of some runs: what else the machine does only ever adds."""
    return min(seconds_over_all(work) for _ in range(times))
