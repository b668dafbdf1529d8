"""http.create: a new lead over the API, with everything that happens before the answer.

Each request is one POST /api/v1/leads/ of a person nobody knows yet, half of them at a company known, of
which they say something else, half at a new one. In order: token and holder (one statement, no cache), rate,
JSON and field checks, begin; the look for address, external id and domain (the deduplication), with what else
was said of a known company; the insert of company, lead and log entry, whose revision is the outbox mark for
Salesforce; the score by the active version, computed and kept; commit, synced to disk; the answer with the
score. 6 statements; 9 when a company is contradicted anew, as one request in eight does. Nothing is put off
until after the answer.

Clients are threads on this machine; they take their share of its cores.

The reference is what the database alone gives: the same number of connections committing one bare INSERT of a
row of a lead's size each, with psycopg, until the same count is reached.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Callable

import psycopg
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from bench.figures import Figure, percentile
from bench.installation import web_server
from bench.population import populate

CLIENTS = 4
WEB_WORKERS = 2
TARGET_PER_SECOND = 300
TARGET_P99_MS = 60


def measure(database_url: str) -> Figure:
    present = int(os.environ.get("BENCH_LEADS") or 100_000)
    requests = int(os.environ.get("BENCH_REQUESTS") or 4_000)
    populate(leads=present, activities_per_lead=3)
    token = _token()
    with web_server(WEB_WORKERS) as port:
        _in_parallel(lambda client: _post_leads(port, token, client, 50, warm_up=True))
        started = time.perf_counter()
        timings = _in_parallel(lambda client: _post_leads(port, token, client, requests // CLIENTS))
        seconds = time.perf_counter() - started
    value = len(timings) / seconds
    p99 = percentile(timings, 99) * 1000
    reference = _bare_inserts_per_second(database_url, requests)
    return Figure(
        name="http.create",
        value=round(value, 1),
        unit="requests/s",
        reference=round(reference, 1),
        ratio=round(value / reference, 3),
        target=f">= {TARGET_PER_SECOND}/s, p99 <= {TARGET_P99_MS} ms",
        holds=value >= TARGET_PER_SECOND and p99 <= TARGET_P99_MS,
        detail={
            "p50_ms": round(percentile(timings, 50) * 1000, 1),
            "p95_ms": round(percentile(timings, 95) * 1000, 1),
            "p99_ms": round(p99, 1),
            "requests": len(timings),
            "clients": CLIENTS,
            "web_workers": WEB_WORKERS,
            "leads_present": present,
            "cores": os.cpu_count(),
            "reference_is": "bare INSERTs committed one by one over as many psycopg connections, per second",
        },
    )


def _token() -> str:
    now = timezone.now()
    user = User.objects.create_user("bench", password=None, role=User.Role.MANAGER)
    return issue_token(user, name="bench", scopes=list(ApiToken.Scope), now=now).secret


def _post_leads(port: int, token: str, client: int, count: int, *, warm_up: bool = False) -> list[float]:
    """Post that many new leads over one connection; return the seconds each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    timings = []
    for number in range(count):
        body = json.dumps(_lead(f"{'w' if warm_up else 'n'}{client}-{number}", number))
        started = time.perf_counter()
        connection.request("POST", "/api/v1/leads/", body, headers)
        response = connection.getresponse()
        answer = response.read()
        timings.append(time.perf_counter() - started)
        if response.status != 201:
            raise RuntimeError(f"Expected 201, got {response.status}: {answer[:300]!r}")
    connection.close()
    return timings


def _lead(name: str, number: int) -> dict[str, object]:
    domain = f"company{number + 1}.example" if number % 2 else f"{name}.example"
    return {
        "email": f"{name}@{domain}",
        "first_name": "Nora",
        "last_name": name,
        "title": "Head of Logistics",
        "country": "Germany",
        "company": {
            "name": f"Firm {domain}",
            "domain": domain,
            "employee_count": 250,
            "industry": "Logistics",
        },
        "source": "Webinar",
        "answers": {"timeline": "This quarter"},
    }


def _bare_inserts_per_second(database_url: str, count: int) -> float:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_bare (LIKE leads_lead INCLUDING DEFAULTS INCLUDING INDEXES)")
        connection.execute("ALTER TABLE bench_bare ALTER id DROP IDENTITY IF EXISTS")
        connection.execute("CREATE SEQUENCE bench_bare_id")
        connection.execute("ALTER TABLE bench_bare ALTER id SET DEFAULT nextval('bench_bare_id')")
        columns = [
            row[0]
            for row in connection.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'leads_lead'"
                " AND column_name NOT IN ('id', 'email', 'public_id')"
            )
        ]
    names = ", ".join(f'"{column}"' for column in columns)
    sql = (
        f"INSERT INTO bench_bare (public_id, email, {names})"
        f" SELECT gen_random_uuid(), %s, {names} FROM leads_lead WHERE id = %s"
    )

    def insert(client: int) -> list[float]:
        with psycopg.connect(database_url, autocommit=True) as connection:
            row = connection.execute("SELECT min(id) FROM leads_lead").fetchone()
            assert row is not None
            for number in range(count // CLIENTS):
                connection.execute(sql, [f"bare{client}-{number}@bench.example", row[0]])
        return []

    started = time.perf_counter()
    _in_parallel(insert)
    return count / (time.perf_counter() - started)


def _in_parallel(work: Callable[[int], list[float]]) -> list[float]:
    """Run the work once per client, all at once; return what all measured. Raises what any of them raised."""
    measured: list[float] = []
    problems: list[Exception] = []

    def run(client: int) -> None:
        try:
            measured.extend(work(client))
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return measured
