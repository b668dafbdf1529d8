"""Scoring leads, keeping what changed, and explaining any past moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import AttributeChange, Lead, LeadEvent
from scoring.models import LeadScore
from scoring.models.scores import evidence_of
from scoring.services import explain_score, score_lead, score_leads
from tests.factories import NOON, CompanyFactory, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def test_without_an_active_version_a_lead_has_no_score() -> None:
    lead = LeadFactory()

    assert score_lead(lead, now=NOON) is None
    assert explain_score(lead, as_of=NOON).version is None


def test_a_score_is_kept_with_its_version() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    version = publish({"signal": demo, "points": 30})
    lead = LeadFactory()
    do(lead, "Demo Requested")

    score = score_lead(lead, now=NOON)

    assert score is not None
    assert (score.version, score.total, score.engagement, score.fit) == (version, 30, 30, 0)
    assert (score.has_signal, score.icp_match, score.has_red_flag, score.qualifies) == (
        True,
        True,
        False,
        True,
    )
    assert (score.category, score.warmth, score.scored_at) == ("C", "accumulated", NOON)


def test_low_intent_alone_never_makes_an_mql() -> None:
    """SCORE-5: however much of it there is."""
    visit = make_signal("Visit", ["Page Viewed"], intent="low")
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": visit, "points": 20, "per_occurrence": True}, {"signal": demo, "points": 1})
    lead = LeadFactory()
    for _ in range(30):
        do(lead, "Page Viewed")

    score = score_lead(lead, now=NOON)

    assert (score.total, score.has_signal, score.qualifies) == (600, False, False)

    do(lead, "Demo Requested")
    assert score_lead(lead, now=NOON).qualifies


def test_a_disqualifier_beats_every_score() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish(
        {"signal": demo, "points": 100},
        {"signal": demo, "points": 0, "kind": "instant_mql"},
        {
            "kind": "disqualifier",
            "attribute": "email_domain",
            "operator": "one_of",
            "values": ["rival.example"],
            "points": 0,
        },
    )
    lead = LeadFactory(email="spy@rival.example")
    do(lead, "Demo Requested")

    score = score_lead(lead, now=NOON)

    assert (score.total, score.has_red_flag, score.is_instant_mql, score.qualifies) == (
        100,
        True,
        True,
        False,
    )


def test_a_returned_lead_is_returning_unless_it_raises_its_hand() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "kind": "intent", "points": 30})
    lead = LeadFactory(trips=1)

    assert score_lead(lead, now=NOON).warmth == "returning"

    do(lead, "Demo Requested")
    assert score_lead(lead, now=NOON).warmth == "hand_raiser"


def test_only_rows_whose_result_changed_are_written() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30})
    active, quiet = LeadFactory(), LeadFactory()
    score_leads([active.pk, quiet.pk], now=NOON)
    do(active, "Demo Requested")

    score_leads([active.pk, quiet.pk], now=NOON + HOUR)

    written = {score.lead_id: score.scored_at for score in LeadScore.objects.all()}
    assert written == {active.pk: NOON + HOUR, quiet.pk: NOON}


def test_a_batch_is_scored_with_as_many_queries_as_one_lead() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30})
    leads = [LeadFactory() for _ in range(30)]
    for lead in leads:
        do(lead, "Demo Requested")
    score_leads([lead.pk for lead in leads[:2]], now=NOON)

    with CaptureQueriesContext(connection) as queries:
        score_leads([lead.pk for lead in leads], now=NOON)

    statements = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 6
    assert LeadScore.objects.filter(total=30).count() == 30


def test_the_next_change_is_when_the_first_window_ends() -> None:
    visit = make_signal("Visit", ["Page Viewed"], intent="high")
    publish({"signal": visit, "points": 30, "min_count": 2, "window_days": 7})
    lead = LeadFactory()
    do(lead, "Page Viewed", NOON - 3 * DAY)
    do(lead, "Page Viewed", NOON - 1 * DAY)

    score = score_lead(lead, now=NOON)
    assert (score.total, score.next_change_at) == (30, NOON + 4 * DAY)

    assert score_lead(lead, now=NOON + 4 * DAY).total == 0


def test_an_activity_dated_ahead_counts_when_its_time_comes() -> None:
    visit = make_signal("Visit", ["Page Viewed"], intent="high")
    publish({"signal": visit, "points": 30})
    lead = LeadFactory()
    do(lead, "Page Viewed", NOON + HOUR, received_at=NOON)

    score = score_lead(lead, now=NOON)
    assert (score.total, score.next_change_at) == (0, NOON + HOUR)

    assert score_lead(lead, now=NOON + HOUR).total == 30


# The past


def test_a_past_score_leaves_out_what_was_not_received_yet() -> None:
    """SCORE-7: as it was known then, late arrivals included."""
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30}, now=NOON - 10 * DAY)
    lead = LeadFactory(created_at=NOON - 9 * DAY)
    do(lead, "Demo Requested", NOON - 5 * DAY, received_at=NOON - 1 * DAY)
    score_lead(lead, now=NOON)

    assert explain_score(lead, as_of=NOON - 2 * DAY).total == 0
    assert explain_score(lead, as_of=NOON).total == 30


def test_a_future_activity_does_not_leak_into_a_past_score() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30}, now=NOON - 10 * DAY)
    lead = LeadFactory(created_at=NOON - 9 * DAY)
    do(lead, "Demo Requested", NOON)
    score_lead(lead, now=NOON)

    past = explain_score(lead, as_of=NOON - DAY)

    assert (past.total, past.lines, past.next_change_at) == (0, (), None)


def test_a_past_score_uses_the_attributes_as_they_were() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish(
        {"attribute": "title", "operator": "has_word", "values": ["VP"], "points": 15},
        {"attribute": "company.employee_count", "operator": "between", "low": 50, "points": 10},
        {"signal": demo, "points": 1},
        now=NOON - 10 * DAY,
    )
    lead = LeadFactory(title="VP Sales", company__employee_count=500, created_at=NOON - 9 * DAY)
    AttributeChange.objects.create(
        lead=lead,
        field="title",
        old_value="Manager",
        new_value="VP Sales",
        changed_at=NOON - 5 * DAY,
        source="t",
    )
    AttributeChange.objects.create(
        company=lead.company,
        field="employee_count",
        old_value="",
        new_value="500",
        changed_at=NOON - 3 * DAY,
        source="t",
    )

    scores = [explain_score(lead, as_of=NOON - days * DAY).fit for days in (6, 4, 2)]

    assert scores == [0, 15, 25]


def test_a_past_score_uses_the_company_of_that_time() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish(
        {"attribute": "company.industry", "operator": "one_of", "values": ["Software"], "points": 10},
        {"signal": demo, "points": 20},
        now=NOON - 10 * DAY,
    )
    before, after = CompanyFactory(industry="Software"), CompanyFactory(industry="Fishing")
    lead = LeadFactory(company=after, created_at=NOON - 9 * DAY)
    AttributeChange.objects.create(
        lead=lead,
        field="company",
        old_value=str(before.pk),
        new_value=str(after.pk),
        changed_at=NOON - 5 * DAY,
        source="t",
    )

    scores = [explain_score(lead, as_of=NOON - days * DAY).fit for days in (6, 4)]

    assert scores == [10, 0]


def test_a_past_score_is_by_the_version_of_that_time() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30}, now=NOON - 10 * DAY)
    lead = LeadFactory(created_at=NOON - 9 * DAY)
    do(lead, "Demo Requested", NOON - 8 * DAY)
    score_lead(lead, now=NOON - 8 * DAY)
    publish({"signal": demo, "points": 40}, now=NOON - 5 * DAY)

    explained = [explain_score(lead, as_of=NOON - days * DAY) for days in (6, 5)]

    assert [(each.version, each.total) for each in explained] == [(1, 30), (2, 40)]


def test_a_draft_can_be_tried_on_a_lead() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30})
    lead = LeadFactory()
    do(lead, "Demo Requested")
    score_lead(lead, now=NOON)
    draft = make_draft({"signal": demo, "points": 77})

    assert explain_score(lead, as_of=NOON, version=draft).total == 77
    assert explain_score(lead, as_of=NOON).total == 30


def test_before_we_knew_the_lead_there_is_nothing_to_explain() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30}, now=NOON - 10 * DAY)
    lead = LeadFactory(created_at=NOON)

    assert explain_score(lead, as_of=NOON - DAY).version is None


def test_the_ledger_sums_to_the_kept_score() -> None:
    visit = make_signal("Visit", ["Page Viewed"], intent="high")
    bounce = make_signal("Bounce", ["Email Bounced"], is_engagement=False)
    publish(
        {"attribute": "title", "operator": "is_known", "points": 7},
        {"signal": visit, "points": 5, "per_occurrence": True, "cap": 12},
        {"signal": bounce, "points": -3, "kind": "negative"},
        threshold=10,
    )
    lead = LeadFactory()
    for days in (1, 2, 3):
        do(lead, "Page Viewed", NOON - days * DAY)
    do(lead, "Email Bounced")

    score = score_lead(lead, now=NOON)
    explanation = explain_score(lead, as_of=NOON)

    assert [(line.points, line.count) for line in explanation.lines] == [(7, 1), (12, 3), (-3, 1)]
    assert sum(line.points for line in explanation.lines) == explanation.total == score.total == 16


# Moves


def test_a_score_that_becomes_another_is_logged_once_and_the_first_is_not() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30})
    lead = LeadFactory()
    score_lead(lead, now=NOON)
    assert not lead.events.exists()

    do(lead, "Demo Requested", NOON)
    for _ in range(2):
        score_leads([lead.pk], now=NOON)

    event = lead.events.get(kind=LeadEvent.Kind.SCORE_CHANGED)
    assert event.detail == {"from": 0, "to": 30}
    lead.refresh_from_db()
    assert lead.revision == 1  # so Salesforce hears of it


# New evidence


def test_new_evidence_is_a_high_intent_signal_received_later() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    visit = make_signal("Visit", ["Page Viewed"], intent="low")
    publish({"signal": demo, "points": 30}, {"signal": visit, "points": 1})
    lead = LeadFactory()
    do(lead, "Demo Requested", NOON - 2 * DAY)
    do(lead, "Page Viewed", NOON)
    score_lead(lead, now=NOON)

    assert not evidence_of(lead, since=NOON - DAY).exists()

    do(lead, "Demo Requested", NOON - 2 * DAY, received_at=NOON)
    score_lead(lead, now=NOON)
    assert evidence_of(lead, since=NOON - DAY).exists()


def test_explaining_takes_two_queries() -> None:
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    publish({"signal": demo, "points": 30})
    lead: Lead = LeadFactory()
    explain_score(lead, as_of=NOON)

    with CaptureQueriesContext(connection) as queries:
        explain_score(lead, as_of=NOON)

    assert len(queries) == 2
