"""A portal as it runs: the classic protocol, people at their desks, real time, a real Salesforce stand-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from crm.standin.server import StandIn
from handoffs.models import Handoff
from handoffs.pipeline import advance_lead
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activity, record_lead
from leads.models import Lead
from protocol.services import load_preset
from tests.crm.conftest import seed_mappings

PASSWORD = "correct horse"
# Nobody asked about clocks yet: long before any test's lead.
PROTOCOL_SINCE = timedelta(days=60)


@dataclass
class Portal:
    """The portal under test, for a story told in Python."""

    url: str

    def ask_for_a_demo(self, name: str, *, at: datetime | None = None, title: str = "VP Operations") -> Lead:
        """Somebody at a firm of the right size fills in the form; the lead with the handoff it made."""
        at = at or timezone.now()
        first, last = name.split()
        facts = LeadFacts(
            email=f"{first}.{last}@{last}.example",
            first_name=first,
            last_name=last,
            title=title,
            country="Germany",
            company=CompanyFacts(
                name=f"{last} Logistics", domain=f"{last}.example", employee_count=250, industry="Logistics"
            ),
            source="Organic search",
        )
        lead = record_lead(facts, via="form", now=at, nudge=False).lead
        demo = ActivityFacts(event="Demo Requested", occurred_at=at, message_id=f"demo {name}")
        record_activity(lead, demo, via="form", now=at, nudge=False)
        advance_lead(lead.pk, now=at)
        lead.refresh_from_db()
        return lead


@pytest.fixture
def portal(live_server: Any, bdr: User) -> Portal:
    """`bdr` is there before the protocol, so that the preset's pool takes her in."""
    load_preset("classic", by=None, now=timezone.now() - PROTOCOL_SINCE)
    return Portal(live_server.url)


@pytest.fixture
def sign_in(page: Page, portal: Portal) -> Callable[[User], Page]:
    page.set_default_timeout(15_000)

    def as_person(user: User) -> Page:
        # What the page before still waits for must not bring its cookies back.
        page.goto("about:blank")
        page.context.clear_cookies()
        page.goto(f"{portal.url}/login/")
        page.get_by_label("Username").fill(user.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login/" not in url)
        return page

    return as_person


@pytest.fixture
def standin(settings: Any, db: None) -> Iterator[StandIn]:
    """A Salesforce of our own that the portal's settings point at."""
    seed_mappings()  # tests with real transactions empty every table
    with StandIn(client_id="journey", client_secret="journey-secret") as standin:
        settings.SALESFORCE_URL = standin.base_url
        settings.SALESFORCE_CLIENT_ID = "journey"
        settings.SALESFORCE_CLIENT_SECRET = "journey-secret"
        yield standin


def handoff_of(lead: Lead) -> Handoff:
    return Handoff.objects.filter(lead=lead).latest("created_at")
