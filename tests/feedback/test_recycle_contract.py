"""A returned lead is an MQL again only with new evidence and after the cool-off (FEED-2)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from feedback.models import Recycling, Verdict
from feedback.presets import PRESETS, load_feedback_preset
from feedback.recycling import wake_recyclings
from feedback.services import reject_handoff
from handoffs.contact.services import record_attempt
from handoffs.models import Handoff, RecycleContract
from handoffs.pipeline import advance_due_leads, advance_lead
from handoffs.recycle_contract import look_after_cool_off, standing_of
from handoffs.services import accept_handoff
from leads.models import Lead
from leads.services import correct_lead
from scoring.evidence import has_signal_since, points_since, raised_hand_since
from scoring.services import score_lead
from tests.desk import do, reason
from tests.factories import LeadFactory

DAY = timedelta(days=1)


def reject(handoff: Handoff, code: str, *, now: datetime) -> Verdict:
    return reject_handoff(handoff, reason=reason(code), by=handoff.owner, via=Verdict.Via.PAGE, now=now)


def give_up_on(handoff: Handoff, *, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    record_attempt(handoff, channel="call", outcome="no_answer", by=handoff.owner, now=now)
    reject(handoff, "unreachable", now=now)


def contract(**terms: object) -> None:
    RecycleContract.objects.update_or_create(singleton=True, defaults=terms)


@pytest.fixture
def premature(handoff: Handoff, lead: Lead, now: datetime) -> Lead:
    """A lead back for 30 days, after which only the contract stands between it and sales."""
    reject(handoff, "premature", now=now)
    wake_recyclings(now=now + 30 * DAY)
    lead.refresh_from_db()
    return lead


def is_back(lead: Lead, *, now: datetime) -> bool:
    advance_lead(lead.pk, now=now)
    return Handoff.objects.open().filter(lead=lead).exists()


def test_the_page_says_one_day_for_all_that_a_lead_waits_for(
    client: Client, handoff: Handoff, lead: Lead
) -> None:
    """The cool-off and the hold both have an end: the later one counts."""
    at = timezone.now()
    contract(cool_off_days=3, min_points=1)
    client.force_login(handoff.owner)
    Lead.objects.filter(pk=lead.pk).update(
        stage=Lead.Stage.LEAD, recycled_at=at, hold=Lead.Hold.UNTIL_DATE, held_until=at + 9 * DAY
    )
    do(lead, "Demo Requested", now=at + timedelta(minutes=1), form="demo")
    score_lead(lead, now=at + timedelta(minutes=1))

    dated = client.get(f"/feedback/lead/{lead.pk}/panel/")
    Lead.objects.filter(pk=lead.pk).update(hold=Lead.Hold.UNTIL_FIXED, held_until=None)
    undated = client.get(f"/feedback/lead/{lead.pk}/panel/")

    assert "It has shown enough" in dated.content.decode()
    assert dated.context["not_before"] == at + 9 * DAY
    assert undated.context["not_before"] == at + 3 * DAY
    assert "; it is held until marketing has fixed its data." in undated.content.decode()


# --- New evidence -------------------------------------------------------------------------------


@pytest.mark.parametrize(("needed", "back"), [(20, True), (21, False)])
def test_it_needs_the_points_of_the_contract(premature: Lead, now: datetime, needed: int, back: bool) -> None:
    """The pricing page is worth 20 points by the classic rules."""
    contract(min_points=needed, enough_signals=[])
    later = now + 31 * DAY
    do(premature, "Page Viewed", now=later, path="/pricing")

    assert is_back(premature, now=later) is back


def test_what_it_did_before_the_return_is_no_evidence(premature: Lead, now: datetime) -> None:
    assert points_since(premature, since=now - DAY, now=now + 31 * DAY) > 0
    assert points_since(premature, since=now, now=now + 31 * DAY) == 0
    assert not is_back(premature, now=now + 31 * DAY)


def test_a_listed_signal_is_enough_whatever_its_points(premature: Lead, now: datetime) -> None:
    contract(min_points=1_000, enough_signals=["case-study"])
    later = now + 31 * DAY
    do(premature, "Page Viewed", now=later, path="/pricing")
    assert not is_back(premature, now=later)

    do(premature, "Case Study Downloaded", now=later)

    advance_lead(premature.pk, now=later)
    assert has_signal_since(premature, ["case-study"], since=now)
    assert is_back(premature, now=later)


def test_who_asks_for_a_demo_again_is_not_kept_waiting(premature: Lead, now: datetime) -> None:
    """An instant MQL counts without being listed, however many points the contract wants."""
    contract(min_points=1_000, enough_signals=[])
    later = now + 31 * DAY
    do(premature, "Demo Requested", now=later)

    assert is_back(premature, now=later)
    assert raised_hand_since(premature, since=now)


def test_without_a_contract_a_single_point_is_enough(premature: Lead, now: datetime) -> None:
    RecycleContract.objects.all().delete()
    do(premature, "Page Viewed", now=now + 31 * DAY, path="/pricing")

    assert is_back(premature, now=now + 31 * DAY)


# --- The cool-off -------------------------------------------------------------------------------


def test_it_waits_for_the_end_of_the_cool_off_and_comes_by_itself(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    contract(min_points=10, cool_off_days=14)
    give_up_on(handoff, now=now)
    do(lead, "Demo Requested", now=now + DAY)

    advance_due_leads(now=now + DAY)

    assert not Handoff.objects.open().exists()
    lead.refresh_from_db()
    assert lead.hold == Lead.Hold.NONE
    assert lead.advance_at is not None
    assert lead.advance_at <= now + 14 * DAY
    advance_due_leads(now=now + 14 * DAY)
    assert Handoff.objects.open().get(lead=lead).owner == handoff.owner


def test_a_changed_fit_is_the_evidence_but_does_not_shorten_the_cool_off(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    contract(min_points=10, cool_off_days=14)
    reject(handoff, "wrong-icp", now=now)
    correct_lead(lead, changes={"title": "Chief Operating Officer"}, by=marketing, at=now + DAY, via="page")

    advance_due_leads(now=now + DAY)
    assert not Handoff.objects.open().exists()

    advance_due_leads(now=now + 14 * DAY)
    assert Handoff.objects.open().filter(lead=lead, is_returning=True).exists()


def test_a_lead_can_be_asked_where_it_stands(premature: Lead, now: datetime) -> None:
    contract(min_points=30, enough_signals=["demo-request"], cool_off_days=40)
    do(premature, "Page Viewed", now=now + 31 * DAY, path="/pricing")
    advance_lead(premature.pk, now=now + 31 * DAY)

    standing = standing_of(premature, now=now + 31 * DAY)

    assert standing is not None
    assert (standing.points, standing.needed, standing.enough) == (20, 30, False)
    assert standing.free_at == now + 40 * DAY
    assert not standing.is_met(now + 41 * DAY)


# --- Tracks -------------------------------------------------------------------------------------


def test_a_recycling_is_under_way_while_it_holds_its_lead(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    give_up_on(handoff, now=now)
    assert Recycling.objects.under_way().count() == 1

    do(lead, "Page Viewed", now=now + DAY, path="/pricing")
    advance_lead(lead.pk, now=now + DAY)

    assert not Recycling.objects.under_way().exists()


# --- Another contract ---------------------------------------------------------------------------


def ease_in_the_admin(client: Client, manager: User, *, now: datetime) -> None:
    client.force_login(manager)
    path = f"/admin/handoffs/recyclecontract/{RecycleContract.objects.get().pk}/change/"
    client.post(path, {"min_points": "20", "cool_off_days": "0"})


def ease_by_a_preset(client: Client, manager: User, *, now: datetime) -> None:
    load_feedback_preset(PRESETS["classic"], by=manager, now=now)


@pytest.mark.parametrize("ease", [ease_in_the_admin, ease_by_a_preset])
def test_an_eased_contract_frees_whom_only_the_old_one_kept(
    premature: Lead, client: Client, manager: User, now: datetime, ease: Callable[..., None]
) -> None:
    contract(min_points=21, enough_signals=[])
    later = now + 31 * DAY
    do(premature, "Page Viewed", now=later, path="/pricing")
    assert not is_back(premature, now=later)
    Lead.objects.update(advance_at=None)

    ease(client, manager, now=later)

    premature.refresh_from_db()
    assert premature.advance_at is not None
    assert is_back(premature, now=later)


def test_the_same_preset_again_has_nobody_looked_at(premature: Lead, manager: User, now: datetime) -> None:
    do(premature, "Demo Requested", now=now + 29 * DAY)
    Lead.objects.update(advance_at=None)

    load_feedback_preset(PRESETS["classic"], by=manager, now=now + 31 * DAY)

    assert not Lead.objects.exclude(advance_at=None).exists()


def test_however_many_cool_off_one_statement_marks_them(
    premature: Lead, now: datetime, django_assert_num_queries
) -> None:
    contract(min_points=20, cool_off_days=40)
    LeadFactory.create_batch(3, stage=Lead.Stage.NURTURE, recycled_at=now - 10 * DAY)
    over = LeadFactory(stage=Lead.Stage.NURTURE, recycled_at=now - 50 * DAY)
    by_its_last_rejection = Lead.objects.filter(pk=premature.pk)
    by_its_last_rejection.update(recycled_at=None)
    Lead.objects.update(advance_at=None)
    leads = list(Lead.objects.all())

    with django_assert_num_queries(2):  # the contract, the marks
        look_after_cool_off(leads, now=now)

    over.refresh_from_db()
    assert over.advance_at is None
    assert by_its_last_rejection.get().advance_at == now + 40 * DAY
    assert Lead.objects.filter(advance_at=now + 30 * DAY).count() == 3
