"""Outcomes as the log of the leads layer tells them (SCORE-10, SCORE-11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from pytest_django import DjangoAssertNumQueries

from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.contact.opportunities import lose_opportunity, open_opportunity, win_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import Handoff, Pool
from handoffs.services import accept_handoff, withdraw_handoff
from leads.models import LeadEvent
from scoring.outcomes import Outcome, by_lead, outcomes_between, outcomes_of
from tests.desk import handoff, lead, offer, pool, ready_lead, reason

__all__ = ["handoff", "lead", "pool"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")


def outcome_of(handoff: Handoff) -> Outcome:
    return {outcome.handoff_id: outcome for outcome in outcomes_of([handoff.lead_id])}[handoff.pk]


def qualify(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now + HOUR)
    record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now + 2 * HOUR)
    qualify_handoff(handoff, answers=YES, by=handoff.owner, now=now + 3 * HOUR)


def reject(handoff: Handoff, code: str, *, now: datetime) -> None:
    reject_handoff(handoff, reason=reason(code), by=handoff.owner, via=Verdict.Via.PAGE, now=now)


def test_an_offer_without_an_answer_is_open(handoff: Handoff, now: datetime) -> None:
    outcome = outcome_of(handoff)

    assert outcome == Outcome(handoff.lead_id, handoff.pk, handed_at=now, trigger="instant")
    assert (outcome.status, outcome.is_decided, outcome.is_finished) == ("offered", False, False)


def test_every_step_up_to_the_deal_has_its_moment(handoff: Handoff, now: datetime) -> None:
    qualify(handoff, now)
    open_opportunity(handoff, by=handoff.owner, now=now + 2 * DAY)
    open_opportunity(handoff, amount=Decimal(900), by=handoff.owner, now=now + 3 * DAY)  # a correction
    win_opportunity(handoff, by=handoff.owner, now=now + 9 * DAY)

    outcome = outcome_of(handoff)

    assert (outcome.accepted_at, outcome.contacted_at) == (now + HOUR, now + 2 * HOUR)
    assert (outcome.qualified_at, outcome.opportunity_at) == (now + 3 * HOUR, now + 2 * DAY)
    assert (outcome.won_at, outcome.lost_at) == (now + 9 * DAY, None)
    assert (outcome.status, outcome.finished_at) == ("won", now + 9 * DAY)
    assert outcome.is_accepted


def test_a_lost_deal_is_lost(handoff: Handoff, now: datetime) -> None:
    qualify(handoff, now)
    open_opportunity(handoff, by=handoff.owner, now=now + 2 * DAY)
    lose_opportunity(handoff, reason="Chose another", by=handoff.owner, now=now + 5 * DAY)

    assert (outcome_of(handoff).status, outcome_of(handoff).lost_at) == ("lost", now + 5 * DAY)


def test_a_rejection_brings_its_reason(handoff: Handoff, now: datetime) -> None:
    reject(handoff, "no-budget", now=now + HOUR)

    outcome = outcome_of(handoff)

    assert (outcome.reason, outcome.reason_type, outcome.rejected_at) == (
        "no-budget",
        "definitional",
        now + HOUR,
    )
    assert (outcome.status, outcome.is_accepted, outcome.is_passed_on) == ("rejected", False, False)


def test_what_was_accepted_and_then_returned_is_not_accepted(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    reject(handoff, "no-budget", now=now + DAY)

    assert (outcome_of(handoff).accepted_at, outcome_of(handoff).is_accepted) == (now, False)


def test_an_older_rejection_has_no_type(handoff: Handoff, now: datetime) -> None:
    LeadEvent.objects.create(
        lead=handoff.lead,
        kind=LeadEvent.Kind.REJECTED,
        at=now,
        handoff_id=handoff.pk,
        detail={"reason": "premature", "via": "page"},
    )

    assert (outcome_of(handoff).reason, outcome_of(handoff).reason_type) == ("premature", "")


def test_a_lead_passed_on_has_an_outcome_for_each_rep(handoff: Handoff, now: datetime) -> None:
    reject(handoff, "wrong-rep", now=now + HOUR)

    first, second = by_lead(outcomes_of([handoff.lead_id]))[handoff.lead_id]

    assert (first.handoff_id, first.status, first.is_passed_on) == (handoff.pk, "rejected", True)
    assert (second.handed_at, second.status) == (now + HOUR, "offered")


def test_what_marketing_withdrew_is_finished(handoff: Handoff, marketing: object, now: datetime) -> None:
    withdraw_handoff(handoff, by=marketing, now=now + HOUR, reason="Wrong list")

    assert (outcome_of(handoff).status, outcome_of(handoff).is_finished) == ("withdrawn", True)


def test_a_period_holds_what_was_handed_over_in_it_with_all_that_followed(pool: Pool, now: datetime) -> None:
    before, inside, after = (offer(ready_lead(now=at), now=at) for at in (now - DAY, now, now + DAY))
    accept_handoff(inside, by=inside.owner, now=now + 5 * DAY)

    outcomes = list(outcomes_between(now, now + DAY))

    assert [outcome.handoff_id for outcome in outcomes] == [inside.pk]
    assert outcomes[0].accepted_at == now + 5 * DAY
    assert {before.pk, after.pk}.isdisjoint(outcome.handoff_id for outcome in outcomes)


def test_a_period_is_read_in_chunks(pool: Pool, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.outcomes.CHUNK", 2)
    handoffs = [offer(ready_lead(now=now), now=now).pk for _ in range(5)]

    assert [outcome.handoff_id for outcome in outcomes_between(now, now + HOUR)] == handoffs


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_queries_does_not_grow(
    pool: Pool, now: datetime, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    leads = [offer(ready_lead(now=now), now=now).lead_id for _ in range(count)]

    with django_assert_num_queries(1):
        assert len(outcomes_of(leads)) == count
    with django_assert_num_queries(2):
        assert len(list(outcomes_between(now, now + HOUR))) == count
    with django_assert_num_queries(0):
        assert outcomes_of([]) == []
