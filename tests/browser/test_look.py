"""axe finds nothing on any page, in light and dark, on a desk and on a phone, and no policy is broken."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, expect

from accounts.models import User
from crm.models import BulkJob, Drift, Exchange, Finding, LeadSync, PullFailure, Reconciliation
from feedback.disputes import dispute_verdict
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import Lead, QuarantinedItem
from leads.unsubscribing import unsubscribe_link
from scoring.backtesting.runs import advance_backtest, request_backtest
from scoring.calibration.runs import advance_calibration, request_calibration
from scoring.lifecycle.approval import approve_version, propose_version
from scoring.lifecycle.pilot import PilotPlan
from scoring.models import ModelVersion, ReleaseItem, ScoringPolicy, Signal
from scoring.services import create_draft, score_lead
from sla.incidents import declare_incident
from sla.models import Clock, EscalationStep, Policy, Ticket
from sla.versions import keep_version
from tests.browser.conftest import Open
from tests.desk import offer, ready_lead, reason
from tests.factories import UserFactory

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}

PAGES = [
    (None, "/login/"),
    (None, "/unsubscribe/{unsubscribe}/"),
    ("marketing", "/admin/handoffs/acknowledgementpolicy/add/"),
    ("bdr", "/queue/"),
    ("bdr", "/queue/?selected={offered}"),
    ("bdr", "/queue/?tab=overflow"),
    ("manager", "/queue/"),
    ("bdr", "/handoffs/{offered}/"),
    ("bdr", "/handoffs/{contacted}/"),
    ("bdr", "/handoffs/{contacted}/print/"),
    ("bdr", "/handoffs/{offered}/reject/"),
    ("manager", "/handoffs/{rejected}/"),
    ("bdr", "/leads/"),
    ("bdr", "/leads/?q=nobody"),
    ("bdr", "/leads/{lead}/"),
    ("bdr", "/routing/"),
    ("manager", "/routing/fairness/"),
    ("manager", "/routing/try/?category=A"),
    ("manager", "/routing/reassign/?person={owner}"),
    ("manager", "/admin/handoffs/pool/{pool}/change/"),
    ("manager", "/admin/handoffs/routingrule/"),
    ("marketing", "/marketing/"),
    ("marketing", "/marketing/tasks/"),
    ("marketing", "/marketing/tasks/{task}/"),
    ("marketing", "/handoffs/{rejected}/"),
    ("manager", "/marketing/disputes/"),
    ("manager", "/marketing/disputes/?tab=settled"),
    ("bdr", "/pulse/"),
    ("marketing", "/marketing/follow-up/"),
    ("marketing", "/marketing/promise/"),
    ("marketing", "/scoring/"),
    ("marketing", "/scoring/{version}/"),
    ("marketing", "/scoring/{draft}/propose/"),
    ("marketing", "/scoring/{proposed}/"),
    ("marketing", "/scoring/{pilot}/pilot/"),
    ("marketing", "/scoring/release/"),
    ("marketing", "/scoring/{draft}/backtest/"),
    ("marketing", "/scoring/{version}/backtest/"),
    ("marketing", "/scoring/calibration/"),
    ("manager", "/scoring/calibration/?goal=won&sort=lift"),
    ("marketing", "/leads/quarantine/"),
    ("marketing", "/leads/quarantine/{item}/"),
    ("marketing", "/admin/"),
    ("marketing", "/admin/scoring/modelversion/{draft_pk}/change/"),
    ("marketing", "/admin/scoring/modelversion/"),
    ("marketing", "/admin/scoring/signal/{signal}/change/"),
    ("marketing", "/scoring/grid/"),
    ("bdr", "/scoring/criteria/"),
    ("manager", "/sla/"),
    ("manager", "/sla/breaches/"),
    ("manager", "/sla/tickets/"),
    ("manager", "/sla/tickets/{ticket}/"),
    ("manager", "/sla/breaches/{breach}/"),
    ("manager", "/sla/incidents/"),
    ("manager", "/sla/incidents/{incident}/"),
    ("operator", "/sla/incidents/declare/"),
    ("manager", "/sla/policies/"),
    ("manager", "/sla/policies/{policy}/reapply/"),
    ("manager", "/admin/sla/policy/{policy}/change/"),
    ("manager", "/sla/compliance/"),
    ("manager", "/sla/what-if/?first_contact_mode=wall&first_contact_minutes=30"),
    ("operator", "/ops/"),
    ("operator", "/ops/salesforce/"),
    ("operator", "/ops/salesforce/connection/"),
    ("operator", "/ops/salesforce/connection/credentials/?url={org}&login=jwt_bearer"),
    ("operator", "/ops/salesforce/connection/check/"),
    ("operator", "/ops/salesforce/connection/share/"),
    ("operator", "/ops/salesforce/leads/{refused}/"),
    ("manager", "/ops/salesforce/comparisons/{comparison}/"),
    ("operator", "/api/docs/"),
    ("bdr", "/notifications/"),
    ("bdr", "/notifications/preferences/"),
    ("operator", "/notifications/deliveries/"),
    ("operator", "/admin/notifications/messagetemplate/add/"),
    ("operator", "/admin/notifications/channel/add/"),
    ("operator", "/admin/crm/fieldmapping/"),
    ("operator", "/admin/crm/fieldmapping/add/"),
    ("bdr", "/profile/"),
    ("bdr", "/nowhere/"),
    ("bdr", "/ops/"),
]


@pytest.fixture
def places(desk: str, bdr: User, marketing: User, manager: User, now: datetime) -> dict[str, int | str]:
    """A handoff in each state that looks different, a draft of the rules, and an item in quarantine."""
    active = ModelVersion.objects.active().get()
    draft = create_draft(based_on=active, by=marketing, now=now)
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=60)
    spoilt = QuarantinedItem.objects.create(
        source=QuarantinedItem.Source.API,
        kind="lead",
        field="email",
        reason="This is no e-mail address.",
        payload={"email": "nobody"},
        fingerprint="0" * 64,
        received_at=now,
    )
    earlier = now - timedelta(minutes=10)
    offered = offer(ready_lead(now=earlier, pain_point="Leads get lost"), now=earlier)
    contacted = accept_handoff(offer(ready_lead(now=earlier), now=earlier), by=bdr, now=earlier)
    record_attempt(contacted, channel="call", outcome="connected", note="Call in May", by=bdr, now=now)
    rejected = offer(ready_lead(now=earlier), now=earlier)
    reject_handoff(rejected, reason=reason("premature"), note="In May", by=bdr, via=Verdict.Via.PAGE, now=now)
    returned = offer(ready_lead(now=earlier), now=earlier)
    fault = reject_handoff(
        returned, reason=reason("bad-data"), note="A fax", by=bdr, via=Verdict.Via.PAGE, now=now
    )
    dispute_verdict(fault, comment="They answered it", by=marketing, now=now)
    ScoringPolicy.objects.create(min_outcomes=1)  # so that charts and figures are there to be looked at
    calibration = request_calibration(active, by=marketing, now=now)
    while advance_calibration(calibration.pk, now=now):
        pass
    backtest = request_backtest(draft, days=30, by=marketing, now=now)
    while advance_backtest(backtest.pk, now=now):
        pass
    second = UserFactory(username="lee", first_name="Lee", last_name="Sato", role=User.Role.MARKETING)
    proposed, pilot = (create_draft(based_on=active, by=second, now=now) for _ in range(2))
    ModelVersion.objects.filter(pk=proposed.pk).update(threshold=55)
    propose_version(proposed, by=second, note="Fewer, better leads", now=now)
    propose_version(pilot, by=second, note="Try it first", pilot=PilotPlan(50), now=now)
    approve_version(pilot, by=marketing, now=now)
    policy = Policy.objects.get()
    policy.targets.update(minutes=60)
    policy.steps.create(action=EscalationStep.Action.REASSIGN, after_minutes=30, kinds=["opened", "decision"])
    keep_version(policy, by=None, now=now)
    late = offer(ready_lead(now=now - timedelta(hours=2)), now=now - timedelta(hours=2))
    incident = declare_incident(
        what="E-mail was down", started_at=now - timedelta(hours=3), ended_at=earlier, by=manager, now=now
    )
    waiting = ready_lead(now=earlier)
    score_lead(waiting, now=now)
    ReleaseItem.objects.create(lead=waiting, version=active, listed_at=now, rules_changed_at=now)
    ticket = Ticket.objects.create(
        alarm=Ticket.Alarm.NO_ACTIVITY,
        subject_key=f"handoff-{contacted.pk}",
        title="Accepted, and nothing happens: Lea Holm",
        url=contacted.get_absolute_url(),
        lead=contacted.lead,
        owner=bdr,
        opened_at=earlier,
        due_at=now,
    )
    return {
        **_exchange_with_salesforce(rejected.lead, now=now),
        "unsubscribe": unsubscribe_link(waiting).rstrip("/").rpartition("/")[2],
        "proposed": proposed.number,
        "pilot": pilot.number,
        "offered": offered.pk,
        "owner": bdr.pk,
        "pool": offered.pool_id,
        "policy": policy.pk,
        "breach": Clock.objects.get(handoff_id=late.pk, kind="crm_transfer").pk,
        "incident": incident.pk,
        "contacted": contacted.pk,
        "rejected": rejected.pk,
        "task": fault.task.pk,
        "ticket": ticket.pk,
        "lead": contacted.lead_id,
        "item": spoilt.pk,
        "version": active.number,
        "draft": draft.number,
        "draft_pk": draft.pk,
        "signal": Signal.objects.get(key="pricing-page").pk,
    }


def _exchange_with_salesforce(lead: Lead, *, now: datetime) -> dict[str, int | str]:
    """A refused lead with its history, a bulk job, a finding of each kind, a difference."""
    refused = {"parked_at": now, "error_code": "DUPLICATES_DETECTED", "error": "The same person twice."}
    LeadSync.objects.update_or_create(lead=lead, defaults=refused)
    said = {"object_name": "Lead", "fields": {"Phone": "+… (12)"}, "at": now}
    Exchange.objects.create(lead=lead, direction="out", outcome="refused", words="Twice.", **said)
    Exchange.objects.create(lead=lead, direction="in", outcome="conflict", **said)
    for outcome in Finding.Outcome:
        Finding.objects.create(
            key=f"records:{outcome}", outcome=outcome, words="Found.", remedy="Do this.", checked_at=now
        )
    BulkJob.objects.create(object_name="Lead", rows=5000, created_at=now)
    PullFailure.objects.create(salesforce_id="00QHp0000000001AAA", parked_at=now, error="No number.")
    run = Reconciliation.objects.create(created_at=now, finished_at=now, compared=2, differing=1)
    Drift.objects.create(reconciliation=run, lead=lead, kind=Drift.Kind.FIELD, field="Phone", ours="+… (9)")
    return {"refused": lead.pk, "comparison": run.pk, "org": "https://acme.my.salesforce.com"}


@pytest.mark.parametrize("cast", sorted({cast or "nobody" for cast, _ in PAGES}))
def test_axe_finds_nothing(
    page: Page, open_page: Open, places: dict[str, int | str], cast: str, request: pytest.FixtureRequest
) -> None:
    """All pages of one person in one sitting; in dark only the colours can differ."""
    trouble: list[str] = []
    page.on("console", lambda message: _note(trouble, message))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    user = None if cast == "nobody" else request.getfixturevalue(cast)
    for path in (path for whose, path in PAGES if (whose or "nobody") == cast):
        page.emulate_media(color_scheme="light", reduced_motion="reduce")  # no colour halfway to another
        open_page(user, path.format(**places))
        page.wait_for_load_state("networkidle")
        found = [Axe().run(page)]
        page.emulate_media(color_scheme="dark")
        page.evaluate("() => Promise.allSettled(document.getAnimations().map(each => each.finished))")
        found.append(Axe().run(page, options={"runOnly": ["color-contrast"]}))
        trouble += [f"{path}: {each.generate_report()}" for each in found if each.violations_count]
    assert trouble == []


def _note(trouble: list[str], message: ConsoleMessage) -> None:
    # The browser reports the page's own 403 or 404, which some of these pages are. What has no address is
    # axe's own script, whose inline styles the policy refuses.
    tolerated = "Failed to load resource" in message.text or not message.location["url"]
    if message.type == "error" and not tolerated:
        trouble.append(message.text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_reject_dialog_nor_on_a_phone(
    page: Page, open_page: Open, places: dict[str, int | str], bdr: User, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(PHONE)
    open_page(bdr, "/queue/")
    on_the_list = Axe().run(page)

    page.get_by_role("link", name="Reject").first.click()
    expect(page.locator("dialog#dialog[open]")).to_be_visible()
    in_the_dialog = Axe().run(page)

    assert on_the_list.violations_count == 0, on_the_list.generate_report()
    assert in_the_dialog.violations_count == 0, in_the_dialog.generate_report()


def test_the_theme_follows_the_system_until_one_is_chosen(
    page: Page, open_page: Open, bdr: User, desk: str
) -> None:
    page.emulate_media(color_scheme="dark")
    open_page(bdr, "/profile/")
    root = page.locator("html")
    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(root).to_have_attribute("data-bs-theme", "light")

    page.get_by_role("button", name="Mara Lind").click()
    with page.expect_response("**/profile/theme/"):
        page.get_by_role("button", name="Dark").click()

    expect(root).to_have_attribute("data-bs-theme", "dark")
    page.reload()
    expect(root).to_have_attribute("data-bs-theme", "dark")
    bdr.refresh_from_db()
    assert bdr.theme == User.Theme.DARK


def test_the_first_tab_skips_to_the_content(open_page: Open, bdr: User) -> None:
    page = open_page(bdr, "/leads/")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")

    expect(page.locator("#main")).to_be_focused()


def test_every_handoff_has_a_state_with_a_word(
    open_page: Open, manager: User, places: dict[str, int | str]
) -> None:
    page = open_page(manager, f"/handoffs/{places['rejected']}/")

    expect(page.locator(".handoff-head")).to_contain_text(Handoff.Status.REJECTED.label)
