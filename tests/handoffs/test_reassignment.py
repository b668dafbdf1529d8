"""Reassignment, and the overflow queue handed out oldest first (HAND-4)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.acting import HandoffChanged
from handoffs.contact.planning import plan_contact
from handoffs.models import Handoff, Pool
from handoffs.routing.overflow import assign_all_overflow, assign_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, record_opened, withdraw_handoff
from leads.models import Lead, LeadEvent
from sla.models import Clock, Target
from tests.desk import offer, ready_lead


def other_than(owner: User | None, *users: User) -> User:
    return next(user for user in users if user != owner)


# --- By a manager -------------------------------------------------------------------------------


def test_a_manager_gives_a_handoff_to_somebody_else(
    handoff: Handoff, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    old = handoff.owner
    new = other_than(old, bdr, other_bdr)
    record_opened(handoff, by=old, now=now)
    later = now + timedelta(minutes=10)

    reassign_handoff(handoff, to=new, by=manager, now=later, reason="Speaks Dutch")

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (handoff.owner, handoff.offered_at, handoff.opened_at, lead.owner) == (new, later, None, new)
    opened = Clock.objects.running().get(kind=Target.Kind.OPENED)
    assert (opened.owner, opened.due_at) == (new, later + timedelta(minutes=15))
    decision = handoff.routing_decisions.order_by("id").last()
    assert decision.candidates[0]["reason"] == "chosen by Nia Berg: Speaks Dutch"
    assert old.notifications.filter(title__endswith="was reassigned").exists()
    assert new.notifications.filter(title__startswith="New lead").exists()


def test_a_reassigned_lead_counts_for_its_new_owner(
    handoff: Handoff, pool: Pool, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    old = handoff.owner
    new = other_than(old, bdr, other_bdr)

    reassign_handoff(handoff, to=new, by=manager, now=now, reason="On holiday soon")

    assert pool.memberships.get(user=old).received == 0
    assert pool.memberships.get(user=new).received == 1


def test_what_is_accepted_stays_accepted_under_the_new_name(
    handoff: Handoff, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    new = other_than(handoff.owner, bdr, other_bdr)

    reassign_handoff(handoff, to=new, by=manager, now=now, reason="Left the company")

    assert (handoff.status, handoff.owner) == (Handoff.Status.ACCEPTED, new)


def test_the_last_owners_plan_is_not_the_next_ones(
    handoff: Handoff, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    """The plan is the rep's own (QUEUE-3)."""
    accept_handoff(handoff, by=handoff.owner, now=now)
    tomorrow = now + timedelta(days=1)
    plan_contact(handoff, at=tomorrow, channel="call", note="I know her", by=handoff.owner, now=now)
    new = other_than(handoff.owner, bdr, other_bdr)

    reassign_handoff(handoff, to=new, by=manager, now=now, reason="On holiday soon")

    handoff.refresh_from_db()
    plan = (handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note)
    assert plan == (None, "", "")


def test_a_manager_may_put_an_offer_back_into_the_overflow_queue(
    handoff: Handoff, manager: User, now: datetime
) -> None:
    reassign_handoff(handoff, to=None, by=manager, now=now, reason="Let them choose")

    assert list(Handoff.objects.overflow()) == [handoff]
    assert handoff.offered_at is None


def test_managers_are_told_each_time_a_lead_comes_to_the_overflow_queue(
    handoff: Handoff, bdr: User, manager: User, now: datetime
) -> None:
    for minutes, to in enumerate((None, bdr, None)):
        later = now + timedelta(minutes=minutes)
        reassign_handoff(handoff, to=to, by=manager, now=later, reason="Let them choose")

    assert manager.notifications.filter(title__startswith="Nobody available").count() == 2


@pytest.mark.parametrize(("to", "reason", "field"), [("bdr", " ", "reason"), ("reader", "Yes", "to")])
def test_a_reassignment_needs_a_reason_and_somebody_who_works_leads(
    handoff: Handoff, manager: User, now: datetime, request, to: str, reason: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        reassign_handoff(handoff, to=request.getfixturevalue(to), by=manager, now=now, reason=reason)

    assert refused.value.field == field


def test_what_is_accepted_does_not_go_back_to_the_queue(
    handoff: Handoff, manager: User, now: datetime
) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)

    with pytest.raises(InvalidInput, match="choose who goes on"):
        reassign_handoff(handoff, to=None, by=manager, now=now, reason="Too slow")


def test_giving_it_to_its_owner_changes_nothing(handoff: Handoff, manager: User, now: datetime) -> None:
    events = LeadEvent.objects.count()

    reassign_handoff(handoff, to=handoff.owner, by=manager, now=now, reason="Stay")

    assert LeadEvent.objects.count() == events


def test_a_closed_handoff_is_not_reassigned(
    handoff: Handoff, bdr: User, manager: User, marketing: User, now: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")

    with pytest.raises(HandoffChanged, match="Jo Marks withdrew this"):
        reassign_handoff(handoff, to=bdr, by=manager, now=now, reason="Too late")


def test_only_managers_reassign(handoff: Handoff, bdr: User, marketing: User, now: datetime) -> None:
    for somebody in (bdr, marketing):
        with pytest.raises(NotAllowed):
            reassign_handoff(handoff, to=bdr, by=somebody, now=now, reason="Mine")


# --- The overflow queue -------------------------------------------------------------------------


def queue_up(pool: Pool, count: int, *, now: datetime) -> list[Handoff]:
    """So many leads that found both BDRs full, oldest first."""
    pool.memberships.update(max_open=0)
    waiting = [offer(ready_lead(now=now), now=now + timedelta(minutes=minute)) for minute in range(count)]
    assert all(handoff.owner is None for handoff in waiting)
    return waiting


def owners(handoffs: list[Handoff]) -> list[bool]:
    """Which of them have an owner by now."""
    for handoff in handoffs:
        handoff.refresh_from_db()
    return [handoff.owner is not None for handoff in handoffs]


def test_waiting_leads_are_handed_out_oldest_first_as_capacity_frees(pool: Pool, now: datetime) -> None:
    waiting = queue_up(pool, 4, now=now)
    pool.memberships.update(max_open=1)

    assigned = assign_overflow(pool, now=now + timedelta(hours=1))

    assert assigned == 2
    assert owners(waiting) == [True, True, False, False]
    assert {clock.owner for clock in Clock.objects.running().filter(handoff_id=waiting[0].pk)} == {
        waiting[0].owner
    }


def test_a_newer_lead_never_jumps_the_queue(pool: Pool, now: datetime) -> None:
    queue_up(pool, 1, now=now)
    pool.memberships.update(max_open=5)

    newer = offer(ready_lead(now=now), now=now + timedelta(hours=1))

    assert newer.owner is None
    assert newer.routing_decisions.get().strategy == "Waits behind older leads"

    assert assign_all_overflow(now=now + timedelta(hours=2)) == 2


def test_a_new_week_frees_capacity(pool: Pool, now: datetime) -> None:
    pool.memberships.update(weekly_capacity=1)
    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(3)]
    assert owners(handoffs) == [True, True, False]

    sunday, monday = now + timedelta(days=5), now + timedelta(days=6)

    assert assign_all_overflow(now=sunday) == 0
    assert assign_all_overflow(now=monday) == 1


def test_closing_one_asks_for_the_next_to_be_handed_out(
    pool: Pool, marketing: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_q.models import OrmQ

    pool.memberships.update(max_open=1)
    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(3)]
    OrmQ.objects.all().delete()

    withdraw_handoff(handoffs[0], by=marketing, now=now, reason="Wrong list")

    assert [task.func() for task in OrmQ.objects.all()] == ["handoffs.tasks.assign_overflow_soon"]


def test_a_lead_nobody_may_take_does_not_block_those_behind_it(
    pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    stuck, behind = queue_up(pool, 2, now=now)
    pool.memberships.update(max_open=5)
    # It came back so often that everybody has had it.
    Lead.objects.filter(pk=stuck.lead_id).update(trips=2)
    for user in (bdr, other_bdr):
        Handoff.objects.create(
            lead=stuck.lead,
            pool=pool,
            owner=user,
            status=Handoff.Status.WITHDRAWN,
            trigger=Handoff.Trigger.MANUAL,
            score=0,
            category="C",
            warmth="cold",
            created_at=now,
            closed_at=now,
        )

    assert assign_overflow(pool, now=now) == 1
    assert owners([stuck, behind]) == [False, True]
