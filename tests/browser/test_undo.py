"""A decision is taken back without a mouse, and the page is as it was."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from accounts.models import User
from handoffs.models import Handoff
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


def test_accepting_and_rejecting_are_undone_by_one_key(
    open_page: Open, three_offers: list[Handoff], bdr: User
) -> None:
    ana = three_offers[0]
    page = open_page(bdr, f"/queue/?selected={ana.pk}")
    article = page.locator(f"#handoff-{ana.pk}")

    page.keyboard.press("a")
    expect(article).to_have_attribute("data-status", "accepted")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.keyboard.press("u")
    expect(article).to_have_attribute("data-status", "offered")
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)

    page.keyboard.press("r")
    expect(page.locator("dialog#dialog[open]")).to_be_visible()
    page.get_by_role("button", name="Reject as: Premature").click()
    expect(page.locator("dialog#dialog[open]")).to_have_count(0)
    page.keyboard.press("u")
    expect(article).to_have_attribute("data-status", "offered")
    expect(page.locator(f"#row-{ana.pk}")).to_be_visible()
