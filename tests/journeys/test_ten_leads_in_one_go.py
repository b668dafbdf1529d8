"""Ten leads by keyboard alone, and ten on a phone held in one hand."""

from __future__ import annotations

from collections import Counter

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import User
from handoffs.models import Handoff
from tests.journeys.conftest import PASSWORD, Portal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = ("Ada", "Bea", "Cem", "Dora", "Emil", "Fay", "Gil", "Hana", "Ivo", "Jan")
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def ten_leads(portal: Portal) -> None:
    for name in NAMES:
        portal.ask_for_a_demo(f"{name} Firma{name}")


def enter(page: Page, portal: Portal, user: User) -> None:
    """Sign in without a mouse."""
    page.set_default_timeout(15_000)
    page.goto(f"{portal.url}/login/")
    page.get_by_label("Username").focus()
    page.keyboard.type(user.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{portal.url}/queue/")


def outcomes() -> Counter[str]:
    return Counter(Handoff.objects.values_list("status", flat=True))


def test_a_bdr_works_ten_leads_by_keyboard_alone(
    page: Page, portal: Portal, ten_leads: None, bdr: User
) -> None:
    enter(page, portal, bdr)
    toasts, pane = page.locator("#toasts"), page.locator("#pane")
    rows = page.locator(".queue-row")
    expect(rows).to_have_count(10)

    # Five one by one: next, read, accept, and log the call.
    for _ in range(5):
        page.keyboard.press("n")
        expect(pane.locator("article[data-status=offered]")).to_be_visible()
        name = pane.get_by_role("heading", level=1).inner_text()
        page.keyboard.press("a")
        expect(toasts).to_contain_text(f"{name} is yours")
        page.keyboard.press("c")
        expect(pane.get_by_role("button", name="Call: Connected")).to_be_focused()
        page.keyboard.press("Enter")
        expect(pane.locator("article[data-status=contacted]")).to_be_visible()

    # Two go back: reason by its figure, Enter.
    for _ in range(2):
        page.keyboard.press("n")
        article = pane.locator("article[data-status=offered]")
        expect(article).to_be_visible()
        row = page.locator(f"#row-{article.get_attribute('data-pk')}")
        page.keyboard.press("r")
        expect(page.locator("dialog#dialog[open] .reason input").first).to_be_focused()
        page.keyboard.press("2")
        page.keyboard.press("Enter")
        expect(row).to_have_count(0)

    # The last three at once.
    for _ in range(8):
        page.keyboard.press("k")
    for _ in range(8):
        if page.locator(".queue-row.is-selected .pick").count():
            page.keyboard.press("x")
        page.keyboard.press("j")
    expect(page.locator("[data-picked]")).to_have_text("3 selected")
    page.keyboard.press("Shift+A")
    expect(toasts).to_contain_text("3 accepted.")

    expect(page.locator(".queue-row[data-status=accepted]")).to_have_count(3)
    assert outcomes() == {"contacted": 5, "accepted": 3, "rejected": 2}


def test_a_bdr_works_ten_leads_on_a_phone_by_thumb(
    browser: Browser, portal: Portal, ten_leads: None, bdr: User
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    enter(page, portal, bdr)
    page.locator(".queue-row .who a").first.tap()

    def tap_by_thumb(button: Locator) -> None:
        """Large enough for a thumb, in the half of the screen that it reaches."""
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
        assert box["y"] > PHONE["height"] / 2
        button.tap()

    for number in range(10):
        expect(page.locator("article[data-status=offered]")).to_be_visible()
        if number % 5 == 4:
            tap_by_thumb(page.locator(".action-bar [data-reject]"))
            page.get_by_role("button", name="Reject as: Premature").tap()
            page.wait_for_url(f"{portal.url}/queue/")
            if number < 9:
                page.locator(".queue-row[data-status=offered] .who a").first.tap()
        else:
            tap_by_thumb(page.locator(".action-bar [data-accept]"))
            expect(page.locator("article[data-status=accepted]")).to_be_visible()
            voicemail = page.get_by_role("button", name="Call: Voicemail")
            voicemail.evaluate("button => button.scrollIntoView({block: 'end'})")
            page.mouse.wheel(0, 160)  # clear of the bars at the bottom
            tap_by_thumb(voicemail)
            expect(page.get_by_text("Logged: Call: Voicemail.").last).to_be_visible()
            tap_by_thumb(page.locator(".thumb-bar [data-next]"))

    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert outcomes() == {"contacted": 8, "rejected": 2}
    context.close()
