"""Query strings a hostile caller would send: each is refused with a sentence, never with a server error."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from handoffs.models import Pool
from tests.desk import offer, pool, ready_lead  # noqa: F401

LISTS = ["/api/v1/leads/", "/api/v1/handoffs/", "/api/v1/activities/", "/api/v1/sla/clocks/"]
HUGE = "99999999999999999999"

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(manager: User) -> APIClient:
    """A caller with every scope, for whom a crash is a response with status 500."""
    token = issue_token(manager, name="test", scopes=ApiToken.Scope.values, now=timezone.now())
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.secret}")
    return client


def cursor(**parts: str) -> str:
    return b64encode(urlencode(parts).encode()).decode()


# --- Cursors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "position",
    ["abc", "\x00", "-1", HUGE, "2026-01-01", "0001-01-01 00:00:00+23:59", "9999-12-31 23:59:00-23:59"],
)
def test_a_forged_cursor_is_not_found(api: APIClient, path: str, position: str) -> None:
    response = api.get(path, {"cursor": cursor(p=position)})

    assert response.status_code == 404, response.content
    assert response.json()["detail"] == "Invalid cursor"


@pytest.mark.parametrize("path", ["/api/v1/leads/", "/api/v1/handoffs/", "/api/v1/sla/clocks/"])
def test_an_offset_postgresql_does_not_know_is_a_place_like_any_other(api: APIClient, path: str) -> None:
    response = api.get(path, {"cursor": cursor(p="2026-01-01 00:00:00+23:59")})

    assert response.status_code == 200, response.content


@pytest.mark.parametrize("path", LISTS)
def test_cursors_lead_through_all_rows_and_back(
    api: APIClient,
    pool: Pool,  # noqa: F811
    now: datetime,
    path: str,
) -> None:
    for _ in range(3):
        offer(ready_lead(now=now), now=now)
    everything = [row["id"] for row in api.get(path, {"page_size": 200}).json()["results"]]
    assert len(everything) >= 3

    pages, address = [], f"{path}?page_size=1"
    while address:
        page = api.get(address).json()
        pages.append((address, [row["id"] for row in page["results"]]))
        address = page["next"]
    back = page["previous"]

    assert [pk for _, ids in pages for pk in ids] == everything
    assert "cursor" in parse_qs(urlsplit(back).query)
    assert [row["id"] for row in api.get(back).json()["results"]] == [everything[-2]]


# --- Keys -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/handoffs/", "lead"),
        ("/api/v1/sla/clocks/", "lead"),
        ("/api/v1/sla/clocks/", "handoff"),
        ("/api/v1/activities/", "lead"),
    ],
)
@pytest.mark.parametrize("value", ["-1e9000", "1e5", "1.5", "0", "-1", HUGE, "9" * 5000, "x", "\x00"])
def test_what_is_no_key_is_refused_with_a_sentence(api: APIClient, path: str, name: str, value: str) -> None:
    response = api.get(path, {name: value})

    assert response.status_code == 400, response.content
    assert f"number of a {name}" in response.json()[name][0]


@pytest.mark.parametrize(
    ("path", "name"),
    [("/api/v1/handoffs/", "lead"), ("/api/v1/sla/clocks/", "lead"), ("/api/v1/sla/clocks/", "handoff")],
)
def test_the_schema_says_what_a_key_is(path: str, name: str) -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)

    (parameter,) = [one for one in schema["paths"][path]["get"]["parameters"] if one["name"] == name]

    assert parameter["schema"] == {"type": "integer", "minimum": 1, "maximum": 2**63 - 1}


@pytest.mark.parametrize(
    "verb", ["", "accept/", "accept/undo/", "reject/", "reject/undo/", "attempts/", "qualify/"]
)
@pytest.mark.parametrize("number", [HUGE, "9" * 5000, "0"])
def test_a_key_beyond_all_rows_is_not_found(api: APIClient, verb: str, number: str) -> None:
    method = api.post if verb else api.get

    assert method(f"/api/v1/handoffs/{number}/{verb}", {}, format="json").status_code == 404
    assert api.get(f"/api/v1/leads/{number}/").status_code == 404


# --- Times and text -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-01-01T00:00:00+23:59", 201),
        ("2026-01-01T00:00:00-23:59", 201),
        ("0001-01-01T00:00:00+23:59", 400),
        ("9999-12-31T23:59:00-23:59", 400),
        ("2026-01-01T00:00:00+24:00", 400),
    ],
)
def test_the_offset_of_a_reported_time_may_be_odd(api: APIClient, moment: str, status: int) -> None:
    body = {"email": "ada@acme.example", "event": "Signed Up", "occurred_at": moment}

    assert api.post("/api/v1/activities/", body, format="json").status_code == status


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1/handoffs/", "owner"),
        ("/api/v1/handoffs/", "category"),
        ("/api/v1/sla/clocks/", "owner"),
        ("/api/v1/sla/clocks/", "state"),
        ("/api/v1/sla/clocks/", "due_before"),
        ("/api/v1/leads/", "email"),
    ],
)
def test_a_nul_in_a_filter_is_no_server_error(api: APIClient, path: str, name: str) -> None:
    assert api.get(path, {name: "\x00"}).status_code == 400
