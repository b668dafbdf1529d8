"""Taking an acceptance back within seconds: as it was before, with the log telling both."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from common.errors import NotAllowed
from handoffs.acting import HandoffChanged, HandoffMovedOn
from handoffs.contact.planning import plan_contact
from handoffs.contact.services import BantAnswers, record_attempt, record_bant
from handoffs.models import Handoff, Pool, PoolMembership
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, record_opened
from handoffs.undo import GRACE, UNDO_FOR, ActedOnSince, TooLateToUndo, undo_acceptance
from leads.models import Lead, LeadEvent
from leads.services import log_event
from scoring.outcomes import outcomes_of
from sla.models import Clock, Target
from tests.desk import SERVICE_LEVELS, offer, ready_lead

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
PROMISED = [target.kind for policy in SERVICE_LEVELS.policies for target in policy.targets]


@pytest.fixture
def accepted_at(now: datetime) -> datetime:
    return now + 5 * MINUTE


@pytest.fixture
def accepted(handoff: Handoff, accepted_at: datetime) -> Handoff:
    return accept_handoff(handoff, by=handoff.owner, now=accepted_at)


def clocks(handoff: Handoff) -> dict[str, tuple[str, datetime, datetime | None, datetime | None]]:
    """How the promises of a handoff stand."""
    return {
        clock.kind: (clock.outcome, clock.due_at, clock.stopped_at, clock.warn_at)
        for clock in Clock.objects.filter(handoff_id=handoff.pk).exclude(outcome="cancelled")
    }


def books(pool: Pool) -> list[tuple[object, ...]]:
    fields = ("user", "received", "entitled", "last_offered_at")
    return list(PoolMembership.objects.filter(pool=pool).order_by("user").values_list(*fields))


def test_undoing_gives_the_offer_back_as_it_was(handoff: Handoff, accepted_at: datetime) -> None:
    before = clocks(handoff)
    accept_handoff(handoff, by=handoff.owner, now=accepted_at)

    undo_acceptance(handoff, by=handoff.owner, now=accepted_at + 9 * SECOND)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OFFERED
    assert (handoff.accepted_at, handoff.accepted_by) == (None, None)
    assert Lead.objects.get(pk=handoff.lead_id).stage == Lead.Stage.MQL
    assert clocks(handoff) == before


def test_the_log_keeps_the_acceptance_and_says_that_it_was_undone(
    accepted: Handoff, accepted_at: datetime
) -> None:
    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + SECOND)

    entry = LeadEvent.objects.get(kind=LeadEvent.Kind.ACCEPTED)
    undone = LeadEvent.objects.get(kind=LeadEvent.Kind.UNDONE)
    assert undone.by == accepted.owner
    assert undone.detail == {"undoes": "accepted", "entry": entry.pk}


def test_what_was_undone_counts_as_no_decision(accepted: Handoff, accepted_at: datetime) -> None:
    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + SECOND)
    (undecided,) = outcomes_of([accepted.lead_id])
    accept_handoff(accepted, by=accepted.owner, now=accepted_at + MINUTE)
    (decided,) = outcomes_of([accepted.lead_id])

    assert (undecided.accepted_at, undecided.status) == (None, "offered")
    assert decided.accepted_at == accepted_at + MINUTE


def test_undoing_twice_changes_nothing_the_second_time(accepted: Handoff, accepted_at: datetime) -> None:
    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + SECOND)
    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + 2 * SECOND)

    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.UNDONE).count() == 1


def test_it_can_be_accepted_and_undone_again(accepted: Handoff, accepted_at: datetime) -> None:
    for seconds in (1, 3):
        undo_acceptance(accepted, by=accepted.owner, now=accepted_at + seconds * SECOND)
        accept_handoff(accepted, by=accepted.owner, now=accepted_at + (seconds + 1) * SECOND)

    assert accepted.status == Handoff.Status.ACCEPTED
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.UNDONE).count() == 2


def test_after_the_seconds_and_the_grace_it_stands(accepted: Handoff, accepted_at: datetime) -> None:
    with pytest.raises(TooLateToUndo, match="more than 10 seconds ago"):
        undo_acceptance(accepted, by=accepted.owner, now=accepted_at + UNDO_FOR + GRACE + SECOND)

    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + UNDO_FOR + GRACE)
    assert accepted.status == Handoff.Status.OFFERED


def test_only_who_accepted_takes_it_back(accepted: Handoff, manager: User, accepted_at: datetime) -> None:
    with pytest.raises(NotAllowed, match=f"Only {accepted.owner} can undo this"):
        undo_acceptance(accepted, by=manager, now=accepted_at + SECOND)


def test_an_offer_that_nobody_accepted_has_nothing_to_undo(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(HandoffChanged):
        undo_acceptance(handoff, by=handoff.owner, now=now)


def _attempt(handoff: Handoff, manager: User, now: datetime) -> None:
    record_attempt(handoff, channel="email", outcome="sent", by=handoff.owner, now=now)


def _bant(handoff: Handoff, manager: User, now: datetime) -> None:
    record_bant(handoff, answers=BantAnswers(need="yes"), by=handoff.owner, now=now)


def _plan(handoff: Handoff, manager: User, now: datetime) -> None:
    plan_contact(handoff, at=now + MINUTE, channel="call", by=handoff.owner, now=now)


def _salesforce(handoff: Handoff, manager: User, now: datetime) -> None:
    log_event(handoff.lead, LeadEvent.Kind.CRM_CHANGED, at=now, handoff_id=handoff.pk)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (_attempt, "Contact attempt by"),
        (_bant, "BANT recorded by"),
        (_plan, "Next contact planned by"),
        (_salesforce, "Changed in Salesforce since then"),
    ],
    ids=["attempt", "bant", "plan", "salesforce"],
)
def test_what_was_done_since_would_be_lost_so_it_stands(
    accepted: Handoff,
    manager: User,
    accepted_at: datetime,
    act: Callable[[Handoff, User, datetime], None],
    words: str,
) -> None:
    act(accepted, manager, accepted_at + SECOND)

    with pytest.raises(ActedOnSince, match=words):
        undo_acceptance(accepted, by=accepted.owner, now=accepted_at + 2 * SECOND)


def test_once_somebody_else_has_it_they_are_named(
    accepted: Handoff, bdr: User, other_bdr: User, manager: User, accepted_at: datetime
) -> None:
    owner, other = accepted.owner, other_bdr if accepted.owner == bdr else bdr
    reassign_handoff(accepted, to=other, by=manager, now=accepted_at + SECOND, reason="Balance")

    with pytest.raises(HandoffMovedOn, match=f"{manager} gave this to {other} 1 second ago"):
        undo_acceptance(accepted, by=owner, now=accepted_at + 2 * SECOND)


def test_having_looked_at_it_since_stays_and_does_not_stand_in_the_way(
    accepted: Handoff, accepted_at: datetime
) -> None:
    record_opened(accepted, by=accepted.owner, now=accepted_at + SECOND)

    undo_acceptance(accepted, by=accepted.owner, now=accepted_at + 2 * SECOND)

    assert accepted.opened_at == accepted_at + SECOND
    assert Clock.objects.get(kind=Target.Kind.OPENED).outcome == Clock.Outcome.DONE
    assert Clock.objects.get(kind=Target.Kind.DECISION).outcome == Clock.Outcome.RUNNING


# --- Out of the overflow queue -------------------------------------------------------------------


def test_that_the_lead_was_answered_automatically_does_not_stand_in_the_way(
    accepted: Handoff, accepted_at: datetime
) -> None:
    log_event(accepted.lead, LeadEvent.Kind.ACKNOWLEDGED, at=accepted_at + SECOND, handoff_id=accepted.pk)

    undone = undo_acceptance(accepted, by=accepted.owner, now=accepted_at + 2 * SECOND)

    assert undone.status == Handoff.Status.OFFERED


@pytest.fixture
def waiting(pool: Pool, now: datetime) -> Handoff:
    """A handoff that found nobody with room."""
    pool.memberships.update(max_open=0)
    return offer(ready_lead(now=now), now=now)


def running(handoff: Handoff) -> dict[str, tuple[User | None, datetime]]:
    """Whose the running promises are, and since when."""
    clocks = Clock.objects.running().filter(handoff_id=handoff.pk).select_related("owner")
    return {clock.kind: (clock.owner, clock.started_at) for clock in clocks}


def test_what_was_claimed_by_the_same_click_waits_in_the_overflow_queue_again(
    waiting: Handoff, pool: Pool, bdr: User, now: datetime
) -> None:
    """Owner, turns and clocks as before; the clocks begun for the claimer never counted (HAND-4, SLA-4)."""
    lead_before = Lead.objects.values("owner", "team", "stage").get(pk=waiting.lead_id)
    clocks_before, books_before = clocks(waiting), books(pool)
    accept_handoff(waiting, by=bdr, now=now + MINUTE)

    undo_acceptance(waiting, by=bdr, now=now + MINUTE + SECOND)

    waiting.refresh_from_db()
    assert Handoff.objects.overflow().get() == waiting
    assert waiting.offered_at is None
    assert Lead.objects.values("owner", "team", "stage").get(pk=waiting.lead_id) == lead_before
    assert clocks(waiting) == clocks_before
    assert books(pool) == books_before
    assert not Clock.objects.running().exclude(owner=None).exists()


def test_whoever_claims_it_after_that_has_the_full_time(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    """The promises that run again are the ones that are handed on (SLA-4)."""
    accept_handoff(waiting, by=bdr, now=now + MINUTE)
    undo_acceptance(waiting, by=bdr, now=now + MINUTE + SECOND)

    claim_handoff(waiting, by=other_bdr, now=now + 2 * MINUTE)

    assert running(waiting) == dict.fromkeys(PROMISED, (other_bdr, now + 2 * MINUTE))


def test_that_the_claimer_looked_at_it_keeps_no_promise_to_whoever_is_next(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    before = clocks(waiting)
    accept_handoff(waiting, by=bdr, now=now + MINUTE)
    record_opened(waiting, by=bdr, now=now + MINUTE + SECOND)

    undo_acceptance(waiting, by=bdr, now=now + MINUTE + 2 * SECOND)

    assert clocks(waiting) == before
    assert record_opened(waiting, by=other_bdr, now=now + 2 * MINUTE)
    assert Clock.objects.get(kind=Target.Kind.OPENED, outcome="done").stopped_at == now + 2 * MINUTE


def test_one_after_the_other_may_claim_it_and_give_it_back(
    waiting: Handoff, bdr: User, other_bdr: User, now: datetime
) -> None:
    before = clocks(waiting)
    for minutes, claimer in ((1, bdr), (2, other_bdr)):
        accept_handoff(waiting, by=claimer, now=now + minutes * MINUTE)
        undo_acceptance(waiting, by=claimer, now=now + minutes * MINUTE + SECOND)

    assert clocks(waiting) == before
    assert running(waiting) == dict.fromkeys(PROMISED, (None, now))


# --- The page ------------------------------------------------------------------------------------

FRAGMENT = {"HX-Request": "true"}


def test_the_page_offers_to_undo_and_does(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)
    accepted = client.post(f"/handoffs/{handoff.pk}/accept/", headers=FRAGMENT).content.decode()
    undo = f"/handoffs/{handoff.pk}/accept/undo/"
    where = {**FRAGMENT, "HX-Current-URL": f"http://testserver/handoffs/{handoff.pk}/"}

    response = client.post(undo, headers=where)

    handoff.refresh_from_db()
    assert f'action="{undo}"' in accepted
    assert f'data-undo-form="{UNDO_FOR.seconds}"' in accepted
    assert handoff.status == Handoff.Status.OFFERED
    assert response["HX-Retarget"] == f"#handoff-{handoff.pk}"
    assert "waits for a decision again" in response.content.decode()
    assert "data-undo-form" not in response.content.decode()


def test_from_the_queue_the_pane_shows_it_again(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)
    client.post(f"/handoffs/{handoff.pk}/accept/", headers=FRAGMENT)

    response = client.post(
        f"/handoffs/{handoff.pk}/accept/undo/",
        headers={**FRAGMENT, "HX-Current-URL": "http://testserver/queue/?selected=1"},
    )

    assert (response["HX-Retarget"], response["HX-Reswap"]) == ("#pane", "innerHTML")
    assert "portal:refresh" in response["HX-Trigger"]


def test_without_script_the_next_page_offers_it_too(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)
    page = client.post(f"/handoffs/{handoff.pk}/accept/", follow=True).content.decode()

    response = client.post(f"/handoffs/{handoff.pk}/accept/undo/", follow=True)

    assert f'action="/handoffs/{handoff.pk}/accept/undo/"' in page
    assert "waits for a decision again" in response.content.decode()


def test_too_late_is_said_in_a_toast_and_nothing_else_changes(client: Client, accepted: Handoff) -> None:
    client.force_login(accepted.owner)

    response = client.post(f"/handoffs/{accepted.pk}/accept/undo/", headers=FRAGMENT)

    assert response.status_code == 409
    assert response["HX-Reswap"] == "none"
    assert "more than 10 seconds ago" in response.content.decode()
