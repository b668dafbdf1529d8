"""/handoffs/<id>/: the page, its actions, and what a stale page is told (QUEUE-2 to QUEUE-5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import User
from handoffs.contact.opportunities import correct_opportunity, open_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff, record_bant
from handoffs.models import Attempt, Handoff, Opportunity, Pool, Qualification, QualificationGate
from handoffs.services import accept_handoff, withdraw_handoff
from leads.models import Lead
from tests.desk import fitting_lead, offer, ready_lead
from tests.page_forms import sent_by_enter

FRAGMENT = {"HX-Request": "true"}
ALL_YES = dict.fromkeys(("budget", "authority", "need", "timeline"), "yes")


@pytest.fixture
def as_owner(client: Client, handoff: Handoff) -> Client:
    client.force_login(handoff.owner)
    return client


@pytest.fixture
def accepted(handoff: Handoff, now: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=now)


@pytest.fixture
def colleague(handoff: Handoff, bdr: User, other_bdr: User) -> User:
    return other_bdr if handoff.owner == bdr else bdr


def address(handoff: Handoff, action: str = "") -> str:
    return f"/handoffs/{handoff.pk}/{action}"


# --- Who -----------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in(client: Client, handoff: Handoff) -> None:
    assert client.get(address(handoff)).url == f"/login/?next=/handoffs/{handoff.pk}/"


def test_a_bdr_of_another_pool_finds_nothing(client: Client, handoff: Handoff, stranger: User) -> None:
    client.force_login(stranger)

    assert client.get(address(handoff)).status_code == 404
    assert client.post(address(handoff, "accept/")).status_code == 404
    assert client.get(f"/handoffs/lead/{handoff.lead_id}/panel/").status_code == 404


@pytest.mark.parametrize("pk", ["0", "9" * 30])
def test_a_number_of_no_handoff_is_404(as_owner: Client, pk: str) -> None:
    assert as_owner.get(f"/handoffs/{pk}/").status_code == 404


@pytest.mark.parametrize("cast", ["marketing", "operator", "reader"])
def test_other_roles_read_but_find_no_button(
    client: Client, handoff: Handoff, cast: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(cast))

    page = client.get(address(handoff)).content.decode()

    assert "Lea Holm" in page
    assert "data-accept" not in page
    assert "data-reject" not in page


@pytest.mark.parametrize("action", ["accept/", "attempts/", "bant/", "won/"])
def test_a_reader_who_posts_anyway_is_refused(
    client: Client, accepted: Handoff, reader: User, action: str
) -> None:
    client.force_login(reader)

    response = client.post(
        address(accepted, action), {"attempt": "call:connected", "note": "", **ALL_YES, "reason": "x"}
    )

    assert response.status_code in (403, 409)
    accepted.refresh_from_db()
    assert accepted.status == Handoff.Status.ACCEPTED
    assert not Attempt.objects.exists()


# --- Reading -------------------------------------------------------------------------------------


def test_the_package_is_on_the_page(as_owner: Client, handoff: Handoff) -> None:
    page = as_owner.get(address(handoff)).content.decode()

    first_contact = handoff.package.content["first_contact"]
    assert first_contact["opening_line"].split(",")[0] in page
    assert "Demo request" in page
    assert "+49 30 1234" in page
    assert '<span class="chip chip-outline">Hand-raiser</span>' in page
    assert "Why this rep" in page
    assert "Handed to sales" in page


def test_the_owner_looking_is_recorded_as_opened_once(as_owner: Client, handoff: Handoff) -> None:
    as_owner.get(address(handoff))
    handoff.refresh_from_db()
    first = handoff.opened_at
    as_owner.get(address(handoff))
    handoff.refresh_from_db()

    assert first is not None
    assert handoff.opened_at == first


def test_a_manager_looking_opens_nothing(client: Client, handoff: Handoff, manager: User) -> None:
    client.force_login(manager)

    client.get(address(handoff))

    handoff.refresh_from_db()
    assert handoff.opened_at is None


def test_opening_beside_the_list_redraws_the_list(as_owner: Client, handoff: Handoff) -> None:
    first = as_owner.get(address(handoff), headers=FRAGMENT)
    again = as_owner.get(address(handoff), headers=FRAGMENT)

    assert b"<html" not in first.content
    assert "portal:refresh" in first["HX-Trigger"]
    assert "HX-Trigger" not in again


def test_what_the_lead_wrote_is_shown_as_text(client: Client, pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now, first_name="<script>alert(1)</script>", pain_point="<img src=x>")
    handoff = offer(lead, now=now)
    client.force_login(handoff.owner)

    page = client.get(address(handoff)).content.decode()

    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


def test_the_cost_of_the_page_is_fixed(
    as_owner: Client, accepted: Handoff, django_assert_num_queries
) -> None:
    for _ in range(3):
        as_owner.post(address(accepted, "attempts/"), {"attempt": "email:sent"})
    as_owner.get(address(accepted))  # the first look is recorded

    with django_assert_num_queries(21):
        as_owner.get(address(accepted))


# --- Deciding ------------------------------------------------------------------------------------


def test_one_click_accepts(as_owner: Client, handoff: Handoff) -> None:
    response = as_owner.post(address(handoff, "accept/"), headers=FRAGMENT)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.ACCEPTED
    assert handoff.accepted_by == handoff.owner
    assert "Lea Holm is yours" in response.content.decode()
    assert "portal:refresh" in response["HX-Trigger"]


def test_without_script_accepting_leads_to_the_page(as_owner: Client, handoff: Handoff) -> None:
    response = as_owner.post(address(handoff, "accept/"), follow=True)

    assert response.redirect_chain == [(address(handoff), 302)]
    assert b"Lea Holm is yours" in response.content


def test_a_double_click_is_harmless(as_owner: Client, handoff: Handoff) -> None:
    as_owner.post(address(handoff, "accept/"), headers=FRAGMENT)
    handoff.refresh_from_db()
    first = handoff.accepted_at

    response = as_owner.post(address(handoff, "accept/"), headers=FRAGMENT)

    handoff.refresh_from_db()
    assert response.status_code == 200
    assert handoff.accepted_at == first


@pytest.mark.parametrize("act", ["accept/", "accept/undo/", "attempts/", "reject/undo/", "dispute/"])
def test_reloading_a_refusal_leads_to_the_handoff_and_does_nothing(
    as_owner: Client, handoff: Handoff, act: str
) -> None:
    """QUEUE-5: a phone that wakes asks again, by GET, for the address that a form was sent to."""
    response = as_owner.get(address(handoff, act))

    handoff.refresh_from_db()
    assert (response.status_code, response["Location"]) == (302, address(handoff))
    assert handoff.status == Handoff.Status.OFFERED
    assert as_owner.put(address(handoff, act)).status_code == 405


def test_reloading_a_refused_rejection_leads_to_the_handoff(
    as_owner: Client, handoff: Handoff, marketing: User, now: datetime
) -> None:
    assert as_owner.get(address(handoff, "reject/")).status_code == 200
    withdraw_handoff(handoff, by=marketing, reason="Wrong list", now=now)

    response = as_owner.get(address(handoff, "reject/"))

    assert (response.status_code, response["Location"]) == (302, address(handoff))


def test_a_stranger_learns_nothing_by_reloading(client: Client, handoff: Handoff, stranger: User) -> None:
    client.force_login(stranger)

    assert client.get(address(handoff, "accept/")).status_code == 404


def test_a_stale_page_is_told_who_was_quicker_and_what_is_next(
    client: Client, pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    mine = offer(ready_lead(now=now, first_name="Mine"), now=now)
    pool.memberships.update(weekly_capacity=0)
    contested = offer(ready_lead(now=now, first_name="Contested"), now=now)
    slow, quick = mine.owner, other_bdr if mine.owner == bdr else bdr
    accept_handoff(contested, by=quick, now=now)
    client.force_login(slow)

    response = client.post(address(contested, "accept/"), headers=FRAGMENT)

    page = response.content.decode()
    assert response.status_code == 409
    assert f"{quick} accepted this" in page
    assert "Next in your queue:" in page
    assert "Mine Holm" in page
    contested.refresh_from_db()
    assert contested.accepted_by == quick


def test_a_colleague_cannot_accept_what_is_not_theirs(
    client: Client, handoff: Handoff, colleague: User
) -> None:
    client.force_login(colleague)

    response = client.post(address(handoff, "accept/"), headers=FRAGMENT)

    handoff.refresh_from_db()
    assert response.status_code == 403
    assert handoff.status == Handoff.Status.OFFERED


# --- Working -------------------------------------------------------------------------------------


def test_one_tap_logs_an_attempt_and_stops_the_first_contact_clock(
    as_owner: Client, accepted: Handoff
) -> None:
    as_owner.post(
        address(accepted, "attempts/"),
        {"attempt": "call:voicemail", "note": "Call at three"},
        headers=FRAGMENT,
    )

    attempt = Attempt.objects.get()
    accepted.refresh_from_db()
    assert (attempt.channel, attempt.outcome, attempt.note) == ("call", "voicemail", "Call at three")
    assert accepted.first_contact_at is not None


@pytest.mark.parametrize(
    "given",
    [{}, {"attempt": "smoke:signal"}, {"attempt": "call:connected", "note": "x" * 1001}, {"attempt": "\x00"}],
)
def test_an_attempt_that_makes_no_sense_is_refused(
    as_owner: Client, accepted: Handoff, given: dict[str, str]
) -> None:
    response = as_owner.post(address(accepted, "attempts/"), given, headers=FRAGMENT)

    assert response.status_code == 422
    assert b"errorlist" in response.content
    assert not Attempt.objects.exists()


def test_enter_in_the_note_logs_nothing_and_keeps_the_note(as_owner: Client, accepted: Handoff) -> None:
    """What came of it is tapped: Enter does not say that the lead was reached (QUEUE-3)."""
    action = address(accepted, "attempts/")
    sent = sent_by_enter(as_owner.get(address(accepted)).content.decode(), action=action, field="note")

    response = as_owner.post(action, sent | {"note": "Ask for Ms Roth"}, headers=FRAGMENT)

    page = response.content.decode()
    assert response.status_code == 422
    assert "Tap what came of it." in page
    assert 'value="Ask for Ms Roth"' in page
    assert not Attempt.objects.exists()


def test_the_gate_keeps_what_was_typed_and_names_what_is_missing(as_owner: Client, accepted: Handoff) -> None:
    answers = ALL_YES | {"budget": "unknown", "need_evidence": "Their team misses leads", "qualify": "yes"}

    response = as_owner.post(address(accepted, "bant/"), answers, headers=FRAGMENT)

    page = response.content.decode()
    assert response.status_code == 422
    assert "it still needs a yes to budget" in page
    assert "Their team misses leads" in page
    accepted.refresh_from_db()
    assert accepted.status != Handoff.Status.QUALIFIED


def test_answers_can_be_kept_without_passing_the_gate(as_owner: Client, accepted: Handoff) -> None:
    as_owner.post(address(accepted, "bant/"), ALL_YES | {"budget": "no"}, headers=FRAGMENT)

    assert Qualification.objects.get().budget == "no"
    accepted.refresh_from_db()
    assert accepted.status == Handoff.Status.ACCEPTED


def test_four_yes_make_it_sales_qualified(as_owner: Client, accepted: Handoff) -> None:
    as_owner.post(address(accepted, "bant/"), ALL_YES | {"qualify": "yes"}, headers=FRAGMENT)

    accepted.refresh_from_db()
    assert accepted.status == Handoff.Status.QUALIFIED
    assert accepted.lead.stage != Lead.Stage.CUSTOMER


def test_from_opportunity_to_won(as_owner: Client, accepted: Handoff, now: datetime) -> None:
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    as_owner.post(
        address(accepted, "opportunity/"),
        {"amount": "42000.50", "currency": "EUR", "close_on": "2027-01-31"},
        headers=FRAGMENT,
    )
    response = as_owner.post(address(accepted, "won/"), headers=FRAGMENT)

    accepted.refresh_from_db()
    assert str(Opportunity.objects.get().amount) == "42000.50"
    assert accepted.status == Handoff.Status.WON
    page = response.content.decode()
    assert "is a customer" in page
    assert "42,000.50 EUR" in page
    assert "Sun 31 Jan 2027" in page
    assert "<dt>Won</dt>" in page
    assert address(accepted, "opportunity/") not in page


def test_who_only_reads_sees_the_terms_of_a_deal(
    client: Client, accepted: Handoff, reader: User, now: datetime
) -> None:
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    open_opportunity(accepted, amount=Decimal("42000.50"), by=accepted.owner, now=now)
    client.force_login(reader)

    page = client.get(address(accepted)).content.decode()

    assert "42,000.50 EUR" in page
    assert 'action="/handoffs/' not in page.split("<article", 1)[1]


@pytest.mark.parametrize(
    "given",
    [{"amount": "-1", "currency": "EUR"}, {"amount": "1e99", "currency": "EUR"}, {"currency": "euro"}],
)
def test_an_opportunity_that_makes_no_sense_is_refused(
    as_owner: Client, accepted: Handoff, now: datetime, given: dict[str, str]
) -> None:
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)

    response = as_owner.post(address(accepted, "opportunity/"), given, headers=FRAGMENT)

    assert response.status_code == 422
    assert not Opportunity.objects.exists()


def test_losing_needs_a_reason(as_owner: Client, accepted: Handoff, now: datetime) -> None:
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    open_opportunity(accepted, by=accepted.owner, now=now)

    refused = as_owner.post(address(accepted, "lost/"), {"reason": " "}, headers=FRAGMENT)
    as_owner.post(address(accepted, "lost/"), {"reason": "Chose a competitor"}, headers=FRAGMENT)

    accepted.refresh_from_db()
    assert refused.status_code == 422
    assert "Say why it was lost" in refused.content.decode()
    assert accepted.status == Handoff.Status.LOST


# --- Moving --------------------------------------------------------------------------------------


def test_marketing_takes_back_with_a_reason(client: Client, handoff: Handoff, marketing: User) -> None:
    client.force_login(marketing)

    refused = client.post(address(handoff, "withdraw/"), {}, headers=FRAGMENT)
    client.post(address(handoff, "withdraw/"), {"reason": "Sent by mistake"}, headers=FRAGMENT)

    handoff.refresh_from_db()
    assert refused.status_code == 422
    assert handoff.status == Handoff.Status.WITHDRAWN


def test_a_manager_reassigns_within_the_pool(
    client: Client, handoff: Handoff, colleague: User, manager: User
) -> None:
    client.force_login(manager)

    client.post(address(handoff, "reassign/"), {"to": colleague.pk, "reason": "Ill today"}, headers=FRAGMENT)

    handoff.refresh_from_db()
    assert handoff.owner == colleague


def test_a_manager_cannot_give_it_to_somebody_outside_the_pool(
    client: Client, handoff: Handoff, stranger: User, manager: User
) -> None:
    client.force_login(manager)
    owner = handoff.owner

    response = client.post(
        address(handoff, "reassign/"), {"to": stranger.pk, "reason": "Why not"}, headers=FRAGMENT
    )

    handoff.refresh_from_db()
    assert response.status_code == 422
    assert handoff.owner == owner


def test_the_panel_of_the_lead_page_lists_its_handoffs(as_owner: Client, handoff: Handoff) -> None:
    response = as_owner.get(f"/handoffs/lead/{handoff.lead_id}/panel/", headers=FRAGMENT)

    assert f'href="/handoffs/{handoff.pk}/"' in response.content.decode()
    assert b"<html" not in response.content


@pytest.fixture
def quiet_lead(pool: Pool, now: datetime) -> Lead:
    """A lead who fits and has done nothing: far from an MQL."""
    return fitting_lead(now=now)


def test_marketing_hands_over_by_hand_with_a_reason(
    client: Client, quiet_lead: Lead, marketing: User
) -> None:
    client.force_login(marketing)
    given = {"reason": "Met at the fair"}

    response = client.post(f"/handoffs/lead/{quiet_lead.pk}/hand-off/", given, headers=FRAGMENT)

    handoff = Handoff.objects.get(lead=quiet_lead)
    assert response["HX-Redirect"] == address(handoff)
    assert (handoff.trigger, handoff.trigger_note) == (Handoff.Trigger.MANUAL, "Met at the fair")


def test_handing_over_without_a_reason_is_refused(client: Client, quiet_lead: Lead, marketing: User) -> None:
    client.force_login(marketing)

    response = client.post(f"/handoffs/lead/{quiet_lead.pk}/hand-off/", {"reason": " "}, headers=FRAGMENT)

    assert response.status_code == 422
    assert b"Say why" in response.content
    assert not Handoff.objects.exists()


def test_what_sales_has_cannot_be_handed_over_again(
    client: Client, handoff: Handoff, marketing: User
) -> None:
    client.force_login(marketing)
    panel = client.get(f"/handoffs/lead/{handoff.lead_id}/panel/").content.decode()

    response = client.post(
        f"/handoffs/lead/{handoff.lead_id}/hand-off/", {"reason": "Again"}, headers=FRAGMENT
    )

    assert "Hand over" not in panel
    assert response.status_code == 409
    assert b"with sales already" in response.content


def test_a_bdr_hands_nothing_over(client: Client, quiet_lead: Lead, bdr: User) -> None:
    client.force_login(bdr)

    response = client.post(f"/handoffs/lead/{quiet_lead.pk}/hand-off/", {"reason": "Mine"}, headers=FRAGMENT)

    assert response.status_code == 403
    assert not Handoff.objects.exists()


def test_times_late_are_late_to_the_second(as_owner: Client, handoff: Handoff, now: datetime) -> None:
    page = as_owner.get("/queue/").content.decode()

    # The handoff was made in March; the clock of the page is now.
    assert 'data-state="late"' in page
    assert handoff.created_at + timedelta(minutes=15) < datetime.now(tz=now.tzinfo)


# --- Few taps ------------------------------------------------------------------------------------


def test_one_tap_answers_all_that_the_gate_asks_for(as_owner: Client, accepted: Handoff) -> None:
    """In the words of the gate, and with the evidence that was typed (QUEUE-4)."""
    QualificationGate.objects.update(requires=["budget", "authority", "need"], budget_may_be_rough=True)
    page = as_owner.get(address(accepted)).content.decode()
    unknown = dict.fromkeys(ALL_YES, "unknown") | {"need_evidence": "Leads get lost", "qualify": "all"}

    as_owner.post(address(accepted, "bant/"), unknown, headers=FRAGMENT)

    accepted.refresh_from_db()
    assert "Does the budget roughly fit?" in page
    assert accepted.status == Handoff.Status.QUALIFIED
    assert (accepted.qualification.budget, accepted.qualification.timeline) == ("yes", "unknown")
    assert accepted.qualification.need_evidence == "Leads get lost"


def test_where_evidence_is_needed_one_line_stands_for_all(as_owner: Client, accepted: Handoff) -> None:
    QualificationGate.objects.update(requires=["budget", "need"], evidence_needed=True)
    page = as_owner.get(address(accepted)).content.decode()
    given = dict.fromkeys(ALL_YES, "unknown") | {"need_evidence": "Leads get lost", "qualify": "all"}

    refused = as_owner.post(address(accepted, "bant/"), given | {"said": ""}, headers=FRAGMENT)
    as_owner.post(address(accepted, "bant/"), given | {"said": "Wants it by May"}, headers=FRAGMENT)

    accepted.refresh_from_db()
    assert 'name="said"' in page
    assert refused.status_code == 422
    assert "say what they said of budget" in refused.content.decode()
    assert accepted.status == Handoff.Status.QUALIFIED
    answers = accepted.qualification
    assert (answers.budget_evidence, answers.need_evidence) == ("Wants it by May", "Leads get lost")
    assert answers.timeline_evidence == ""


def test_terms_of_a_deal_begin_with_what_the_lead_named_and_can_be_corrected(
    as_owner: Client, accepted: Handoff, now: datetime
) -> None:
    Lead.objects.filter(pk=accepted.lead_id).update(deal_size=12000)
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    page = as_owner.get(address(accepted)).content.decode()
    terms = {"amount": "12000", "currency": "EUR"}
    as_owner.post(address(accepted, "opportunity/"), terms, headers=FRAGMENT)

    answer = as_owner.post(
        address(accepted, "opportunity/"), terms | {"close_on": "2026-12-24"}, headers=FRAGMENT
    )

    assert 'value="12000"' in page
    assert "Opportunity corrected." in answer.content.decode()
    assert f"{Opportunity.objects.get().close_on}" == "2026-12-24"


def test_a_stale_page_keeps_the_answers_given_since(
    as_owner: Client, accepted: Handoff, now: datetime
) -> None:
    """Only what was changed on the page is kept; the rest is as somebody left it meanwhile (QUEUE-5)."""
    action = address(accepted, "bant/")
    stale = sent_by_enter(as_owner.get(address(accepted)).content.decode(), action=action, field="budget")
    newer = BantAnswers(budget="no", budget_evidence="Frozen until June")
    record_bant(accepted, answers=newer, by=accepted.owner, now=now)

    as_owner.post(action, stale | {"need": "yes", "need_evidence": "Leads get lost"}, headers=FRAGMENT)

    kept = Qualification.objects.get()
    assert (kept.budget, kept.budget_evidence) == ("no", "Frozen until June")
    assert (kept.need, kept.need_evidence) == ("yes", "Leads get lost")


def test_a_stale_page_keeps_the_terms_corrected_since(
    as_owner: Client, accepted: Handoff, now: datetime
) -> None:
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    open_opportunity(accepted, amount=Decimal(9000), currency="CHF", by=accepted.owner, now=now)
    action = address(accepted, "opportunity/")
    stale = sent_by_enter(as_owner.get(address(accepted)).content.decode(), action=action, field="amount")
    correct_opportunity(accepted, changes={"amount": Decimal(12000)}, by=accepted.owner, now=now)

    refused = as_owner.post(action, stale | {"close_on": "soon"}, headers=FRAGMENT)
    again = sent_by_enter(refused.content.decode(), action=action, field="amount")
    as_owner.post(action, again | {"close_on": "2027-01-31"}, headers=FRAGMENT)

    deal = Opportunity.objects.get()
    assert refused.status_code == 422
    assert (deal.amount, deal.currency, f"{deal.close_on}") == (12000, "CHF", "2027-01-31")


def test_why_deals_were_lost_before_is_offered_again(
    as_owner: Client, accepted: Handoff, stranger: User, now: datetime
) -> None:
    """What was said more than once, of the deals one may see: no free text of other pools (OPS-1)."""
    theirs = Pool.objects.create(name="Other pool")
    for said, pool in (
        ("Chose another", accepted.pool),
        ("Chose another", accepted.pool),
        ("Said once", accepted.pool),
        ("In confidence", theirs),
        ("In confidence", theirs),
    ):
        lost = offer(ready_lead(now=now), now=now)
        Handoff.objects.filter(pk=lost.pk).update(pool=pool, owner=stranger)
        Opportunity.objects.create(handoff=lost, opened_at=now, lost_at=now, lost_reason=said)
    qualify_handoff(accepted, answers=BantAnswers(**ALL_YES), by=accepted.owner, now=now)
    open_opportunity(accepted, by=accepted.owner, now=now)

    page = as_owner.get(address(accepted)).content.decode()

    assert '<option value="Chose another">' in page
    assert "Said once" not in page
    assert "In confidence" not in page
