"""The stand-in of Salesforce has pages of its own: axe finds nothing on them, and they fit a phone."""

from __future__ import annotations

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn

pytestmark = pytest.mark.browser

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def test_axe_finds_nothing_on_the_pages_of_the_stand_in_and_they_fit_a_phone(page: Page) -> None:
    trouble: list[str] = []
    page.on("console", lambda message: trouble.append(message.text) if message.location["url"] else None)
    with StandIn(client_id="id", client_secret="secret") as standin:
        ada = {"LastName": "Byron", "Company": "Engines", "Portal_Handoff_Status__c": "offered"}
        lead_id = standin.org.create(LEAD, ada, caller=Caller(standin.org.sales_user_id))
        standin.org.create(LEAD, {**ada, "LastName": "King"}, caller=Caller(standin.org.sales_user_id))
        requests.post(f"{standin.base_url}/workshop/faults", {"preset": "row_lock"}, timeout=5)
        requests.get(f"{standin.base_url}/services/data/v68.0/limits", timeout=5)

        # Colours are the same on all: one scheme a page says as much as both on each.
        for path, scheme in (
            ("/", "light"),
            (f"/{lead_id}", "dark"),
            ("/calls/1/", "light"),
            ("/workshop/", "dark"),
        ):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size(DESK)
            page.goto(standin.base_url + path)
            found = Axe().run(page)
            if found.violations_count:
                trouble.append(f"{path}: {found.generate_report()}")
            page.set_viewport_size(PHONE)
            if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
                trouble.append(f"{path} is wider than a phone")
    assert trouble == []


def test_a_lead_is_converted_by_hand(page: Page) -> None:
    with StandIn(client_id="id", client_secret="secret") as standin:
        ada = {"FirstName": "Ada", "LastName": "Byron", "Company": "Engines"}
        standin.org.create(LEAD, ada, caller=Caller(standin.org.sales_user_id, auto_assign=False))
        page.goto(standin.base_url)

        page.get_by_role("link", name="Ada Byron").click()
        page.get_by_label("Amount").fill("1200")
        page.get_by_role("button", name="Convert").click()

        expect(page.get_by_role("status")).to_contain_text("Converted.")
        page.get_by_role("link", name="Engines-").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Engines-")
        expect(page.get_by_text("1,200")).to_be_visible()
