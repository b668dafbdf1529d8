"""http.crowd: 200 BDRs at their queues for five minutes, all on this machine: web, worker, database, clients.

What each BDR does is in `bench/crowd/people.py`: the page polls every five seconds, and every 30 to 60
seconds they accept, reject, claim or log a call, by the same requests as the page makes, with session and
CSRF token. Real ones do less: each gets some 50 leads a week. Meanwhile a new lead per BDR comes over the API
every 150 seconds, and the worker hands it over where somebody has room, else to the overflow queue, where the
BDRs of a pool compete for what is on top. Web server (two workers of four threads) and worker run as `make
demo` runs them.

The clients are threads of one process. They take their share of the cores, which stands in the figure's
detail; times are taken by them and hold the wait for a core as well.

It holds when 95 of 100 answers come within 150 ms, over everything a page asks for and over each kind of act
by itself; when nothing fails (an answer 5xx, a broken connection, any status the page does not expect; that
somebody was quicker is an answer, and counted as one); and when the database says afterwards that nothing was
taken twice, and that every act answered as done is on record exactly once (`bench/crowd/diary.py`).

The reference is five minutes of ten other BDRs one after the other, with nobody else there and no waiting.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from accounts.models import User
from bench.crowd.browser import Browser
from bench.crowd.desk import BDRS_PER_TEAM, INTAKE, WebForm, open_desk
from bench.crowd.diary import ENTRIES, Diary, faults, summary
from bench.crowd.people import Bdr, in_real_time, without_waiting
from bench.figures import Figure
from bench.installation import web_server, worker
from bench.population import populate
from bench.sessions import session_cookie

TARGET_P95_MS = 150
WEB_WORKERS = 2
ALONE = BDRS_PER_TEAM  # a team of their own
ALONE_SECONDS = 300.0
FRESH_LEAD_SECONDS = 150.0  # one per BDR
# They come one after the other; what is measured begins when the last one is there.
ARRIVING_SECONDS = 20.0


def measure(database_url: str) -> list[Figure]:
    seconds = float(os.environ.get("BENCH_CROWD_SECONDS") or 300)
    number = int(os.environ.get("BENCH_CROWD_BDRS") or 200)
    populate(leads=int(os.environ.get("BENCH_LEADS") or 100_000), activities_per_lead=0)
    people = open_desk(bdrs=number + ALONE)
    crowd, alone = people[:number], people[number:]
    with web_server(WEB_WORKERS) as port:
        by_themselves = _one_after_the_other(alone, port)
        with worker():
            together, share = _all_at_once(crowd, port, seconds=seconds)
    wrong = faults(by_themselves.done + together.done)
    for line in wrong:
        print(line, file=sys.stderr)
    detail = {
        "bdrs": number,
        "seconds": seconds,
        "web_workers": WEB_WORKERS,
        "cores": os.cpu_count(),
        "cores_taken_by_clients": round(share, 3),
    }
    return _figures(together, by_themselves, wrong, detail=detail)


def _one_after_the_other(people: Sequence[User], port: int) -> Diary:
    """Five minutes of each without the waiting. The first one warms up the server and is not timed."""
    diary = Diary()
    for person in people:
        _at_their_desk(person, port, diary).work(comes_at=0.0, leaves_at=ALONE_SECONDS, wait=without_waiting)
        diary.timed_from = diary.timed_from or time.perf_counter()
    return diary


def _all_at_once(people: Sequence[User], port: int, *, seconds: float) -> tuple[Diary, float]:
    """What they were answered once all were there, and how much of a core the clients took."""
    diary = Diary()
    arriving = min(ARRIVING_SECONDS, seconds)
    leaves_at = arriving + seconds
    bdrs = [_at_their_desk(person, port, diary) for person in people]
    form = WebForm(port, diary=diary)
    every, teams = FRESH_LEAD_SECONDS / len(people), -(-len(people) // BDRS_PER_TEAM)
    started, cpu = time.perf_counter(), time.process_time()
    wait = in_real_time(started)
    with ThreadPoolExecutor(len(people) + 1) as threads:
        shifts = [
            threads.submit(bdr.work, comes_at=arriving * place / len(people), leaves_at=leaves_at, wait=wait)
            for place, bdr in enumerate(bdrs)
        ]
        shifts.append(threads.submit(form.send, every=every, until=leaves_at, teams=teams, wait=wait))
        for shift in shifts:
            shift.result()
    share = (time.process_time() - cpu) / (time.perf_counter() - started)
    diary.timed_from = started + arriving
    return diary, share


def _at_their_desk(person: User, port: int, diary: Diary) -> Bdr:
    browser = Browser(port, user_id=person.pk, cookie=session_cookie(person), diary=diary)
    return Bdr(browser, chance=random.Random(person.pk))


# --- Figures -------------------------------------------------------------------------------------


def _figures(together: Diary, alone: Diary, wrong: Sequence[str], *, detail: dict[str, Any]) -> list[Figure]:
    """One of all that was asked, which says whether the promise holds, and one of each kind of act."""
    crowded, lonely = together.milliseconds(), alone.milliseconds()
    acts = [
        _figure(f"http.crowd, {act}", crowded[act], lonely[act])
        for act in ENTRIES
        if act in crowded and act in lonely  # a very short run may lack one
    ]
    pages = {kind: each for kind, each in crowded.items() if kind not in INTAKE}
    everything = _figure("http.crowd", _flat(pages), _flat(lonely))
    errors = together.errors() | alone.errors()
    more = {
        "p95_by_kind": {kind: summary(each) for kind, each in crowded.items()},
        "reference_by_kind": {kind: summary(each) for kind, each in lonely.items()},
        "errors": errors,
        "lost_races": together.lost_races(),
        "wrong_on_record": list(wrong[:20]),
        "reference_is": "five minutes of ten other BDRs, one after the other without waiting",
    }
    holds = not errors and not wrong and everything.holds and all(act.holds for act in acts)
    return [replace(everything, holds=holds, detail=everything.detail | more | detail), *acts]


def _figure(name: str, milliseconds: Sequence[float], alone: Sequence[float]) -> Figure:
    crowded, lonely = summary(milliseconds), summary(alone)
    return Figure(
        name=name,
        value=crowded["p95"],
        unit="ms p95",
        reference=lonely["p95"],
        ratio=round(crowded["p95"] / lonely["p95"], 2),
        target=f"<= {TARGET_P95_MS} ms",
        holds=crowded["p95"] <= TARGET_P95_MS,
        detail={"crowded": crowded, "alone": lonely},
    )


def _flat(by_kind: Mapping[str, Sequence[float]]) -> list[float]:
    return [each for kind in by_kind.values() for each in kind]
