"""The live board in a browser: accessible in both themes and on a phone, and counting without the server."""

from __future__ import annotations

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from sla.models import Clock
from tests.factories import LeadFactory, TeamFactory, UserFactory
from tests.sla.factories import ClockFactory

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]

SECOND = timedelta(seconds=1)


@pytest.fixture
def owner(transactional_db) -> User:
    return UserFactory(username="mara", first_name="Mara", last_name="Lind", team=TeamFactory(name="Inbound"))


@pytest.fixture
def page_of_manager(page: Page, live_server, owner) -> Page:
    client = Client()
    client.force_login(UserFactory(role=User.Role.MANAGER, team=owner.team))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    return page


def clock_due_in(owner: User, left: timedelta, **fields) -> Clock:
    started_at = timezone.now() + left - timedelta(hours=1)
    return ClockFactory(owner=owner, started_at=started_at, **fields)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_on_any_page(page_of_manager, live_server, owner, scheme, width):
    page = page_of_manager
    lead = LeadFactory(owner=owner, team=owner.team)
    breach = clock_due_in(owner, -600 * SECOND, lead=lead)
    clock_due_in(owner, 600 * SECOND, lead=lead)
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})

    for path in ("/sla/", "/sla/breaches/", f"/sla/breaches/{breach.pk}/", "/sla/breaches/?kind=opened"):
        page.goto(live_server.url + path)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{path}: {found.generate_report()}"


def test_a_countdown_turns_late_by_itself(page_of_manager, live_server, owner):
    clock = clock_due_in(owner, 4 * SECOND)
    page = page_of_manager
    page.goto(f"{live_server.url}/sla/")
    countdown = page.locator(f"#clock-{clock.pk} time[data-countdown]")

    expect(countdown).to_have_attribute("data-state", "warn")
    expect(countdown).to_have_attribute("data-state", "late", timeout=8_000)
    expect(countdown).to_contain_text("late")


def test_the_board_updates_itself(page_of_manager, live_server, owner):
    page = page_of_manager
    page.goto(f"{live_server.url}/sla/")
    expect(page.get_by_text("No clock is running")).to_be_visible()

    clock_due_in(owner, -60 * SECOND, lead=LeadFactory(first_name="Selma", last_name="Yilmaz"))

    expect(page.get_by_role("link", name="Selma Yilmaz")).to_be_visible(timeout=15_000)


def test_a_manager_reviews_a_breach_by_keyboard(page_of_manager, live_server, owner):
    breach = clock_due_in(owner, -600 * SECOND)
    page = page_of_manager
    page.goto(f"{live_server.url}/sla/breaches/{breach.pk}/")

    page.get_by_role("radio", name="Capacity").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type("Quarter end")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Change the review")).to_be_visible()
    breach.refresh_from_db()
    assert (breach.cause, breach.review_note) == ("prioritisation", "Quarter end")
