"""Attempts, BANT, the SQL gate, and the deal (QUEUE-3, QUEUE-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.acting import HandoffChanged, NotAcceptedYet
from handoffs.contact.gate import current_gate
from handoffs.contact.opportunities import (
    NoOpportunityYet,
    NotQualifiedYet,
    lose_opportunity,
    open_opportunity,
    win_opportunity,
)
from handoffs.contact.services import (
    BantAnswers,
    EvidenceMissing,
    NotQualified,
    qualify_handoff,
    record_attempt,
    record_bant,
)
from handoffs.models import Handoff, Qualification, QualificationGate
from handoffs.services import accept_handoff
from leads.models import Lead, LeadEvent
from sla.models import Clock, Target

ALL_YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")


@pytest.fixture
def accepted(handoff: Handoff, now: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=now)


@pytest.fixture
def qualified(accepted: Handoff, now: datetime) -> Handoff:
    return qualify_handoff(accepted, answers=ALL_YES, by=accepted.owner, now=now)


@pytest.fixture
def deal(qualified: Handoff, now: datetime) -> Handoff:
    open_opportunity(qualified, amount=Decimal("12000"), by=qualified.owner, now=now)
    return qualified


# --- Attempts -----------------------------------------------------------------------------------


def test_the_first_attempt_stops_the_first_contact_clock(accepted: Handoff, now: datetime) -> None:
    later = now + timedelta(hours=1)

    attempt = record_attempt(
        accepted, channel="call", outcome="voicemail", note=" Will try again ", by=accepted.owner, now=later
    )

    assert attempt.note == "Will try again"
    assert (accepted.status, accepted.first_contact_at) == (Handoff.Status.CONTACTED, later)
    clock = Clock.objects.get(kind=Target.Kind.FIRST_CONTACT)
    assert (clock.outcome, clock.stopped_at) == (Clock.Outcome.DONE, later)


def test_later_attempts_are_kept_and_change_nothing_else(accepted: Handoff, now: datetime) -> None:
    for minute in range(3):
        record_attempt(
            accepted,
            channel="call",
            outcome="no_answer",
            by=accepted.owner,
            now=now + timedelta(minutes=minute),
        )

    assert accepted.attempts.count() == 3
    assert accepted.first_contact_at == now
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.CONTACTED).count() == 1


def test_a_double_click_is_one_attempt(accepted: Handoff, now: datetime) -> None:
    call = {"channel": "call", "outcome": "connected", "note": "Talked", "by": accepted.owner}

    first = record_attempt(accepted, **call, now=now)
    second = record_attempt(accepted, **call, now=now + timedelta(seconds=1))

    assert first == second
    assert accepted.attempts.count() == 1


def test_an_attempt_comes_after_acceptance(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(NotAcceptedYet):
        record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"channel": "pigeon", "outcome": "connected"}, "channel"),
        ({"channel": "call", "outcome": "eaten"}, "outcome"),
        ({"channel": "call", "outcome": "connected", "note": "x" * 1001}, "note"),
        ({"channel": "call", "outcome": "connected", "note": "nul \x00"}, "note"),
    ],
)
def test_an_attempt_nobody_can_read_is_refused(
    accepted: Handoff, now: datetime, given: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        record_attempt(accepted, **given, by=accepted.owner, now=now)

    assert refused.value.field == field


def test_a_colleague_cannot_log_attempts(accepted: Handoff, reader: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        record_attempt(accepted, channel="call", outcome="connected", by=reader, now=now)


# --- BANT ---------------------------------------------------------------------------------------


def test_bant_keeps_what_is_not_answered(accepted: Handoff, now: datetime) -> None:
    first = BantAnswers(budget="yes", budget_evidence="40k signed off")
    record_bant(accepted, answers=first, by=accepted.owner, now=now)

    record_bant(accepted, answers=BantAnswers(need="no"), by=accepted.owner, now=now)

    bant = Qualification.objects.get()
    assert (bant.budget, bant.budget_evidence, bant.need) == ("yes", "40k signed off", "no")
    assert bant.authority == "unknown"


def test_evidence_stays_out_of_the_log_that_nobody_can_edit(accepted: Handoff, now: datetime) -> None:
    answers = BantAnswers(budget="yes", budget_evidence="Ms Holm has 40k")

    record_bant(accepted, answers=answers, by=accepted.owner, now=now)

    assert LeadEvent.objects.get(kind=LeadEvent.Kind.BANT_RECORDED).detail == {"budget": "yes"}


def test_saying_the_same_again_is_not_logged(accepted: Handoff, now: datetime) -> None:
    for _ in range(2):
        record_bant(accepted, answers=ALL_YES, by=accepted.owner, now=now)

    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.BANT_RECORDED).count() == 1


def test_the_gate_names_what_is_missing_and_keeps_nothing(accepted: Handoff, now: datetime) -> None:
    answers = BantAnswers(budget="yes", authority="no", need="yes")

    with pytest.raises(NotQualified) as refused:
        qualify_handoff(accepted, answers=answers, by=accepted.owner, now=now)

    assert str(refused.value).endswith("yet: it still needs a yes to decision maker and timeline.")
    assert (refused.value.missing, refused.value.field) == (["authority", "timeline"], "authority")
    assert not Qualification.objects.exists()


def test_all_of_bant_makes_an_sql(qualified: Handoff, now: datetime) -> None:
    assert (qualified.status, qualified.qualified_at) == (Handoff.Status.QUALIFIED, now)
    assert Lead.objects.get(pk=qualified.lead_id).stage == Lead.Stage.SQL


def test_the_gate_is_configured(accepted: Handoff, now: datetime) -> None:
    QualificationGate.objects.update(requires=["need", "authority"])

    qualify_handoff(accepted, answers=BantAnswers(need="yes", authority="yes"), by=accepted.owner, now=now)

    assert accepted.status == Handoff.Status.QUALIFIED


def test_a_gate_that_takes_a_rough_budget_asks_so(accepted: Handoff, now: datetime) -> None:
    QualificationGate.objects.update(requires=["need", "authority", "budget"], budget_may_be_rough=True)
    gate = current_gate()

    with pytest.raises(NotQualified, match="it still needs a yes to a budget that roughly fits"):
        qualify_handoff(
            accepted, answers=BantAnswers(need="yes", authority="yes"), by=accepted.owner, now=now
        )

    assert gate.question("budget") == "Does the budget roughly fit?"
    assert gate.sentence == (
        "Sales-qualified needs a yes to a budget that roughly fits, decision maker and need."
    )


def test_a_gate_may_want_to_know_what_each_yes_rests_on(accepted: Handoff, now: datetime) -> None:
    """QUEUE-4: BANT with evidence, where the protocol asks for it."""
    QualificationGate.objects.update(requires=["budget", "need"], evidence_needed=True)
    half = BantAnswers(budget="yes", need="yes", need_evidence="Leads get lost", timeline="yes")

    with pytest.raises(EvidenceMissing, match="say what they said of budget") as refused:
        qualify_handoff(accepted, answers=half, by=accepted.owner, now=now)
    whole = replace(half, budget_evidence="40k approved")
    qualify_handoff(accepted, answers=whole, by=accepted.owner, now=now)

    assert (refused.value.missing, refused.value.field) == (["budget"], "budget_evidence")
    assert current_gate().sentence.endswith("a yes to budget and need, each with what they said.")
    assert accepted.status == Handoff.Status.QUALIFIED


def test_without_a_gate_all_four_are_asked(accepted: Handoff, now: datetime) -> None:
    QualificationGate.objects.all().delete()

    with pytest.raises(NotQualified, match="budget, decision maker, need and timeline"):
        qualify_handoff(accepted, answers=BantAnswers(), by=accepted.owner, now=now)


def test_qualifying_twice_changes_nothing_the_second_time(qualified: Handoff, now: datetime) -> None:
    qualify_handoff(qualified, answers=BantAnswers(), by=qualified.owner, now=now + timedelta(hours=1))

    assert qualified.qualified_at == now
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.QUALIFIED).count() == 1


@pytest.mark.parametrize("answers", [BantAnswers(need="maybe"), BantAnswers(need_evidence="x" * 501)])
def test_an_answer_nobody_can_use_is_refused(accepted: Handoff, now: datetime, answers: BantAnswers) -> None:
    with pytest.raises(InvalidInput) as refused:
        record_bant(accepted, answers=answers, by=accepted.owner, now=now)

    assert refused.value.field.startswith("need")


# --- Deals --------------------------------------------------------------------------------------


def test_an_opportunity_comes_after_qualification(accepted: Handoff, now: datetime) -> None:
    with pytest.raises(NotQualifiedYet):
        open_opportunity(accepted, by=accepted.owner, now=now)


def test_winning_makes_a_customer(deal: Handoff, now: datetime) -> None:
    win_opportunity(deal, by=deal.owner, now=now)

    assert (deal.status, deal.closed_at) == (Handoff.Status.WON, now)
    assert deal.opportunity.won_at == now
    assert Lead.objects.get(pk=deal.lead_id).stage == Lead.Stage.CUSTOMER
    assert not Clock.objects.running().exists()


def test_losing_needs_a_reason_and_waits_for_new_activity(deal: Handoff, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="Say why"):
        lose_opportunity(deal, reason="", by=deal.owner, now=now)

    lose_opportunity(deal, reason="Chose another", by=None, now=now)

    lead = Lead.objects.get(pk=deal.lead_id)
    assert (deal.status, deal.closed_by, deal.closing_note) == (Handoff.Status.LOST, None, "Chose another")
    assert (lead.stage, lead.hold) == (Lead.Stage.LOST, Lead.Hold.UNTIL_ACTIVITY)


def test_a_deal_that_has_ended_so_is_left_alone_and_otherwise_said(deal: Handoff, now: datetime) -> None:
    win_opportunity(deal, by=deal.owner, now=now)

    win_opportunity(deal, by=None, now=now + timedelta(days=1))
    with pytest.raises(HandoffChanged, match=f"{deal.owner} won this 1 day ago"):
        lose_opportunity(deal, reason="Late", by=deal.owner, now=now + timedelta(days=1))

    assert deal.closed_at == now


def test_only_an_opportunity_is_won(qualified: Handoff, now: datetime) -> None:
    with pytest.raises(NoOpportunityYet):
        win_opportunity(qualified, by=qualified.owner, now=now)


def test_the_terms_of_an_open_deal_can_be_corrected(deal: Handoff, now: datetime) -> None:
    terms = {"amount": Decimal("15000.50"), "currency": "usd", "close_on": date(2026, 6, 30)}

    for _ in range(2):
        open_opportunity(deal, **terms, by=deal.owner, now=now)

    deal.opportunity.refresh_from_db()
    assert (deal.opportunity.amount, deal.opportunity.currency) == (Decimal("15000.50"), "USD")
    events = LeadEvent.objects.filter(kind=LeadEvent.Kind.OPPORTUNITY).order_by("id")
    assert [event.detail for event in events] == [{}, {"corrected": ["amount", "close_on", "currency"]}]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount": Decimal("-1")}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("1e15")}, "amount"),
        ({"currency": "EURO"}, "currency"),
        ({"currency": "€€€"}, "currency"),
    ],
)
def test_terms_nobody_can_book_are_refused(
    qualified: Handoff, now: datetime, terms: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_opportunity(qualified, **terms, by=qualified.owner, now=now)

    assert refused.value.field == field
