"""A form or the API brings a person in; in the same answer they are scored, routed and in a BDR's queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.tokens import issue_token
from handoffs.models import Handoff
from protocol.services import load_preset

pytestmark = pytest.mark.django_db

FORM: dict[str, Any] = {
    "email": "Ingrid.Halvorsen@Halvorsen.example",
    "first_name": "Ingrid",
    "last_name": "Halvorsen",
    "title": "COO",
    "country": "Sweden",
    "company": {"name": "Halvorsen Logistics", "employee_count": 240, "industry": "Logistics"},
    "source": "Referral",
    "answers": {"budget": "€20–40k a year", "timeline": "This quarter"},
    "consent": True,
}


@pytest.fixture
def api(bdr: User, manager: User) -> Client:
    """A client with a token of every scope, in a portal where `bdr` is the only rep."""
    load_preset("classic", by=None, now=timezone.now() - timedelta(days=1))
    secret = issue_token(manager, name="Form", scopes=["intake", "read", "work"], now=timezone.now()).secret
    return Client(headers={"authorization": f"Bearer {secret}"})


def post(client: Client, path: str, body: object) -> Any:
    return client.post(path, body, content_type="application/json")


def test_a_demo_request_is_in_the_queue_of_the_rep_whose_turn_it_is(api: Client, bdr: User) -> None:
    created = post(api, "/api/v1/leads/", FORM)
    asked = post(
        api,
        "/api/v1/activities/",
        {
            "email": "ingrid.halvorsen@halvorsen.example",
            "event": "Demo Requested",
            "message_id": "form-1",
            "occurred_at": timezone.now().isoformat(),
        },
    )
    again = post(api, "/api/v1/leads/", FORM)

    assert (created.status_code, asked.status_code, again.status_code) == (201, 201, 200)
    answer = again.json()
    assert answer["stage"] == "mql"
    assert answer["score"]["total"] == 85
    assert answer["handoff"]["owner"] is not None
    rep = Client()
    rep.force_login(bdr)
    assert "Ingrid Halvorsen" in rep.get("/queue/").content.decode()


def test_the_same_form_twice_makes_one_lead_and_one_handoff(api: Client) -> None:
    for message_id in ("form-1", "form-1"):
        post(api, "/api/v1/leads/", FORM)
        post(
            api,
            "/api/v1/activities/",
            {"email": FORM["email"], "event": "Demo Requested", "message_id": message_id},
        )

    assert post(api, "/api/v1/leads/", FORM).status_code == 200
    assert Handoff.objects.count() == 1


def test_somebody_without_intent_is_scored_and_stays_with_marketing(api: Client) -> None:
    answer = post(api, "/api/v1/leads/", FORM).json()

    assert answer["stage"] == "lead"
    assert answer["score"] == {**answer["score"], "fit": 35, "engagement": 0, "qualifies": False}
    assert answer["handoff"] is None
