"""Opening, accepting, claiming: who may, who was quicker, and what a repetition does (QUEUE-2, QUEUE-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from common.errors import NotAllowed
from handoffs.acting import HandoffAlreadyTaken, HandoffChanged, HandoffMovedOn
from handoffs.models import Handoff, Pool
from handoffs.routing.overflow import assign_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, record_opened, withdraw_handoff
from leads.models import Lead, LeadEvent
from sla.models import Clock, Target
from tests.desk import offer, ready_lead


@pytest.fixture
def waiting(pool: Pool, lead: Lead, now: datetime) -> Handoff:
    """A handoff in the overflow queue: both BDRs are full."""
    pool.memberships.update(weekly_capacity=0)
    return offer(lead, now=now)


def colleague_of(user: User | None, bdr: User, other_bdr: User) -> User:
    return other_bdr if user == bdr else bdr


# --- Opening ------------------------------------------------------------------------------------


def test_the_owner_looking_is_opened_and_stops_its_clock(handoff: Handoff, now: datetime) -> None:
    seen_at = now + timedelta(minutes=3)

    assert record_opened(handoff, by=handoff.owner, now=seen_at)

    handoff.refresh_from_db()
    assert (handoff.opened_at, handoff.opened_by) == (seen_at, handoff.owner)
    assert Clock.objects.get(handoff_id=handoff.pk, kind=Target.Kind.OPENED).stopped_at == seen_at


def test_looking_again_changes_nothing(handoff: Handoff, now: datetime) -> None:
    record_opened(handoff, by=handoff.owner, now=now)

    assert not record_opened(handoff, by=handoff.owner, now=now + timedelta(minutes=9))

    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.OPENED).count() == 1


def test_a_stale_copy_of_the_owner_does_not_open_twice(handoff: Handoff, now: datetime) -> None:
    stale = Handoff.objects.get(pk=handoff.pk)
    record_opened(handoff, by=handoff.owner, now=now)

    assert not record_opened(stale, by=handoff.owner, now=now)


def test_others_looking_is_not_opened(
    handoff: Handoff, bdr: User, other_bdr: User, manager: User, marketing: User, now: datetime
) -> None:
    for somebody in (colleague_of(handoff.owner, bdr, other_bdr), manager, marketing):
        assert not record_opened(handoff, by=somebody, now=now)


def test_a_member_of_the_pool_opens_what_waits_there(
    waiting: Handoff, bdr: User, stranger: User, now: datetime
) -> None:
    assert not record_opened(waiting, by=stranger, now=now)
    assert record_opened(waiting, by=bdr, now=now)


# --- Accepting ----------------------------------------------------------------------------------


def test_accepting_moves_the_lead_and_stops_the_decision(handoff: Handoff, now: datetime) -> None:
    later = now + timedelta(minutes=5)

    accept_handoff(handoff, by=handoff.owner, now=later)

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert (handoff.status, handoff.accepted_by, handoff.accepted_at) == ("accepted", handoff.owner, later)
    assert lead.stage == Lead.Stage.SAL
    assert set(Clock.objects.running().values_list("kind", flat=True)) == {"first_contact", "crm_transfer"}
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.ACCEPTED).by == handoff.owner


def test_a_double_click_accepts_once(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    stale = Handoff.objects.get(pk=handoff.pk)

    again = accept_handoff(stale, by=handoff.owner, now=now + timedelta(seconds=1))

    assert again.accepted_at == now
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.ACCEPTED).count() == 1


def test_who_comes_second_reads_who_was_quicker_and_when(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    stale = Handoff.objects.get(pk=waiting.pk)
    accept_handoff(waiting, by=bdr, now=now)

    with pytest.raises(HandoffAlreadyTaken) as refused:
        accept_handoff(stale, by=other_bdr, now=now + timedelta(seconds=8))

    assert str(refused.value) == "Mara Lind accepted this 8 seconds ago."


def test_accepting_out_of_the_overflow_queue_makes_it_ones_own(
    waiting: Handoff, bdr: User, now: datetime
) -> None:
    accept_handoff(waiting, by=bdr, now=now)

    lead = Lead.objects.get(pk=waiting.lead_id)
    assert (waiting.owner, lead.owner) == (bdr, bdr)
    assert set(Clock.objects.running().values_list("owner", flat=True)) == {bdr.pk}


def test_a_colleague_cannot_accept_what_is_offered_to_another(
    handoff: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed, match=f"This handoff is with {handoff.owner}"):
        accept_handoff(handoff, by=colleague_of(handoff.owner, bdr, other_bdr), now=now)


def test_whose_it_was_before_reads_who_gave_it_to_whom(
    handoff: Handoff, bdr: User, other_bdr: User, manager: User, now: datetime
) -> None:
    owner, other = handoff.owner, colleague_of(handoff.owner, bdr, other_bdr)
    reassign_handoff(handoff, to=other, by=manager, now=now, reason="Balance")

    with pytest.raises(HandoffMovedOn, match=f"{manager} gave this to {other} 20 seconds ago"):
        accept_handoff(handoff, by=owner, now=now + timedelta(seconds=20))


def test_who_claims_too_late_reads_who_has_got_it(
    waiting: Handoff, pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    pool.memberships.filter(user=bdr).update(weekly_capacity=9)
    assign_overflow(pool, now=now)

    with pytest.raises(HandoffAlreadyTaken, match=f"{bdr} got this 5 seconds ago"):
        accept_handoff(Handoff.objects.get(pk=waiting.pk), by=other_bdr, now=now + timedelta(seconds=5))


def test_a_manager_may_accept_for_a_rep(handoff: Handoff, manager: User, now: datetime) -> None:
    owner = handoff.owner

    accept_handoff(handoff, by=manager, now=now)

    assert (handoff.owner, handoff.accepted_by) == (owner, manager)


def test_a_manager_who_accepts_for_a_rep_twice_accepts_once(
    handoff: Handoff, manager: User, now: datetime
) -> None:
    accept_handoff(handoff, by=manager, now=now)

    again = accept_handoff(handoff, by=manager, now=now + timedelta(seconds=1))

    assert (again.accepted_by, again.accepted_at) == (manager, now)


def test_marketing_readers_and_strangers_cannot_accept(
    waiting: Handoff, marketing: User, reader: User, operator: User, stranger: User, now: datetime
) -> None:
    for somebody in (marketing, reader, operator, stranger):
        with pytest.raises(NotAllowed):
            accept_handoff(waiting, by=somebody, now=now)


def test_what_marketing_withdrew_cannot_be_accepted(handoff: Handoff, marketing: User, now: datetime) -> None:
    stale = Handoff.objects.get(pk=handoff.pk)
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")

    with pytest.raises(HandoffAlreadyTaken, match=r"Jo Marks withdrew this 2 hours ago\."):
        accept_handoff(stale, by=handoff.owner, now=now + timedelta(hours=2))


def test_what_is_accepted_cannot_be_withdrawn(handoff: Handoff, marketing: User, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)

    with pytest.raises(HandoffChanged, match="accepted this just now"):
        withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")


# --- Claiming -----------------------------------------------------------------------------------


def test_a_full_pool_puts_the_lead_in_its_overflow_queue_and_tells_the_manager(
    waiting: Handoff, manager: User
) -> None:
    assert list(Handoff.objects.overflow()) == [waiting]
    assert manager.notifications.get().title.startswith("Nobody available for Lea Holm")
    reasons = {one["reason"] for one in waiting.routing_decisions.get().candidates}
    assert reasons == {"skipped: at weekly capacity, 0 of 0"}


def test_claiming_takes_it_without_accepting(waiting: Handoff, bdr: User, now: datetime) -> None:
    claim_handoff(waiting, by=bdr, now=now)

    assert (waiting.owner, waiting.status, waiting.offered_at) == (bdr, "offered", now)
    assert waiting.routing_decisions.order_by("id").last().chosen == bdr


@pytest.mark.parametrize("opened_by", ["claimer", "colleague"])
def test_what_a_colleague_opened_its_new_owner_has_not(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime, opened_by: str
) -> None:
    record_opened(waiting, by=bdr if opened_by == "claimer" else other_bdr, now=now)

    claim_handoff(waiting, by=bdr, now=now + timedelta(minutes=1))

    running = Clock.objects.running().filter(handoff_id=waiting.pk, kind=Target.Kind.OPENED)
    assert running.exists() is (opened_by == "colleague")
    assert record_opened(waiting, by=bdr, now=now + timedelta(minutes=2)) is (opened_by == "colleague")
    assert not running.exists()


def test_of_two_who_claim_the_second_is_told(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    stale = Handoff.objects.get(pk=waiting.pk)
    claim_handoff(waiting, by=bdr, now=now)

    with pytest.raises(HandoffAlreadyTaken, match=r"Mara Lind got this 1 minute ago\."):
        claim_handoff(stale, by=other_bdr, now=now + timedelta(minutes=1))


def test_who_accepts_what_a_colleague_has_just_claimed_is_told(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    stale = Handoff.objects.get(pk=waiting.pk)
    claim_handoff(waiting, by=bdr, now=now)

    with pytest.raises(HandoffAlreadyTaken, match="Mara Lind got this"):
        accept_handoff(stale, by=other_bdr, now=now + timedelta(minutes=1))


def test_claiming_again_changes_nothing(waiting: Handoff, bdr: User, now: datetime) -> None:
    claim_handoff(waiting, by=bdr, now=now)

    claim_handoff(waiting, by=bdr, now=now + timedelta(minutes=1))

    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.CLAIMED).count() == 1


def test_a_stranger_to_the_pool_cannot_claim(waiting: Handoff, stranger: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        claim_handoff(waiting, by=stranger, now=now)


# --- Who sees it --------------------------------------------------------------------------------


def test_a_bdr_sees_what_is_theirs_and_their_pools(
    handoff: Handoff, bdr: User, other_bdr: User, stranger: User, marketing: User, now: datetime
) -> None:
    seen = {user: Handoff.objects.visible_to(user).count() for user in (bdr, other_bdr, stranger, marketing)}

    assert seen == {bdr: 1, other_bdr: 1, stranger: 0, marketing: 1}


def test_the_most_urgent_comes_first_in_one_query(
    pool: Pool, now: datetime, django_assert_num_queries
) -> None:
    later = offer(ready_lead(now=now), now=now + timedelta(hours=1))
    sooner = offer(ready_lead(now=now), now=now)
    opened = offer(ready_lead(now=now), now=now)
    accept_handoff(opened, by=opened.owner, now=now)

    with django_assert_num_queries(1):
        rows = list(Handoff.objects.open().with_next_due().most_urgent_first())

    assert rows == [sooner, later, opened]
    assert [row.next_due_kind for row in rows] == ["opened", "opened", "first_contact"]
    assert rows[0].next_due_at == now + timedelta(minutes=15)
