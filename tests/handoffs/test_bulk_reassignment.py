"""Somebody leaves: everything in hand goes to others at once, as the preview showed, or nothing does."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Count
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.models import Handoff, Pool, PoolMembership, RoutingDecision
from handoffs.routing.bulk_reassignment import (
    BulkPlan,
    Move,
    PreviewOutdated,
    Which,
    plan_by_turns,
    plan_for_people,
    reassign_in_bulk,
)
from handoffs.services import accept_handoff
from leads.models import LeadEvent
from notifications.models import Notification
from tests.desk import offer, ready_lead
from tests.factories import PoolMembershipFactory, UserFactory

LEAVES = "Leaves in May"


@pytest.fixture
def third(pool: Pool, bdr: User) -> User:
    user = UserFactory(username="kim", first_name="Kim", last_name="Sato", team=bdr.team)
    PoolMembershipFactory(pool=pool, user=user, is_active=False)  # until the leads of the test are dealt
    return user


@pytest.fixture
def in_hand(pool: Pool, bdr: User, other_bdr: User, third: User, now: datetime) -> list[Handoff]:
    """Mara has four leads, two of one company; the first is accepted."""
    PoolMembership.objects.filter(user=other_bdr).update(is_active=False)
    companies = ("", "nordwind.example", "", "nordwind.example")
    handoffs = [
        offer(ready_lead(now=now, company=company), now=now + timedelta(seconds=second))
        for second, company in enumerate(companies)
    ]
    accept_handoff(handoffs[0], by=bdr, now=now)
    PoolMembership.objects.update(is_active=True)
    return list(Handoff.objects.owned_by(bdr).order_by("created_at"))


def targets(plan: BulkPlan) -> dict[int, int | None]:
    return {move.handoff_id: move.to_id for move in plan.moves}


def test_by_turns_each_gets_as_many_and_leads_of_a_company_stay_together(
    in_hand: list[Handoff], bdr: User, other_bdr: User, third: User, manager: User, now: datetime
) -> None:
    plan = plan_by_turns(bdr, which=Which.ALL, now=now)

    moved = reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)

    assert moved == Counter({other_bdr: 2, third: 2})
    assert not Handoff.objects.open().owned_by(bdr).exists()
    of_company = Handoff.objects.filter(lead__company__domain="nordwind.example")
    assert of_company.values("owner").distinct().count() == 1
    accepted = Handoff.objects.get(pk=in_hand[0].pk)
    assert (accepted.status, accepted.accepted_by) == (Handoff.Status.ACCEPTED, bdr)


def test_the_books_the_log_and_the_messages_tell_of_it(
    in_hand: list[Handoff], pool: Pool, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    """Every figure equals an independent count, and each new owner is told once."""
    plan = plan_for_people(bdr, [other_bdr], which=Which.ALL)

    reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)

    received = dict(PoolMembership.objects.filter(pool=pool).values_list("user", "received"))
    counted = dict(
        Handoff.objects.filter(slot_returned_at=None).values_list("owner").annotate(number=Count("pk"))
    )
    assert {user: number for user, number in received.items() if number} == counted == {other_bdr.pk: 4}
    events = LeadEvent.objects.filter(kind=LeadEvent.Kind.ASSIGNED, by=manager)
    assert {(event.detail["from_id"], event.detail["owner_id"]) for event in events} == {
        (bdr.pk, other_bdr.pk)
    }
    assert events.count() == 4
    decision = RoutingDecision.objects.filter(handoff=in_hand[1]).latest("pk")
    assert decision.candidates[0]["reason"] == f"chosen by Nia Berg: {LEAVES}"
    told = Notification.objects.filter(recipient=other_bdr, created_at=now, title__contains="yours now")
    assert [message.title for message in told] == ["4 leads of Mara Lind are yours now"]
    assert Notification.objects.filter(recipient=bdr, title="4 leads of yours went to others").count() == 1


def test_what_nobody_can_take_waits_unless_it_is_accepted(
    in_hand: list[Handoff], bdr: User, manager: User, now: datetime
) -> None:
    PoolMembership.objects.exclude(user=bdr).update(max_open=0)

    plan = plan_by_turns(bdr, which=Which.ALL, now=now)
    moved = reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)

    assert plan.staying == (in_hand[0].pk,)
    assert moved == Counter({None: 3})
    assert Handoff.objects.overflow().count() == 3
    assert Notification.objects.filter(recipient=manager, title__startswith="Nobody available for 3").exists()


def test_one_change_since_the_preview_stops_all_of_it(
    in_hand: list[Handoff], bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    plan = plan_for_people(bdr, [other_bdr], which=Which.OFFERED)
    accept_handoff(in_hand[3], by=bdr, now=now)

    with pytest.raises(PreviewOutdated, match=r"Mara Lind accepted this just now\. Nothing was moved"):
        reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)

    assert Handoff.objects.open().owned_by(bdr).count() == 4


def test_many_cost_no_more_statements_than_one(
    in_hand: list[Handoff], bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    _, first, *rest = plan_for_people(bdr, [other_bdr], which=Which.ALL).moves

    with CaptureQueriesContext(connection) as one:
        reassign_in_bulk(BulkPlan(bdr.pk, (first,)), by=manager, reason=LEAVES, now=now)
    with CaptureQueriesContext(connection) as many:
        reassign_in_bulk(BulkPlan(bdr.pk, tuple(rest)), by=manager, reason=LEAVES, now=now)

    assert len(rest) > 1
    assert len(many) <= len(one)


def test_a_second_click_moves_nothing_and_says_the_same(
    in_hand: list[Handoff], bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    plan = plan_for_people(bdr, [other_bdr], which=Which.ALL)
    first = reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)
    entries = LeadEvent.objects.count()

    assert reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now) == first
    assert LeadEvent.objects.count() == entries


def test_chosen_people_share_by_what_they_have_open(
    in_hand: list[Handoff], bdr: User, other_bdr: User, third: User
) -> None:
    plan = plan_for_people(bdr, [other_bdr, third], which=Which.ALL)

    assert sorted(Counter(targets(plan).values()).values()) == [2, 2]
    assert targets(plan)[in_hand[1].pk] == targets(plan)[in_hand[3].pk]


def test_a_preview_survives_the_way_to_the_page_and_back_and_nothing_else_does() -> None:
    plan = BulkPlan(7, (Move(1, "offered", 8), Move(2, "offered", None)))

    assert BulkPlan.unseal(plan.seal()) == plan
    for forged in ("", "x", plan.seal()[:-1]):
        with pytest.raises(InvalidInput, match="too old"):
            BulkPlan.unseal(forged)


def test_only_a_manager_does_it_with_a_reason_and_to_people_who_work_here(
    in_hand: list[Handoff], bdr: User, other_bdr: User, marketing: User, manager: User, now: datetime
) -> None:
    plan = plan_for_people(bdr, [other_bdr], which=Which.ALL)

    with pytest.raises(NotAllowed):
        reassign_in_bulk(plan, by=other_bdr, reason=LEAVES, now=now)
    with pytest.raises(InvalidInput, match="Say why"):
        reassign_in_bulk(plan, by=manager, reason=" ", now=now)
    with pytest.raises(InvalidInput, match="Choose BDRs or managers"):
        plan_for_people(bdr, [marketing], which=Which.ALL)
    User.objects.filter(pk=other_bdr.pk).update(is_active=False)
    with pytest.raises(InvalidInput, match="no longer works handoffs"):
        reassign_in_bulk(plan, by=manager, reason=LEAVES, now=now)
    assert Handoff.objects.open().owned_by(bdr).count() == 4
