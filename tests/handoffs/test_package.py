"""The context package: complete, frozen, and the same bytes for ever (HAND-5)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from handoffs.models import ContextPackage, Handoff, PackageStandard, Playbook, Pool
from handoffs.package import FACTS, TIMELINE_LENGTH, hash_content
from handoffs.package_text import package_as_text
from handoffs.services import hand_off_by_hand
from leads.models import Lead
from leads.services import correct_lead
from scoring.services import explain_score
from tests.desk import do, fitting_lead, offer, ready_lead


def test_the_package_holds_what_a_rep_needs(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now, campaign="Spring", budget="40k", timeline="This quarter")

    content = offer(lead, now=now).package.content

    assert content["contact"]["name"] == "Lea Holm"
    assert content["contact"]["phone"] == "+49 30 1234"
    assert (content["company"]["employee_count"], content["company"]["industry"]) == (250, "Software")
    assert content["answers"]["budget"] == "40k"
    assert content["source"] == {"source": "Webinar", "campaign": "Spring"}
    assert content["timeline"][0] == {"at": now.isoformat(), "event": "Demo Requested", "detail": "demo"}
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
    assert pricing["opening_line"].endswith(f"Is that so at {pricing_lead.company.name}?")


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
    assert "At least 25 activities within the last 24 hours" in content["urgency"]


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


def test_what_the_lead_does_later_leaves_the_package_as_it_was(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    before = handoff.package.content_hash

    correct_lead(lead, changes={"title": "CEO"}, by=marketing, at=now, via="page")

    stored = ContextPackage.objects.get()
    assert (stored.content_hash, stored.content["contact"]["title"]) == (before, "VP Sales")


def test_completeness_names_what_is_missing(pool: Pool, now: datetime) -> None:
    PackageStandard.objects.update(requires=["name", "phone", "budget", "company_size"])
    lead = ready_lead(now=now, phone="")

    package = offer(lead, now=now).package

    assert (package.completeness, package.missing) == (50, ["phone", "budget"])


def test_without_a_standard_nothing_is_missing(pool: Pool, now: datetime) -> None:
    PackageStandard.objects.all().delete()

    package = offer(ready_lead(now=now), now=now).package

    assert (package.completeness, package.missing) == (100, [])


def test_every_fact_that_can_be_required_is_in_the_content(handoff: Handoff) -> None:
    for section, key in FACTS.values():
        assert key in handoff.package.content[section]


def test_a_lead_without_company_or_name_has_a_package_too(pool: Pool, marketing: User, now: datetime) -> None:
    lead = Lead.objects.create(email="x@mail.example", created_at=now)

    package = hand_off_by_hand(lead, by=marketing, reason="They called", now=now).package

    assert package.content["contact"]["name"] == "x@mail.example"
    assert package.content["company"]["employee_count"] is None
    assert "there" in package.content["first_contact"]["opening_line"]
    assert package_as_text(package).startswith("x@mail.example\n")


# --- As text ------------------------------------------------------------------------------------


def test_the_text_says_who_why_and_what_first(handoff: Handoff) -> None:
    text = package_as_text(handoff.package, zone=ZoneInfo("Europe/Berlin"))

    assert text.startswith("Lea Holm, VP Sales\n")
    assert "85 points (fit 35, engagement 50)" in text
    assert "First contact: Call. Now, while it is on their mind" in text
    assert "Next step: Book the demo with everybody who decides" in text
    assert "Tue 3 Mar 2026, 13:00, Demo Requested, demo" in text


def test_the_text_is_cut_at_the_end_of_a_line(handoff: Handoff) -> None:
    whole = package_as_text(handoff.package)

    for limit in range(5, len(whole) + 2):
        cut = package_as_text(handoff.package, limit=limit)
        assert len(cut) <= limit
    assert package_as_text(handoff.package, limit=len(whole)) == whole
    assert package_as_text(handoff.package, limit=60).endswith("\n…")
