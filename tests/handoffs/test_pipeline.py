"""The process: facts, score, hand off once, next look. And a lead that cannot be advanced."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import transaction

from accounts.models import User
from handoffs.models import Handoff, Pool, RoutingRule
from handoffs.pipeline import (
    MAX_ATTEMPTS,
    advance_claimed_lead,
    advance_due_leads,
    advance_lead,
    retry_parked_leads,
)
from handoffs.services import withdraw_handoff
from leads.models import Lead
from leads.services import correct_lead, hold_lead, release_lead
from scoring.models import LeadScore
from tests.desk import do, fitting_lead, ready_lead

MINUTE = timedelta(minutes=1)


def test_a_lead_that_asks_for_a_demo_is_with_sales_at_once(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)

    advance_lead(lead.pk, now=now)

    handoff = Handoff.objects.get(lead=lead)
    assert handoff.owner is not None
    assert handoff.trigger == Handoff.Trigger.INSTANT


def test_points_from_several_signals_reach_the_threshold(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now)
    advance_lead(lead.pk, now=now)
    assert not Handoff.objects.exists()

    do(lead, "Page Viewed", now=now + MINUTE, path="/pricing")
    advance_lead(lead.pk, now=now + MINUTE)

    assert Handoff.objects.get(lead=lead).trigger == Handoff.Trigger.THRESHOLD


def test_advancing_twice_hands_off_once(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)

    for _ in range(2):
        advance_lead(lead.pk, now=now)

    assert Handoff.objects.count() == 1


def test_the_next_look_is_when_the_score_changes_by_itself(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)

    advance_lead(lead.pk, now=now)

    lead.refresh_from_db()
    assert lead.advance_at == LeadScore.objects.get(lead=lead).next_change_at
    assert lead.advance_at > now


def test_without_an_active_model_nothing_is_due(db: None, now: datetime) -> None:
    lead = ready_lead(now=now)

    advance_lead(lead.pk, now=now)

    lead.refresh_from_db()
    assert lead.advance_at is None


def test_a_lead_that_hovers_becomes_an_mql_once(pool: Pool, marketing: User, now: datetime) -> None:
    """SCORE-14: after the handoff is closed, the same evidence does not open another."""
    lead = ready_lead(now=now)
    advance_lead(lead.pk, now=now)
    withdraw_handoff(Handoff.objects.get(), by=marketing, now=now + MINUTE, reason="Too early")

    for day in range(1, 90, 7):
        advance_lead(lead.pk, now=now + timedelta(days=day))

    assert Handoff.objects.count() == 1


def test_new_evidence_brings_a_returned_lead_back_marked_as_returning(
    pool: Pool, marketing: User, now: datetime
) -> None:
    lead = ready_lead(now=now)
    advance_lead(lead.pk, now=now)
    withdraw_handoff(Handoff.objects.get(), by=marketing, now=now + MINUTE, reason="Too early")
    later = now + timedelta(days=20)

    do(lead, "Page Viewed", now=later, path="/blog/anything")
    advance_lead(lead.pk, now=later)
    assert Handoff.objects.count() == 1  # low intent is no new evidence

    do(lead, "Page Viewed", now=later + MINUTE, path="/pricing")
    advance_lead(lead.pk, now=later + MINUTE)

    assert Handoff.objects.open().get().is_returning


def test_a_held_lead_is_scored_but_not_handed_off_until_released(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now)
    hold_lead(lead, hold=Lead.Hold.UNTIL_FIT_CHANGES, until=None, at=now)
    do(lead, "Demo Requested", now=now + MINUTE)

    advance_lead(lead.pk, now=now + MINUTE)
    assert LeadScore.objects.get(lead=lead).qualifies
    assert not Handoff.objects.exists()

    lead.refresh_from_db()
    release_lead(lead, at=now + MINUTE)
    advance_lead(lead.pk, now=now + MINUTE)
    assert Handoff.objects.open().filter(lead=lead).exists()


def test_a_changed_fit_attribute_is_evidence_enough_to_come_back(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)
    hold_lead(lead, hold=Lead.Hold.UNTIL_FIT_CHANGES, until=None, at=now)
    advance_lead(lead.pk, now=now)
    assert not Handoff.objects.exists()

    correct_lead(lead, changes={"title": "Chief Executive Officer"}, by=None, at=now + MINUTE, via="test")
    advance_lead(lead.pk, now=now + MINUTE)

    assert Handoff.objects.open().filter(lead=lead).exists()


def test_a_customer_is_not_handed_off_again(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(stage=Lead.Stage.CUSTOMER)

    advance_lead(lead.pk, now=now)

    assert not Handoff.objects.exists()


# --- The sweep ----------------------------------------------------------------------------------


def test_the_sweep_advances_every_due_lead_without_any_nudge(pool: Pool, now: datetime) -> None:
    ready = [ready_lead(now=now) for _ in range(3)]
    idle = [fitting_lead(now=now) for _ in range(3)]

    assert advance_due_leads(now=now) == 6

    assert set(Handoff.objects.values_list("lead", flat=True)) == {lead.pk for lead in ready}
    assert LeadScore.objects.filter(lead__in=idle).count() == 3
    assert advance_due_leads(now=now) == 0


def test_the_sweep_scores_a_batch_in_a_handful_of_queries(
    pool: Pool, now: datetime, django_assert_max_num_queries
) -> None:
    for _ in range(30):
        fitting_lead(now=now)

    with django_assert_max_num_queries(28):
        assert advance_due_leads(now=now) == 30


def test_the_sweep_takes_no_more_than_it_is_told(pool: Pool, now: datetime) -> None:
    for _ in range(3):
        fitting_lead(now=now)

    assert [advance_due_leads(now=now, limit=2) for _ in range(3)] == [2, 1, 0]


def test_a_claimed_lead_is_left_alone_until_its_claim_runs_out(pool: Pool, now: datetime) -> None:
    """What a killed worker leaves behind: the claim, and one attempt counted."""
    lead = ready_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(advance_at=now + MINUTE, advance_attempts=1)

    assert not advance_claimed_lead(lead.pk, now=now)
    assert advance_claimed_lead(lead.pk, now=now + MINUTE)

    lead.refresh_from_db()
    assert Handoff.objects.filter(lead=lead).exists()
    assert lead.advance_attempts == 0


def test_news_during_a_claim_makes_the_lead_due_at_once(pool: Pool, now: datetime) -> None:
    lead = fitting_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(advance_at=now + MINUTE, advance_attempts=1)

    do(lead, "Demo Requested", now=now)

    assert advance_claimed_lead(lead.pk, now=now)
    assert Handoff.objects.filter(lead=lead).exists()


def test_a_lead_that_cannot_be_advanced_is_parked_with_the_reason_and_stops_nobody(
    pool: Pool, now: datetime
) -> None:
    RoutingRule.objects.update(countries=["Germany"])
    poisoned = ready_lead(now=now, country="France", email="lou@vent.example")
    for minute in range(MAX_ATTEMPTS + 1):
        advance_due_leads(now=now + minute * MINUTE)
        healthy = ready_lead(now=now + minute * MINUTE)
        advance_due_leads(now=now + minute * MINUTE)
        assert Handoff.objects.filter(lead=healthy).exists()

    poisoned.refresh_from_db()
    assert poisoned.advance_parked_at is not None
    assert poisoned.advance_error.startswith("No routing rule fits this lead.")
    assert not Handoff.objects.filter(lead=poisoned).exists()


def test_a_lead_that_kills_its_worker_is_parked_too(pool: Pool, now: datetime) -> None:
    """A killed worker leaves only the count; no error was ever written."""
    lead = ready_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(advance_attempts=MAX_ATTEMPTS)

    assert advance_due_leads(now=now) == 0

    lead.refresh_from_db()
    assert lead.advance_parked_at == now
    assert lead.advance_error == "The worker stopped each time this lead was looked at."


def test_parked_leads_are_tried_again_once_the_cause_is_repaired(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(
        advance_attempts=MAX_ATTEMPTS, advance_parked_at=now, advance_error="No routing rule fits."
    )

    assert retry_parked_leads(now=now) == 1

    advance_due_leads(now=now)
    assert Handoff.objects.filter(lead=lead).exists()


@pytest.mark.django_db(transaction=True)
def test_advancing_must_be_a_transaction_of_its_own(now: datetime) -> None:
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        advance_lead(1, now=now)
