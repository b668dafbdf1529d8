"""intake.to_queue: from sending a demo request to its being in a BDR's queue, with a web server and a worker.

One person after the other: POST /api/v1/leads/ with the form, POST /api/v1/activities/ with the request,
then the rep's own page /queue/ is read until it shows the name. All of this counts: validation,
matching, scoring, the nudge through the queue, routing, package, clocks, and the page itself.

The reference is the same page read once, by the same rep, when nothing new is to come.
"""

from __future__ import annotations

import http.client
import json
import os
import time

from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from bench.figures import Figure, percentile
from bench.installation import web_server, worker
from bench.sessions import session_cookie
from handoffs.models import Pool, PoolMembership

TARGET_P95_MS = 1_000
PATIENCE_SECONDS = 30.0
LOOK_EVERY_SECONDS = 0.02  # leaves the cores to the portal; adds this much at most
ROOMY = 1_000_000  # capacity is not what is measured


def measure(database_url: str) -> Figure:
    people = int(os.environ.get("BENCH_PEOPLE") or 100)
    rep, token = _staff()
    with web_server(2) as port, worker():
        client = _Client(port, token=token, cookie=session_cookie(rep))
        for number in range(5):
            client.ask_for_a_demo(f"Warm{number}")
        took = [client.ask_for_a_demo(f"Nora{number}") for number in range(people)]
        reading = [client.read_queue_for("")[1] for _ in range(people)]
    p95, reference = percentile(took, 95) * 1000, percentile(reading, 95) * 1000
    return Figure(
        name="intake.to_queue",
        value=round(p95, 1),
        unit="ms p95",
        reference=round(reference, 1),
        ratio=round(p95 / reference, 2),
        target=f"< {TARGET_P95_MS} ms",
        holds=p95 < TARGET_P95_MS,
        detail={
            "p50_ms": round(percentile(took, 50) * 1000, 1),
            "max_ms": round(max(took) * 1000, 1),
            "people": people,
            "cores": os.cpu_count(),
            "reference_is": "reading /queue/ once, p95, with all these people in it",
        },
    )


def _staff() -> tuple[User, str]:
    """A rep who takes everything, and a token that may send leads."""
    now = timezone.now()
    rep = User.objects.create_user("rep", password=None, role=User.Role.BDR)
    PoolMembership.objects.create(pool=Pool.objects.get(), user=rep, weekly_capacity=ROOMY, max_open=ROOMY)
    manager = User.objects.create_user("form", password=None, role=User.Role.MANAGER)
    return rep, issue_token(manager, name="form", scopes=[ApiToken.Scope.INTAKE], now=now).secret


class _Client:
    """A web form and a rep's browser in one, over one connection."""

    def __init__(self, port: int, *, token: str, cookie: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        self._bearer = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._cookie = {"Cookie": cookie}

    def ask_for_a_demo(self, first_name: str) -> float:
        """Seconds from the first byte sent until the rep's queue shows the person."""
        email = f"{first_name.lower()}@bench.example"
        started = time.perf_counter()
        self._post("/api/v1/leads/", {"email": email, "first_name": first_name, **FORM})
        self._post(
            "/api/v1/activities/",
            {"email": email, "event": "Demo Requested", "message_id": f"bench {first_name}"},
        )
        # A search keeps the page short, however many are in the queue.
        while not self.read_queue_for(first_name)[0]:
            if time.perf_counter() - started > PATIENCE_SECONDS:
                raise RuntimeError(f"{first_name} did not reach the queue: is the worker running?")
            time.sleep(LOOK_EVERY_SECONDS)
        return time.perf_counter() - started

    def read_queue_for(self, name: str) -> tuple[bool, float]:
        """Whether the rep's queue shows the name, and how long reading it took."""
        started = time.perf_counter()
        self._connection.request("GET", f"/queue/?q={name}", headers=self._cookie)
        response = self._connection.getresponse()
        page = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"Expected 200 from /queue/, got {response.status}.")
        return f'data-name="{name} Bench"' in page, time.perf_counter() - started

    def _post(self, path: str, body: dict[str, object]) -> None:
        self._connection.request("POST", path, json.dumps(body), self._bearer)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 201:
            raise RuntimeError(f"Expected 201 from {path}, got {response.status}: {answer[:300]!r}")


FORM: dict[str, object] = {
    "last_name": "Bench",
    "title": "VP Operations",
    "country": "Germany",
    "company": {"name": "Bench Logistics", "employee_count": 250, "industry": "Logistics"},
    "source": "Organic search",
}
