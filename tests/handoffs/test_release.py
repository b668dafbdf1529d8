"""A change of rules never hands off a flood: what qualifies only by it waits for marketing (ADR 0013)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.errors import NotAllowed
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads, advance_lead
from handoffs.services import hand_off_by_hand
from leads.models import Lead
from scoring.lifecycle import release
from scoring.lifecycle.approval import approve_version, propose_promotion, propose_version
from scoring.lifecycle.membership import pilot_members
from scoring.lifecycle.pilot import PilotPlan, end_pilot
from scoring.lifecycle.release import keep_leads_back, kept_for_release, release_leads
from scoring.lifecycle.rescoring import rescore_all
from scoring.lifecycle.versions import roll_back
from scoring.models import LeadScore, ModelVersion, ReleaseItem, ScoringPolicy, Signal, SignalHit
from scoring.services import create_draft, publish_version, score_leads
from tests.desk import load_desk
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], intent="high")


@pytest.fixture
def strict(bdr: User, demo: Signal) -> ModelVersion:
    """An active version by which a demo request alone is not enough."""
    load_desk(now=NOON - 100 * DAY)
    return publish({"signal": demo, "points": 10, "per_occurrence": True}, threshold=20, now=NOON)


def generous(based_on: ModelVersion, now: object = NOON + HOUR) -> ModelVersion:
    """Publish a version by which it is."""
    draft = create_draft(based_on=based_on, by=None, now=NOON)
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=10)
    return publish_version(draft, by=None, note="Lower", now=now)  # type: ignore[arg-type]


def interested(count: int) -> list[Lead]:
    leads = [LeadFactory() for _ in range(count)]
    for lead in leads:
        do(lead, "Demo Requested", NOON - DAY)
    score_leads([lead.pk for lead in leads], now=NOON)
    Lead.objects.update(advance_at=None)
    return leads


def test_three_hundred_leads_that_qualify_by_new_rules_wait_and_ten_are_released(
    strict: ModelVersion, marketing: User
) -> None:
    interested(300)

    generous(strict)
    rescore_all(now=NOON + HOUR)
    while advance_due_leads(now=NOON + HOUR):
        pass

    assert Handoff.objects.count() == 0
    assert ReleaseItem.objects.waiting().count() == 300

    some = ReleaseItem.objects.waiting().order_by("pk")[:10].values("pk")
    assert release_leads(ReleaseItem.objects.filter(pk__in=some), by=marketing, now=NOON + 2 * HOUR) == 10
    while advance_due_leads(now=NOON + 2 * HOUR):
        pass

    assert Handoff.objects.count() == 10
    assert ReleaseItem.objects.waiting().count() == 290


def test_the_pipeline_lists_a_lead_that_it_meets_before_the_rescoring(strict: ModelVersion) -> None:
    [lead] = interested(1)
    generous(strict)

    advance_lead(lead.pk, now=NOON + HOUR)

    assert LeadScore.objects.get(lead=lead).qualifies
    assert not Handoff.objects.exists()
    assert ReleaseItem.objects.waiting().get().lead == lead


def test_new_high_intent_evidence_lets_a_listed_lead_go_by_itself(strict: ModelVersion) -> None:
    [lead] = interested(1)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    do(lead, "Demo Requested", NOON + 2 * HOUR)
    advance_lead(lead.pk, now=NOON + 2 * HOUR)

    assert Handoff.objects.get().lead == lead
    item = ReleaseItem.objects.get()
    assert (item.decision, item.decided_by) == ("overtaken", None)


def test_low_interest_does_not_let_it_go(strict: ModelVersion) -> None:
    make_signal("Visit", ["Page Viewed"], intent="low")
    [lead] = interested(1)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    do(lead, "Page Viewed", NOON + 2 * HOUR)
    advance_lead(lead.pk, now=NOON + 2 * HOUR)

    assert not Handoff.objects.exists()


def test_a_lead_kept_back_needs_evidence_from_after_that(strict: ModelVersion, marketing: User) -> None:
    [lead] = interested(1)
    generous(strict)
    rescore_all(now=NOON + HOUR)
    do(lead, "Demo Requested", NOON + 2 * HOUR)
    keep_leads_back(ReleaseItem.objects.waiting(), by=marketing, now=NOON + 3 * HOUR)

    advance_lead(lead.pk, now=NOON + 4 * HOUR)
    assert not Handoff.objects.exists()

    do(lead, "Demo Requested", NOON + 5 * HOUR)
    advance_lead(lead.pk, now=NOON + 5 * HOUR)
    assert Handoff.objects.get().lead == lead


def test_rolling_back_empties_the_list(strict: ModelVersion, marketing: User) -> None:
    interested(3)
    generous(strict)
    rescore_all(now=NOON + HOUR)
    assert ReleaseItem.objects.waiting().count() == 3

    roll_back(strict, by=marketing, now=NOON + 2 * HOUR)
    rescore_all(now=NOON + 2 * HOUR)

    assert ReleaseItem.objects.waiting().count() == 0
    assert release_leads(ReleaseItem.objects.all(), by=marketing, now=NOON + 3 * HOUR) == 0


def test_a_lead_that_qualified_before_goes_its_usual_way(strict: ModelVersion) -> None:
    [lead] = interested(1)
    do(lead, "Demo Requested", NOON - HOUR)
    score_leads([lead.pk], now=NOON)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    advance_lead(lead.pk, now=NOON + HOUR)

    assert Handoff.objects.get().lead == lead
    assert not ReleaseItem.objects.exists()


def test_a_lead_never_scored_before_goes_its_usual_way(strict: ModelVersion) -> None:
    lead = LeadFactory(advance_at=None)
    do(lead, "Demo Requested", NOON - DAY)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    advance_lead(lead.pk, now=NOON + HOUR)

    assert Handoff.objects.get().lead == lead


def test_a_lead_around_the_threshold_becomes_an_mql_once(strict: ModelVersion, marketing: User) -> None:
    """SCORE-14: however often the rules go back and forth."""
    [lead] = interested(1)
    now, lower = NOON + HOUR, generous(strict)
    rescore_all(now=now)
    release_leads(ReleaseItem.objects.waiting(), by=marketing, now=now)
    advance_lead(lead.pk, now=now)
    for version in (strict, lower, strict, lower):
        now += HOUR
        roll_back(version, by=marketing, now=now)
        rescore_all(now=now)
        while advance_due_leads(now=now):
            pass

    assert Handoff.objects.filter(lead=lead).count() == 1
    assert ReleaseItem.objects.waiting().count() == 0


def test_held_leads_and_those_with_sales_do_not_wait(strict: ModelVersion) -> None:
    held, selling, free = interested(3)
    Lead.objects.filter(pk=held.pk).update(hold=Lead.Hold.FOR_GOOD)
    Lead.objects.filter(pk=selling.pk).update(stage=Lead.Stage.SAL)

    generous(strict)
    rescore_all(now=NOON + HOUR)

    assert [item.lead for item in ReleaseItem.objects.waiting()] == [free]


def test_a_lead_that_sales_returned_is_listed_only_with_new_evidence(strict: ModelVersion) -> None:
    """FEED-2 comes before the list: without evidence there is nothing to release."""
    without, with_evidence = interested(2)
    Lead.objects.update(recycled_at=NOON - HOUR)
    do(with_evidence, "Demo Requested", NOON - 2 * DAY, received_at=NOON)
    Lead.objects.filter(pk=with_evidence.pk).update(recycled_at=NOON - HOUR)
    score_leads([with_evidence.pk], now=NOON)
    LeadScore.objects.update(qualifies=False)

    generous(strict)
    rescore_all(now=NOON + HOUR)

    assert [item.lead for item in ReleaseItem.objects.waiting()] == [with_evidence]
    advance_lead(without.pk, now=NOON + HOUR)
    assert not Handoff.objects.exists()


def test_a_lead_whose_hold_ends_after_the_change_waits_then(strict: ModelVersion) -> None:
    [lead] = interested(1)
    Lead.objects.filter(pk=lead.pk).update(hold=Lead.Hold.UNTIL_ACTIVITY)
    generous(strict)
    rescore_all(now=NOON + HOUR)
    Lead.objects.filter(pk=lead.pk).update(hold=Lead.Hold.NONE)

    advance_lead(lead.pk, now=NOON + 2 * HOUR)

    assert not Handoff.objects.exists()
    assert ReleaseItem.objects.waiting().get().lead == lead


@pytest.mark.parametrize("scored_by", ["pipeline", "rescoring"])
def test_interest_received_before_the_change_and_read_after_it_is_the_leads_own(
    strict: ModelVersion, scored_by: str
) -> None:
    [lead] = interested(1)
    do(lead, "Demo Requested", NOON + HOUR / 2)
    generous(strict)

    if scored_by == "rescoring":
        rescore_all(now=NOON + HOUR)
    advance_lead(lead.pk, now=NOON + HOUR)

    assert Handoff.objects.get().lead == lead


def test_a_signal_that_no_rule_counts_is_no_evidence(strict: ModelVersion) -> None:
    [lead] = interested(1)
    generous(strict)
    rescore_all(now=NOON + HOUR)
    make_signal("Pricing", ["Page Viewed"], intent="high")

    do(lead, "Page Viewed", NOON + 2 * HOUR)
    advance_lead(lead.pk, now=NOON + 2 * HOUR)

    assert not Handoff.objects.exists()
    assert ReleaseItem.objects.waiting().get().lead == lead


def test_a_handoff_by_hand_takes_the_lead_off_the_list(strict: ModelVersion, marketing: User) -> None:
    [lead] = interested(1)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    hand_off_by_hand(lead, by=marketing, reason="They called", now=NOON + 2 * HOUR)

    assert ReleaseItem.objects.get().decision == "overtaken"


@pytest.mark.parametrize("ends_by", ["promotion", "end"])
def test_the_end_of_a_pilot_hands_off_no_flood(
    strict: ModelVersion, marketing: User, manager: User, ends_by: str
) -> None:
    """What came while the pilot ran, or long after the active version's publish, is no evidence against a
    change that was made only now."""
    leads = interested(8)
    ScoringPolicy.objects.create(needs_second_person=False)
    if ends_by == "end":
        strict = generous(strict, now=NOON + HOUR / 4)
        rescore_all(now=NOON + HOUR / 4)
        ReleaseItem.objects.all().delete()
    draft = create_draft(based_on=strict, by=None, now=NOON)
    percent, threshold = (1, 10) if ends_by == "promotion" else (100, 90)
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=threshold)
    plan = PilotPlan(percent)
    pilot = propose_version(draft, by=marketing, note="Try", pilot=plan, now=NOON + HOUR / 2)
    if pilot.status == "proposed":
        pilot = approve_version(pilot, by=marketing, now=NOON + HOUR / 2)
    rescore_all(now=NOON + HOUR / 2)
    outside = [
        lead for lead in leads if ends_by == "end" or not pilot_members(pilot.pilot, [lead.pk], as_of=NOON)
    ]
    SignalHit.objects.filter(lead__in=outside).update(received_at=NOON + HOUR)

    if ends_by == "end":
        end_pilot(pilot, by=marketing, note="No", now=NOON + 2 * HOUR)
    else:
        pilot = propose_promotion(pilot, by=marketing, note="Yes", now=NOON + 2 * HOUR)
        if pilot.status == "pilot":
            approve_version(pilot, by=marketing, now=NOON + 2 * HOUR)
    rescore_all(now=NOON + 2 * HOUR)
    for lead in outside:
        advance_lead(lead.pk, now=NOON + 2 * HOUR)

    assert Handoff.objects.count() == 0
    assert ReleaseItem.objects.waiting().filter(lead__in=outside).count() == len(outside) > 0


def test_all_are_released_in_chunks(
    strict: ModelVersion, marketing: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "DECIDED_AT_ONCE", 2)
    interested(5)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    with CaptureQueriesContext(connection) as queries:
        assert release_leads(ReleaseItem.objects.waiting(), by=marketing, now=NOON + 2 * HOUR) == 5

    assert sum("FOR NO KEY UPDATE" in query["sql"] for query in queries) == 3
    assert not ReleaseItem.objects.waiting().exists()


def test_only_marketing_releases(strict: ModelVersion, manager: User, bdr: User) -> None:
    for person in (manager, bdr):
        with pytest.raises(NotAllowed):
            release_leads(ReleaseItem.objects.all(), by=person, now=NOON)
        with pytest.raises(NotAllowed):
            keep_leads_back(ReleaseItem.objects.all(), by=person, now=NOON)


def test_asking_the_list_is_one_query_for_any_number_of_leads(strict: ModelVersion) -> None:
    leads = interested(20)
    generous(strict)
    rescore_all(now=NOON + HOUR)

    with CaptureQueriesContext(connection) as queries:
        kept = kept_for_release([lead.pk for lead in leads])

    assert (len(queries), len(kept)) == (1, 20)
