"""Whoever opens whatever page with whatever in its address gets a page or a refusal, never a server error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.models import User
from accounts.navigation import FIRST_PAGE
from handoffs.models import Handoff
from leads.models import QuarantinedItem
from leads.quarantine import Refusal, quarantine
from notifications.models import Notification
from scoring.models import ModelVersion
from sla.models import Clock
from tests.desk import handoff, lead, pool  # noqa: F401
from tests.factories import UserFactory

HUGE = "99999999999999999999"

# All that some page reads from its address, and the places in lists apart: a bad one is refused at once.
FILTERS = (
    "q", "tab", "category", "warmth", "status", "stage", "source", "state", "team", "owner", "kind",
    "reason", "cause", "since", "until", "days", "period", "reviewed", "selected", "page", "next", "from",
    "by", "hours", "incidents", "policy", "opened_mode", "opened_minutes",
)  # fmt: skip
PLACES = ("after", "history", "activities", "log")

ODD_VALUES = ("%00", HUGE, "nonsense", "%ff%ed%a0%80", "-1.5")
ODD_PLACES = ("%00", f"2026-01-01T00:00:00Z~{HUGE}", "2026-01-01T00:00:00%2B23:59~5")
FRAGMENT = {"HX-Request": "true"}
REQUESTS: tuple[tuple[str, dict[str, str]], ...] = (
    *(("&".join(f"{name}={value}" for name in FILTERS), {}) for value in ODD_VALUES),
    *(("&".join(f"{name}={value}" for name in PLACES), {}) for value in ODD_PLACES),
    ("&".join(f"{name}=a&{name}=b&{name}=" for name in FILTERS), {}),
    ("&".join(f"{name}=%00" for name in FILTERS), FRAGMENT),
)

# Which row a number in an address means: the first of these that the address holds.
ROWS = (
    "breaches/",
    "clocks/",
    "quarantine/",
    "lead",
    "handoffs/",
    "notifications/",
    "salesforce/",
    "scoring/",
)
FROM_PROGRAMS = ("admin/", "api/v1/", "v1/")  # with tests of their own


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for one in patterns:
        route = prefix + str(one.pattern)
        if route in FROM_PROGRAMS:
            continue
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        else:
            yield route


ROUTES = list(routes(get_resolver().url_patterns))
NUMBERED = [route for route in ROUTES if "<int:" in route]


@pytest.fixture
def numbers(handoff: Handoff, bdr: User, now: datetime) -> dict[str, int]:  # noqa: F811
    """A row for each page to show."""
    refusal = Refusal(0, "lead", "email", "This is no address.", {"email": "?"})
    quarantine([refusal], source=QuarantinedItem.Source.API, origin="token", now=now)
    clock = Clock.objects.filter(handoff_id=handoff.pk).earliest("id")
    return {
        "breaches/": clock.pk,
        "clocks/": clock.pk,
        "quarantine/": QuarantinedItem.objects.get().pk,
        "lead": handoff.lead_id,
        "handoffs/": handoff.pk,
        "notifications/": Notification.objects.earliest("id").pk,
        "salesforce/": handoff.lead_id,
        "scoring/": ModelVersion.objects.get().number,
    }


def address(route: str, numbers: dict[str, int]) -> str:
    row = next((numbers[part] for part in ROWS if part in route), 1)
    return "/" + re.sub(r"<int:\w+>", str(row), re.sub(r"<str:\w+>", "mara", route))


def sign_in(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.mark.parametrize("role", User.Role.values)
def test_no_page_breaks_on_its_address(numbers: dict[str, int], handoff: Handoff, role: str) -> None:  # noqa: F811
    client = sign_in(handoff.owner if role == User.Role.BDR else UserFactory(role=role))
    pages = [address(route, numbers) for route in ROUTES]
    opened = [page for page in pages if client.get(page).status_code == 200]

    # Whoever looks at all pages tries all addresses; the others share them.
    place = User.Role.values.index(role)
    requests = REQUESTS if role == User.Role.MANAGER else REQUESTS[place::4]

    broken = [
        (page, query, headers)
        for page in opened
        for query, headers in requests
        if client.get(f"{page}?{query}", headers=headers).status_code >= 500
    ]

    assert broken == []
    assert {FIRST_PAGE[role], f"/leads/{handoff.lead_id}/"} <= set(opened)


@pytest.mark.parametrize("number", [HUGE, "9" * 5000, "0"])
def test_a_number_beyond_all_rows_is_not_found(number: str, numbers: dict[str, int], manager: User) -> None:
    client = sign_in(manager)

    statuses = {
        route: {
            method("/" + re.sub(r"<int:\w+>", number, route)).status_code
            for method in (client.get, client.post)
        }
        for route in NUMBERED
    }

    assert len(statuses) > 20
    assert {route: found for route, found in statuses.items() if not found <= {403, 404, 405}} == {}


@pytest.mark.parametrize("role", [User.Role.BDR, User.Role.MANAGER, User.Role.MARKETING, User.Role.OPERATOR])
@pytest.mark.parametrize("value", ["\x00", HUGE, "nonsense"])
def test_no_form_breaks_on_what_is_typed(
    numbers: dict[str, int],
    handoff: Handoff,  # noqa: F811
    role: str,
    value: str,
) -> None:
    names = (
        "reason", "note", "attempt", "payload", "to", "amount", "currency", "close_on", "version", "name",
        "scopes", "theme", "away", "from", "cause", "tab", "next", "time_zone", "first_name", "email",
        "username", "password", "duplicate_of", "wake_at", "budget", "budget_evidence", "comment",
    )  # fmt: skip
    client = sign_in(handoff.owner if role == User.Role.BDR else UserFactory(role=role))
    pages = [address(route, numbers) for route in ROUTES if route != "logout/"]

    broken = [page for page in pages if client.post(page, dict.fromkeys(names, value)).status_code >= 500]

    assert broken == []
