"""The page of a handoff in a browser: many small forms, none of which loses what is typed into another."""

from __future__ import annotations

from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from feedback.models import AcceptanceReason
from handoffs.contact.services import record_attempt
from handoffs.models import Attempt, Handoff
from handoffs.services import accept_handoff
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser


@pytest.fixture
def spoken(three_offers: list[Handoff], bdr: User, now: datetime) -> Handoff:
    handoff = accept_handoff(three_offers[0], by=bdr, now=now)
    record_attempt(handoff, channel="call", outcome="connected", by=bdr, now=now)
    return handoff


@pytest.fixture
def handoff_page(open_page: Open, bdr: User, spoken: Handoff) -> Page:
    page = open_page(bdr, f"/handoffs/{spoken.pk}/")
    expect(page.locator("[data-feedback]")).to_be_visible()
    return page


def test_sending_one_form_keeps_what_is_typed_into_the_others(handoff_page: Page, spoken: Handoff) -> None:
    page = handoff_page
    page.locator("[name=really_qualified][value=no]").check(force=True)
    page.get_by_text("Another time, or with a note").click()
    page.get_by_label("What for").fill("Ask for Ms Roth")
    page.locator("[name=budget][value=yes]").check(force=True)
    page.get_by_label("Note", exact=True).fill("Calls back")
    page.get_by_label("Evidence for budget").fill("40k appro")

    # A tap does not move the cursor everywhere, and somebody may already type again when the answer comes.
    page.get_by_role("button", name="Call: Voicemail").dispatch_event("click")

    expect(page.get_by_text("Logged: Call: Voicemail.")).to_be_visible()
    page.keyboard.type("ved")
    expect(page.get_by_label("Evidence for budget")).to_have_value("40k approved")
    expect(page.get_by_label("What for")).to_have_value("Ask for Ms Roth")
    expect(page.get_by_label("What for")).to_be_visible()
    expect(page.locator("[name=budget][value=yes]")).to_be_checked()
    expect(page.locator("[name=really_qualified][value=no]")).to_be_checked()
    expect(page.get_by_label("Note", exact=True)).to_have_value("")
    assert Attempt.objects.filter(handoff=spoken, note="Calls back").exists()


def test_two_quick_taps_are_both_kept(handoff_page: Page, spoken: Handoff) -> None:
    drivers = handoff_page.locator("[name=drivers]")
    names = [drivers.nth(each).get_attribute("value") for each in range(2)]

    # Both within one moment, so the answer to the first cannot be there before the second.
    handoff_page.evaluate(
        "document.querySelectorAll('[name=drivers]').forEach((box, at) => at < 2 && box.click())"
    )

    expect(handoff_page.locator("#toasts .toast-note")).to_have_count(2)
    expect(handoff_page.locator(f"#feedback-why-kept-{spoken.pk}")).to_contain_text(str(spoken.owner))
    assert AcceptanceReason.objects.get().drivers == names
    assert [drivers.nth(each).is_checked() for each in range(2)] == [True, True]


def test_what_was_tapped_stays_under_the_thumb_and_a_refusal_is_seen(
    page: Page, handoff_page: Page, spoken: Handoff
) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    voicemail = page.get_by_role("button", name="Call: Voicemail")
    voicemail.evaluate("button => window.scrollBy(0, button.getBoundingClientRect().top - 120)")
    before = voicemail.bounding_box()

    voicemail.click()
    expect(page.get_by_text("Logged: Call: Voicemail.")).to_be_visible()
    after = voicemail.bounding_box()
    page.get_by_role("button", name="Mark as sales-qualified").click()

    assert before
    assert after
    assert abs(after["y"] - before["y"]) < 150
    expect(page.locator("#toasts")).to_contain_text("Not sales-qualified yet")
    expect(page.locator("article kbd:visible")).to_have_count(0)
