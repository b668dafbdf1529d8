"""Living traffic over HTTP against a running portal: taken as any website's, and hard to discourage."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads
from leads.models import Activity, Lead, QuarantinedItem, Visitor
from operations.demo.portal_client import PortalClient, PortalRefused, Stopped
from operations.demo.staff import Staff, issue_keys
from operations.demo.traffic import Pace, Traffic
from protocol.services import load_preset

TOKEN, WRITE_KEY = "hp_traffic_token", "traffic_write_key"
PACE = Pace(act_every=1, newcomer_every=8, most_newcomers=3, most_acts=60)


def go_on(seconds: float) -> bool:
    """Waiting that takes no time and never stops."""
    return False


@pytest.fixture
def portal(live_server: Any, bdr: User, manager: User) -> PortalClient:
    now = timezone.now()
    load_preset("classic", by=None, now=now - timedelta(days=1))
    issue_keys(Staff({"nia": manager}), api_token=TOKEN, write_key=WRITE_KEY, now=now)
    return PortalClient(live_server.url, token=TOKEN, write_key=WRITE_KEY, wait=go_on, say=lambda words: None)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_people_look_around_and_some_ask_for_a_demo(portal: PortalClient, bdr: User) -> None:
    said: list[str] = []

    acts = Traffic(portal, rng=random.Random(7), pace=PACE, wait=go_on, say=said.append).run()
    advance_due_leads(now=timezone.now())

    assert acts == PACE.most_acts
    assert sum("asks for a demo" in line for line in said) == PACE.most_newcomers
    assert not [line for line in said if line.startswith("Refused")]
    assert not QuarantinedItem.objects.exists()
    assert Activity.objects.filter(event="Demo Requested").count() >= PACE.most_newcomers
    assert Visitor.objects.exclude(lead=None).exists(), "an identify joins what was anonymous"
    assert Lead.objects.count() > PACE.most_newcomers
    assert Handoff.objects.filter(owner=bdr).count() >= PACE.most_newcomers, "each of them qualifies"


@pytest.mark.django_db(transaction=True)
def test_it_ends_at_once_when_told_to_stop(portal: PortalClient) -> None:
    assert Traffic(portal, rng=random.Random(7), pace=PACE, wait=lambda s: True, say=print).run() == 0


@pytest.mark.django_db(transaction=True)
def test_keys_that_are_not_taken_end_it_with_the_answer(live_server: Any) -> None:
    stranger = PortalClient(live_server.url, token="hp_no", write_key="no", wait=go_on, say=print)

    with pytest.raises(PortalRefused, match="401"):
        Traffic(stranger, rng=random.Random(7), pace=PACE, wait=go_on, say=print).run()


# --- A portal that is away for a while ----------------------------------------------------------


class Receiver(BaseHTTPRequestHandler):
    """Answers everything and keeps the bodies; `refusals` says how often to answer 503 before."""

    bodies: list[dict[str, Any]]
    refusals: int

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        type(self).refusals -= 1
        self.send_response(503 if self.refusals >= 0 else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[HTTPServer]:
    Receiver.bodies, Receiver.refusals = [], 0
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_what_was_not_answered_is_sent_again_with_the_same_ids(receiver: HTTPServer) -> None:
    Receiver.refusals = 3
    said: list[str] = []
    url = f"http://127.0.0.1:{receiver.server_port}"
    client = PortalClient(url, token="t", write_key="k", wait=go_on, say=said.append)

    client.send_events([{"messageId": "m-1"}])

    assert [body["batch"][0]["messageId"] for body in Receiver.bodies] == ["m-1"] * 4
    assert any("Waiting for the portal" in line for line in said)


def test_it_waits_longer_and_longer_for_a_portal_that_is_away_and_then_stops_when_told() -> None:
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        port = server.server_port  # free again once closed
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 5

    client = PortalClient(f"http://127.0.0.1:{port}", token="t", write_key="k", wait=wait, say=lambda w: None)

    with pytest.raises(Stopped):
        client.send_events([{"messageId": "m-1"}])
    assert waits == sorted(waits)
    assert waits[-1] > 4 * waits[0]
