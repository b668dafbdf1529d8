"""A call by token goes past what only browsers need, and loses nothing that it needs itself."""

from __future__ import annotations

from datetime import datetime

import pytest
from csp.constants import HEADER as CONTENT_POLICY
from csp.decorators import csp_exempt, csp_update
from django.http import HttpResponse
from django.test import Client, RequestFactory

from accounts.models import User
from accounts.tokens import issue_token
from common.content_policy import ContentPolicyMiddleware
from common.errors_on_pages import server_error

pytestmark = pytest.mark.django_db

LEADS = "/api/v1/leads/"


@pytest.fixture
def by_token(manager: User, now: datetime) -> dict[str, str]:
    secret = issue_token(manager, name="Bot", scopes=["read", "intake"], now=now).secret
    return {"Authorization": f"bearer {secret}"}


def test_it_keeps_the_headers_of_security_and_its_request_id(
    client: Client, by_token: dict[str, str]
) -> None:
    response = client.get(LEADS, headers=by_token)

    assert response.status_code == 200
    assert "default-src 'none'" in response[CONTENT_POLICY]
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Request-ID"]
    assert int(response["Content-Length"]) == len(response.content)


def test_it_asks_no_session_even_if_the_browser_has_one(
    client: Client, bdr: User, by_token: dict[str, str], django_assert_num_queries
) -> None:
    client.force_login(bdr)
    client.get(LEADS, headers=by_token)  # notes the use of the token

    with django_assert_num_queries(2):  # token and holder; the leads
        response = client.get(LEADS, headers=by_token)

    assert not response.has_header("Vary")
    assert not response.cookies


def test_a_wrong_token_is_refused_whoever_is_signed_in(client: Client, manager: User) -> None:
    client.force_login(manager)

    assert client.get(LEADS, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_person_signed_in_may_call_without_a_token(manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)

    assert client.get(LEADS).status_code == 200
    assert client.get("/leads/", headers={"Authorization": "Bearer nonsense"}).status_code == 200
    # As before, such a call must prove that it comes from our pages.
    assert client.post(LEADS, {"email": "a@b.example"}, content_type="application/json").status_code == 403


def test_a_fault_of_ours_is_told_in_json() -> None:
    response = server_error(RequestFactory().post(LEADS))

    assert response.status_code == 500
    assert response["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("wish", "policy"),
    [
        (csp_update({"img-src": ["https://pictures.example"]}), "https://pictures.example"),
        (csp_exempt(), None),
        (lambda view: view, "default-src 'none'"),
    ],
    ids=["adds to it", "without it", "as in the settings"],
)
def test_a_view_may_have_a_content_policy_of_its_own(wish, policy: str | None) -> None:
    page = ContentPolicyMiddleware(wish(lambda request: HttpResponse()))

    response = page(RequestFactory().get("/"))

    assert policy in response[CONTENT_POLICY] if policy else CONTENT_POLICY not in response
