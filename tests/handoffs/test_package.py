"""The context package: complete, frozen, and the same bytes for ever (HAND-5)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.contact.services import BantAnswers, record_attempt, record_bant
from handoffs.models import ContextPackage, Handoff, Playbook, Pool
from handoffs.package.completeness import FACTS
from handoffs.package.content import TIMELINE_LENGTH, hash_content, is_intact, package_as_text
from handoffs.package.engagement import LOOKED_AT
from handoffs.services import accept_handoff, close_handoff, hand_off_by_hand
from leads.facts import ActivityFacts
from leads.intake import record_activities
from leads.models import Lead
from leads.services import correct_lead
from scoring.services import explain_score
from tests.desk import do, fitting_lead, offer, ready_lead, reason


def test_the_package_holds_what_a_rep_needs(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now, campaign="Spring", budget="40k", timeline="This quarter")

    content = offer(lead, now=now).package.content

    assert content["contact"]["name"] == "Lea Holm"
    assert content["contact"]["phone"] == "+49 30 1234"
    assert (content["company"]["employee_count"], content["company"]["industry"]) == (250, "Software")
    assert content["answers"]["budget"] == "40k"
    assert (content["source"]["source"], content["source"]["campaign"]) == ("Webinar", "Spring")
    assert content["timeline"][0] == {
        "at": now.isoformat(),
        "event": "Demo Requested",
        "kind": "form",
        "detail": "demo",
    }
    assert content["urgency"] == ["Asked to be contacted", "Timeline named: This quarter"]
    assert content["previous"] == []


def test_the_score_in_the_package_is_the_ledger_of_that_moment(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    score = handoff.package.content["score"]

    assert sum(line["points"] for line in score["lines"]) == score["total"] == handoff.score
    assert score["total"] == explain_score(lead, as_of=now).total


def test_the_recommended_first_contact_follows_the_signals(pool: Pool, now: datetime) -> None:
    demo = offer(ready_lead(now=now), now=now).package.content["first_contact"]
    pricing_lead = fitting_lead(now=now)
    do(pricing_lead, "Page Viewed", now=now, path="/pricing")
    pricing = offer(pricing_lead, now=now).package.content["first_contact"]

    assert (demo["playbook"], demo["channel"]) == ("Asked for a demo", "Call")
    assert demo["opening_line"].startswith("Hello Lea, you asked to see how it works.")
    assert pricing["playbook"] == "Weighs the prices"
    assert pricing["opening_line"].endswith(f"Is that your question too at {pricing_lead.company.name}?")


def test_a_playbook_may_be_for_a_source_and_an_industry(pool: Pool, now: datetime) -> None:
    ours = {"channel": "call", "timing": "Now", "opening_line": "Hello", "next_step": "Meet", "position": 0}
    Playbook.objects.create(name="Fair", sources=["trade fair"], industries=["SOFTWARE"], **ours)

    at_the_fair = offer(ready_lead(now=now, source="Trade fair"), now=now)
    elsewhere = offer(ready_lead(now=now, source="Webinar"), now=now)

    assert at_the_fair.package.content["first_contact"]["playbook"] == "Fair"
    assert elsewhere.package.content["first_contact"]["playbook"] == "Asked for a demo"


def test_what_was_asked_for_long_ago_opens_no_call_today(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now - timedelta(days=200))
    do(lead, "Demo Requested", now=now - timedelta(days=200))
    do(lead, "Page Viewed", now=now, path="/pricing")

    first_contact = offer(lead, now=now).package.content["first_contact"]

    assert first_contact["playbook"] == "Weighs the prices"


def test_without_a_playbook_nothing_is_recommended(pool: Pool, now: datetime) -> None:
    Playbook.objects.update(is_active=False)

    assert offer(ready_lead(now=now), now=now).package.content["first_contact"] is None


def test_only_the_latest_of_many_activities_are_kept(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now)
    for number in range(30):
        do(lead, "Page Viewed", now=now + timedelta(minutes=number), path=f"/page/{number}")

    content = offer(lead, now=now + timedelta(hours=1)).package.content

    assert len(content["timeline"]) == TIMELINE_LENGTH
    assert content["timeline"][0]["detail"] == "/page/29"
    assert (content["engagement"]["pages"], content["engagement"]["visits"]) == (30, 1)
    assert "30 activities within the last 24 hours" in content["urgency"]


def test_of_a_restless_lead_the_counts_say_at_least_and_the_first_visit_is_known(
    pool: Pool, now: datetime
) -> None:
    lead = fitting_lead(now=now)
    do(lead, "Page Viewed", now=now - timedelta(days=30), path="/welcome")
    facts = [
        (lead, ActivityFacts(event="Page Viewed", occurred_at=now, message_id=f"restless-{number}"))
        for number in range(LOOKED_AT)
    ]
    record_activities(facts, via="test", now=now)

    content = offer(lead, now=now).package.content

    assert content["source"]["landing_page"] == "/welcome"
    assert f"At least {LOOKED_AT} activities within the last 24 hours" in content["urgency"]
    assert "at least 500 pages" in package_as_text(lead.handoffs.get().package)


def test_colleagues_who_are_active_too_make_it_urgent(pool: Pool, now: datetime) -> None:
    for days_ago in (1, 30):
        colleague = fitting_lead(now=now, company="nordvind.example", first_name="Kim")
        do(colleague, "Page Viewed", now=now - timedelta(days=days_ago), path="/")
    lead = ready_lead(now=now, company="nordvind.example")

    assert "1 colleague active within the last 7 days" in offer(lead, now=now).package.content["urgency"]


def test_the_checklist_stands_beside_the_score_with_its_evidence(handoff: Handoff) -> None:
    """SCORE-6, in the package."""
    checklist = handoff.package.content["score"]["checklist"]

    assert [(item["label"], item["holds"]) for item in checklist] == [
        ("ICP match", True),
        ("Clear signal of interest", True),
        ("No red flags", True),
    ]
    assert checklist[0]["evidence"] == "35 of 20 fit points"


def test_an_earlier_handoff_is_told_with_what_was_tried_and_learnt(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    owner = handoff.owner
    accept_handoff(handoff, by=owner, now=now)
    record_attempt(handoff, channel="call", outcome="voicemail", by=owner, now=now)
    record_attempt(handoff, channel="email", outcome="sent", by=owner, now=now + timedelta(hours=1))
    answers = BantAnswers(budget="no", budget_evidence="Frozen until May", need="unknown")
    record_bant(handoff, answers=answers, by=owner, now=now)
    later = now + timedelta(days=1)
    close_handoff(handoff, lead, status=Handoff.Status.LOST, note="No money this year", by=owner, now=later)

    (earlier,) = offer(lead, now=later).package.content["previous"]

    assert (earlier["outcome"], earlier["reason"], earlier["owner"]) == (
        "Lost", "No money this year", str(owner)
    )  # fmt: skip
    assert (earlier["attempts"], earlier["last_attempt"]) == (2, "E-mail: sent")
    assert earlier["learnt"] == ["Budget no: Frozen until May"]
    again = Handoff.objects.latest("pk").package
    assert "Came back after an earlier handoff" in again.content["urgency"]


def test_what_went_from_rep_to_rep_did_not_come_back(handoff: Handoff, lead: Lead, now: datetime) -> None:
    reject_handoff(
        handoff,
        reason=reason("wrong-rep"),
        by=handoff.owner,
        via=Verdict.Via.PAGE,
        now=now + timedelta(hours=1),
    )

    rerouted = Handoff.objects.open().get(lead=lead).package.content

    assert [earlier["passed_on"] for earlier in rerouted["previous"]] == [True]
    assert "Came back after an earlier handoff" not in rerouted["urgency"]


@pytest.mark.parametrize("value", [None, 5, ["x"], {"a": 1}, "  "])
def test_a_property_that_is_no_text_says_nothing(pool: Pool, now: datetime, value: object) -> None:
    lead = fitting_lead(now=now)
    do(lead, "Demo Requested", now=now, form=value)

    assert offer(lead, now=now).package.content["timeline"][0]["detail"] == ""


def test_the_hash_is_that_of_the_stored_content(handoff: Handoff) -> None:
    stored = ContextPackage.objects.get()

    canonical = json.dumps(stored.content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert stored.content_hash == hashlib.sha256(canonical.encode()).hexdigest()
    assert stored.content_hash == hash_content(stored.content)


def test_a_package_proves_what_the_rep_saw(handoff: Handoff) -> None:
    stored = ContextPackage.objects.get()
    assert is_intact(stored)

    stored.content["contact"]["phone"] = "+49 30 9999"

    assert not is_intact(stored)


def test_what_the_lead_does_later_leaves_the_package_as_it_was(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    before = handoff.package.content_hash

    correct_lead(lead, changes={"title": "CEO"}, by=marketing, at=now, via="page")

    stored = ContextPackage.objects.get()
    assert (stored.content_hash, stored.content["contact"]["title"]) == (before, "VP Sales")


def test_a_lead_without_company_or_name_has_a_package_too(pool: Pool, marketing: User, now: datetime) -> None:
    lead = Lead.objects.create(email="x@mail.example", created_at=now)

    package = hand_off_by_hand(lead, by=marketing, reason="They called", now=now).package

    assert package.content["contact"]["name"] == "x@mail.example"
    assert package.content["company"]["employee_count"] is None
    assert "there" in package.content["first_contact"]["opening_line"]
    assert package_as_text(package).startswith("x@mail.example\n")


def test_every_fact_that_can_be_required_is_in_the_content(handoff: Handoff) -> None:
    for fact in FACTS.values():
        assert fact.key in handoff.package.content[fact.section]


# --- As text ------------------------------------------------------------------------------------


def test_the_text_says_who_why_and_what_first(handoff: Handoff) -> None:
    text = package_as_text(handoff.package, zone=ZoneInfo("Europe/Berlin"))

    assert text.startswith("Lea Holm, VP Sales\n")
    assert "85 points (fit 35, engagement 50)" in text
    assert "First contact: Call. Now, while it is on their mind" in text
    assert "Next step: Book the demo with everybody who decides" in text
    assert "Tue 3 Mar 2026, 13:00, Demo Requested, demo" in text
    assert "If they say “Send me the prices”: ask for the number of users first" in text


def test_a_full_package_is_read_in_two_minutes(pool: Pool, now: datetime) -> None:
    """HAND-5. Adults read 238 words of English a minute silently."""
    answers = {"budget": "40k", "timeline": "This quarter", "current_solution": "Spreadsheets, " * 5}
    lead = fitting_lead(
        now=now, campaign="Spring", pain_point="Leads get lost between two teams. " * 5, **answers
    )
    for number in range(60):
        at = now - timedelta(hours=7 * number)
        do(lead, "Case Study Viewed", now=at, title=f"How customer {number} halved waiting at the gate")
    do(lead, "Demo Requested", now=now, form="Book a demo")

    text = package_as_text(offer(lead, now=now).package)

    assert len(text.split()) < 2 * 238


def test_the_text_is_cut_at_the_end_of_a_line(handoff: Handoff) -> None:
    whole = package_as_text(handoff.package)

    for limit in range(5, len(whole) + 2):
        cut = package_as_text(handoff.package, limit=limit)
        assert len(cut) <= limit
    assert package_as_text(handoff.package, limit=len(whole)) == whole
    assert package_as_text(handoff.package, limit=60).endswith("\n…")
