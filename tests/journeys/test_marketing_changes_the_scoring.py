"""Marketing changes a rule with only the browser: drafted, backtested, approved by a second person,
published, released to sales and rolled back (SCORE-1, SCORE-10)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activity, record_lead
from leads.models import Lead
from scoring.backtesting.tasks import run_waiting_backtests_task
from scoring.lifecycle.rescoring import rescore_all
from scoring.models import LeadScore, ModelVersion, Rule
from scoring.services import create_draft, publish_version
from tests.factories import UserFactory
from tests.journeys.conftest import Portal
from tests.scoring.builders import make_signal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def second(db: None) -> User:
    return UserFactory(
        username="lee", first_name="Lee", last_name="Sato", role=User.Role.MARKETING, team=None, is_staff=True
    )


def work() -> None:
    """What the workers do within the minute."""
    rescore_all(now=timezone.now())
    while advance_due_leads(now=timezone.now()):
        pass


def webinar_guest(name: str) -> Lead:
    """Somebody who fits and came to a webinar two days ago: 30 points, where 50 make an MQL."""
    at = timezone.now() - timedelta(days=2)
    first, last = name.split()
    company = CompanyFacts(
        name=f"{last} Logistics", domain=f"{last}.example", employee_count=250, industry="Logistics"
    )
    facts = LeadFacts(
        email=f"{first}.{last}@{last}.example", first_name=first, last_name=last, company=company
    )
    lead = record_lead(facts, via="form", now=at, nudge=False).lead
    webinar = ActivityFacts(event="Webinar Attended", occurred_at=at, message_id=f"webinar {name}")
    record_activity(lead, webinar, via="form", now=at, nudge=False)
    return lead


def count_webinars() -> None:
    """The active version gives ten points for a webinar."""
    webinar = make_signal("Webinar", ["Webinar Attended"], intent="high")
    active = ModelVersion.objects.active().get()
    draft = create_draft(based_on=active, by=None, now=timezone.now() - timedelta(days=50))
    Rule.objects.create(version=draft, kind="behaviour", name="Webinar", points=10, signal=webinar)
    publish_version(draft, by=None, note="Webinars", now=timezone.now() - timedelta(days=50))


def test_webinar_plus_twenty_from_the_draft_to_the_queue_and_back(
    portal: Portal, bdr: User, marketing: User, second: User, sign_in: Callable[[User], Page]
) -> None:
    count_webinars()
    lead = webinar_guest("Ingrid Halvorsen")
    work()
    before = LeadScore.objects.get(lead=lead)
    assert (before.total, before.qualifies) == (30, False)
    page = sign_in(marketing)

    # Drafted: nothing changes yet.
    page.goto(f"{portal.url}/scoring/")
    page.get_by_role("button", name="Change the rules").click()
    draft = ModelVersion.objects.get(status=ModelVersion.Status.DRAFT)
    rule = Rule.objects.get(version=draft, name="Webinar")
    page.locator("summary", has_text="Webinar").click()
    page.locator("details[open] input[name$='-points']:visible").first.fill(str(rule.points + 20))
    page.get_by_role("button", name="Save", exact=True).click()
    work()
    assert LeadScore.objects.get(lead=lead).total == before.total

    # Held against history.
    page.goto(f"{portal.url}/scoring/{draft.number}/backtest/")
    page.get_by_role("button", name="Run").click()
    run_waiting_backtests_task()
    expect(page.get_by_text("Looked back").first).to_be_visible()

    # Proposed by one, approved by another.
    page.goto(f"{portal.url}/scoring/{draft.number}/propose/")
    expect(page.get_by_text(f"+{rule.points + 20}").first).to_be_visible()
    page.get_by_role("textbox", name="Why").fill("Webinar guests close twice as often.")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("another person of marketing decides")).to_be_visible()
    page.context.clear_cookies()
    page = sign_in(second)
    page.goto(f"{portal.url}/scoring/")
    expect(page.get_by_text("Webinar guests close twice as often.").first).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("All leads scored").or_(page.get_by_text("Published")).first).to_be_visible()
    page.goto(f"{portal.url}/scoring/")
    expect(page.get_by_role("progressbar")).to_be_visible()
    work()
    expect(page.get_by_text("All leads are scored by the rules in force.")).to_be_visible()

    # No flood: the lead waits, and goes when it is released.
    assert LeadScore.objects.get(lead=lead).total == before.total + 20
    assert not Handoff.objects.exists()
    page.goto(f"{portal.url}/scoring/release/")
    page.get_by_role("checkbox", name="Ingrid Halvorsen").check()
    page.get_by_role("button", name="Release the chosen").click()
    expect(page.get_by_text("Released: 1 lead.")).to_be_visible()
    work()
    assert Handoff.objects.get().lead == lead

    # Rolled back in one click; what sales has, it keeps.
    page.goto(f"{portal.url}/scoring/")
    page.get_by_role("button", name="Roll back to version 2").click()
    expect(page.get_by_text("Rolled back to version 2").first).to_be_visible()
    work()
    assert LeadScore.objects.get(lead=lead).total == before.total
    assert Handoff.objects.open().get().lead == lead
    page.goto(f"{portal.url}/leads/{lead.pk}/")
    expect(page.get_by_text(str(before.total)).first).to_be_visible()


def test_a_refused_lead_shows_in_the_inbox_of_marketing(
    portal: Portal, bdr: User, marketing: User, sign_in: Callable[[User], Page]
) -> None:
    lead = portal.ask_for_a_demo("Tobias Keller")
    page = sign_in(bdr)
    page.get_by_role("listitem").filter(has_text="Tobias Keller").hover()
    page.get_by_role("link", name="Reject Tobias Keller").click()
    page.get_by_role("radio", name="Not in ICP").check()
    page.get_by_role("dialog").get_by_role("textbox", name="Note").fill("An agency of six.")
    page.get_by_role("dialog").get_by_role("button", name="Reject Enter").click()
    expect(page.get_by_text("Tobias Keller: Not in ICP").first).to_be_visible()
    page.context.clear_cookies()

    page = sign_in(marketing)

    page.goto(f"{portal.url}/marketing/")
    expect(page.get_by_text("Tobias Keller").first).to_be_visible()
    expect(page.get_by_text("An agency of six.").first).to_be_visible()
    assert lead.pk
