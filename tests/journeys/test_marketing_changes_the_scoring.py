"""Marketing raises the points of a rule in a draft, publishes it, and the scores follow (SCORE-1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from handoffs.pipeline import advance_due_leads
from scoring.models import LeadScore, ModelVersion, Rule
from tests.journeys.conftest import Portal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_points_changed_in_a_draft_count_only_once_it_is_published(
    portal: Portal, marketing: User, sign_in: Callable[[User], Page]
) -> None:
    lead = portal.ask_for_a_demo("Ingrid Halvorsen")
    before = LeadScore.objects.get(lead=lead).total
    page = sign_in(marketing)

    page.goto(f"{portal.url}/scoring/")
    page.get_by_role("button", name="Change the rules").click()
    draft = ModelVersion.objects.get(status=ModelVersion.Status.DRAFT)
    rule = Rule.objects.get(version=draft, name="Decision maker")
    row = page.locator("tr, fieldset", has=page.locator(f"input[value='{rule.pk}'][name$='-id']")).last
    row.locator("input[name$='-points']").fill("25")
    page.get_by_role("button", name="Save", exact=True).click()
    rule.refresh_from_db()
    assert rule.points == 25
    advance_due_leads(now=timezone.now())
    assert LeadScore.objects.get(lead=lead).total == before

    page.goto(f"{portal.url}/scoring/{draft.number}/publish/")
    page.get_by_label("Why").fill("Decision makers close twice as often.")
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Decision makers close twice as often.").first).to_be_visible()
    advance_due_leads(now=timezone.now())  # what the worker does within the minute

    assert LeadScore.objects.get(lead=lead).total == before + 10
    page.goto(f"{portal.url}/leads/{lead.pk}/")
    expect(page.get_by_text(str(before + 10)).first).to_be_visible()


def test_a_refused_lead_shows_in_the_inbox_of_marketing(
    portal: Portal, bdr: User, marketing: User, sign_in: Callable[[User], Page]
) -> None:
    lead = portal.ask_for_a_demo("Tobias Keller")
    page = sign_in(bdr)
    page.get_by_role("listitem").filter(has_text="Tobias Keller").hover()
    page.get_by_role("link", name="Reject Tobias Keller").click()
    page.get_by_role("radio", name="Not in ICP").check()
    page.get_by_role("dialog").get_by_role("textbox", name="Note").fill("An agency of six.")
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Tobias Keller: Not in ICP").first).to_be_visible()
    page.context.clear_cookies()

    page = sign_in(marketing)

    page.goto(f"{portal.url}/marketing/")
    expect(page.get_by_text("Tobias Keller").first).to_be_visible()
    expect(page.get_by_text("An agency of six.").first).to_be_visible()
    assert lead.pk
