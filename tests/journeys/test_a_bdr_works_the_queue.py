"""A BDR's morning: accept one, fail to reject without a reason, reject with one, and Salesforce knows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from crm.standin.server import StandIn
from crm.tasks import push_stale_leads_task
from feedback.models import Recycling, Verdict
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import Lead
from tests.journeys.conftest import Portal, handoff_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_accepting_one_lead_and_returning_another_with_a_reason(
    portal: Portal, bdr: User, sign_in: Callable[[User], Page], standin: StandIn
) -> None:
    wanted = portal.ask_for_a_demo("Ingrid Halvorsen")
    unwanted = portal.ask_for_a_demo("Tobias Keller")
    page = sign_in(bdr)

    expect(page).to_have_url(f"{portal.url}/queue/")
    rows = page.get_by_role("list", name="Handoffs, most urgent first").get_by_role("listitem")
    expect(rows).to_have_count(2)

    rows.filter(has_text="Ingrid Halvorsen").hover()
    page.get_by_role("button", name="Accept Ingrid Halvorsen").click()
    expect(page.locator(f"#handoff-{handoff_of(wanted).pk}")).to_contain_text("Accepted")
    assert handoff_of(wanted).status == Handoff.Status.ACCEPTED

    rows.filter(has_text="Tobias Keller").hover()
    page.get_by_role("link", name="Reject Tobias Keller").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Reject Enter").click()
    expect(dialog.get_by_role("alert")).to_contain_text("reason")
    assert not Verdict.objects.exists()
    assert handoff_of(unwanted).status == Handoff.Status.OFFERED

    dialog.get_by_role("radio", name="Premature").check()
    dialog.get_by_role("button", name="Reject Enter").click()
    expect(page.locator(f"#row-{handoff_of(unwanted).pk}")).to_have_count(0)
    assert Verdict.objects.get().reason.code == "premature"
    unwanted.refresh_from_db()
    assert unwanted.stage == Lead.Stage.NURTURE
    assert Recycling.objects.get(lead=unwanted).wake_at is not None

    push_stale_leads_task()
    page.goto(standin.base_url)
    table = page.get_by_role("region", name="Leads").get_by_role("table")
    expect(table).to_contain_text("Halvorsen")
    expect(table).to_contain_text("Keller")


def test_a_rejected_lead_is_gone_after_a_reload_too(
    portal: Portal, bdr: User, sign_in: Callable[[User], Page]
) -> None:
    lead = portal.ask_for_a_demo("Tobias Keller")
    page = sign_in(bdr)
    page.keyboard.press("j")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Not in ICP").check()
    page.keyboard.press("Enter")
    expect(dialog).not_to_be_visible()

    page.goto(f"{portal.url}/queue/")

    expect(page.get_by_text("All clear")).to_be_visible()
    lead.refresh_from_db()
    assert lead.hold == Lead.Hold.UNTIL_FIT_CHANGES


def test_what_a_colleague_took_from_the_overflow_meanwhile_is_said_by_name(
    portal: Portal, bdr: User, other_bdr: User, sign_in: Callable[[User], Page]
) -> None:
    lead = portal.ask_for_a_demo("Ingrid Halvorsen")
    handoff = handoff_of(lead)
    handoff.pool.memberships.create(user=other_bdr)
    Handoff.objects.filter(pk=handoff.pk).update(owner=None, offered_at=None)
    page = sign_in(bdr)
    page.goto(f"{portal.url}/queue/?tab=overflow")
    page.get_by_role("listitem").filter(has_text="Ingrid Halvorsen").hover()
    expect(page.get_by_role("button", name="Claim Ingrid Halvorsen")).to_be_visible()

    accept_handoff(Handoff.objects.get(pk=handoff.pk), by=other_bdr, now=timezone.now())
    page.get_by_role("button", name="Claim Ingrid Halvorsen").click()

    expect(page.get_by_role("alert").filter(has_text="Theo Falk accepted this")).to_be_visible()
    handoff.refresh_from_db()
    assert handoff.owner == other_bdr
