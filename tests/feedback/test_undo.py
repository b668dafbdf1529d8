"""Taking a rejection back within seconds: void, with all that followed from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import User
from common.errors import NotAllowed
from feedback.models import MarketingTask, Recycling, Verdict, VerdictUndoing
from feedback.recycling import wake_recyclings
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.acting import HandoffChanged
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import Handoff, Pool, PoolMembership
from handoffs.services import accept_handoff, hand_off_by_hand, record_opened
from handoffs.undo import GRACE, UNDO_FOR, ActedOnSince, TooLateToUndo
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from scoring.outcomes import outcomes_of
from sla.models import Clock, Target
from sla.pauses import pause_clock
from sla.sweep import sweep_clocks
from tests.desk import reason

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ALL_YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
STANDING = ("stage", "hold", "held_until", "recycled_at", "trips", "owner", "team")


@pytest.fixture
def rejected_at(now: datetime) -> datetime:
    return now + 10 * MINUTE


def reject(handoff: Handoff, code: str, *, now: datetime, **given: object) -> Verdict:
    return reject_handoff(
        handoff, reason=reason(code), by=handoff.owner, via=Verdict.Via.PAGE, now=now, **given
    )


def lead_of(handoff: Handoff) -> dict[str, object]:
    return Lead.objects.values(*STANDING).get(pk=handoff.lead_id)


def clocks(handoff: Handoff) -> dict[str, tuple[object, ...]]:
    fields = ("outcome", "due_at", "stopped_at", "warn_at", "paused_at", "wall_seconds")
    clocks = Clock.objects.filter(handoff_id=handoff.pk)
    return {row[0]: row[1:] for row in clocks.values_list("kind", *fields)}


def books(pool: Pool) -> list[tuple[object, ...]]:
    fields = ("user", "received", "entitled")
    return list(PoolMembership.objects.filter(pool=pool).order_by("user").values_list(*fields))


def _offered(handoff: Handoff, now: datetime) -> None:
    pass


def _accepted(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now + MINUTE)


def _contacted(handoff: Handoff, now: datetime) -> None:
    _accepted(handoff, now)
    record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now + 2 * MINUTE)


def _qualified(handoff: Handoff, now: datetime) -> None:
    _contacted(handoff, now)
    qualify_handoff(handoff, answers=ALL_YES, by=handoff.owner, now=now + 3 * MINUTE)


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        (_offered, "premature"),
        (_accepted, "wrong-icp"),
        (_contacted, "unreachable"),
        (_qualified, "premature"),
    ],
    ids=["offered", "accepted", "contacted", "qualified"],
)
def test_everything_stands_as_it_did_before(
    handoff: Handoff, now: datetime, rejected_at: datetime, prepare: Callable[..., None], code: str
) -> None:
    prepare(handoff, now)
    sweep_clocks(now=rejected_at)  # gives the warnings that are due, as it does each minute
    status, lead, clocks_before = handoff.status, lead_of(handoff), clocks(handoff)
    reject(handoff, code, now=rejected_at)

    undo_rejection(handoff, by=handoff.owner, now=rejected_at + 5 * SECOND)

    handoff.refresh_from_db()
    assert (handoff.status, handoff.rejection_code, handoff.closed_at) == (status, "", None)
    assert lead_of(handoff) == lead
    assert clocks(handoff) == clocks_before


def test_the_verdict_is_kept_and_counts_no_more(handoff: Handoff, rejected_at: datetime) -> None:
    verdict = reject(handoff, "premature", now=rejected_at)

    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    (outcome,) = outcomes_of([handoff.lead_id])
    assert VerdictUndoing.objects.get().verdict == verdict
    assert not Verdict.objects.standing().exists()
    assert (outcome.rejected_at, outcome.reason, outcome.status) == (None, "", "offered")
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.UNDONE).detail["undoes"] == "rejected"


def test_the_way_back_ends_and_nothing_wakes_the_lead_later(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "premature", now=rejected_at)
    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    assert wake_recyclings(now=rejected_at + timedelta(days=400)) == 0
    assert Recycling.objects.get().woken_at == rejected_at + SECOND
    assert not Recycling.objects.under_way().exists()


def test_it_can_be_rejected_again_for_the_right_reason(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "premature", now=rejected_at)
    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    verdict = reject(handoff, "wrong-icp", now=rejected_at + 2 * SECOND)

    assert Verdict.objects.standing().get(handoff=handoff) == verdict
    assert Lead.objects.get(pk=handoff.lead_id).trips == 1


def test_a_paused_clock_stands_still_again_and_is_due_as_before(
    handoff: Handoff, now: datetime, rejected_at: datetime
) -> None:
    clock = Clock.objects.get(kind=Target.Kind.FIRST_CONTACT)
    pause_clock(clock, reason="They call back", by=handoff.owner, now=now + MINUTE)
    sweep_clocks(now=rejected_at)
    before = clocks(handoff)
    reject(handoff, "premature", now=rejected_at)

    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    assert clocks(handoff) == before
    assert clock.pauses.get().ended_at is None


def test_messages_nobody_has_read_are_taken_back_and_readers_are_told(
    handoff: Handoff, marketing: User, rejected_at: datetime
) -> None:
    verdict = reject(handoff, "wrong-icp", now=rejected_at)
    told = Notification.objects.filter(dedupe_key=f"verdict-{verdict.pk}")
    assert told.get().recipient == marketing
    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)
    assert not told.exists()

    again = reject(handoff, "wrong-icp", now=rejected_at + MINUTE)
    Notification.objects.filter(dedupe_key=f"verdict-{again.pk}").update(read_at=rejected_at + MINUTE)
    undo_rejection(handoff, by=handoff.owner, now=rejected_at + MINUTE + SECOND)

    assert Notification.objects.get(dedupe_key=f"verdict-{again.pk}-undone").recipient == marketing


def test_the_task_for_marketing_is_dropped(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "bad-data", now=rejected_at, note="No phone")

    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    assert not MarketingTask.objects.open().exists()
    assert not Notification.objects.filter(kind=Notification.Kind.TASK).exists()


# --- Passed on by mistake ------------------------------------------------------------------------


def test_an_offer_to_the_next_rep_is_withdrawn_and_the_turns_are_as_before(
    handoff: Handoff, pool: Pool, rejected_at: datetime
) -> None:
    """Slot, shares and memory: the next rep neither received it nor declined it (HAND-3)."""
    lead, turns, owner = lead_of(handoff), books(pool), handoff.owner
    reject(handoff, "wrong-rep", now=rejected_at, note="Theirs")
    passed_on = Handoff.objects.open().get()
    assert passed_on.owner not in (None, owner)

    undo_rejection(handoff, by=owner, now=rejected_at + SECOND)

    handoff.refresh_from_db()
    passed_on.refresh_from_db()
    assert Handoff.objects.open().get() == handoff
    assert (handoff.owner, handoff.slot_returned_at) == (owner, None)
    assert (passed_on.status, passed_on.owner) == (Handoff.Status.WITHDRAWN, None)
    assert lead_of(handoff) == lead
    assert books(pool) == turns
    assert not Clock.objects.running().filter(handoff_id=passed_on.pk).exists()
    assert not Notification.objects.filter(dedupe_key__startswith=f"handoff-{passed_on.pk}-").exists()
    assert [outcome.handoff_id for outcome in outcomes_of([handoff.lead_id])] == [handoff.pk]


def test_where_nobody_had_room_for_it_the_managers_are_not_bothered(
    handoff: Handoff, pool: Pool, manager: User, rejected_at: datetime
) -> None:
    pool.memberships.update(max_open=0)
    reject(handoff, "wrong-rep", now=rejected_at, note="Theirs")
    assert manager.notifications.filter(kind=Notification.Kind.OVERFLOW).exists()

    undo_rejection(handoff, by=handoff.owner, now=rejected_at + SECOND)

    assert not manager.notifications.filter(kind=Notification.Kind.OVERFLOW).exists()


def test_passed_on_again_it_goes_to_the_next_rep_and_is_not_returning(
    handoff: Handoff, rejected_at: datetime
) -> None:
    owner = handoff.owner
    reject(handoff, "wrong-rep", now=rejected_at, note="Theirs")
    first = Handoff.objects.open().get().owner
    undo_rejection(handoff, by=owner, now=rejected_at + SECOND)

    reject(handoff, "wrong-rep", now=rejected_at + 2 * SECOND, note="Theirs after all")

    passed_on = Handoff.objects.open().get()
    assert (passed_on.owner, passed_on.is_returning, passed_on.hops) == (first, False, 1)


def test_once_the_next_rep_has_seen_it_the_rejection_stands(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "wrong-rep", now=rejected_at, note="Theirs")
    passed_on = Handoff.objects.open().get()
    record_opened(passed_on, by=passed_on.owner, now=rejected_at + SECOND)

    with pytest.raises(ActedOnSince, match=f"Opened by {passed_on.owner} since then"):
        undo_rejection(handoff, by=handoff.owner, now=rejected_at + 2 * SECOND)


# --- Refusals ------------------------------------------------------------------------------------


def test_after_the_seconds_and_the_grace_it_stands(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "premature", now=rejected_at)

    with pytest.raises(TooLateToUndo):
        undo_rejection(handoff, by=handoff.owner, now=rejected_at + UNDO_FOR + GRACE + SECOND)


def test_only_who_rejected_takes_it_back(handoff: Handoff, manager: User, rejected_at: datetime) -> None:
    reject(handoff, "premature", now=rejected_at)

    with pytest.raises(NotAllowed):
        undo_rejection(handoff, by=manager, now=rejected_at + SECOND)


def test_a_lead_handed_over_by_hand_meanwhile_is_not_taken_back(
    handoff: Handoff, marketing: User, rejected_at: datetime
) -> None:
    reject(handoff, "premature", now=rejected_at)
    hand_off_by_hand(handoff.lead, by=marketing, reason="They wrote", now=rejected_at + SECOND)

    with pytest.raises(ActedOnSince, match="Free to qualify again"):
        undo_rejection(handoff, by=handoff.owner, now=rejected_at + 2 * SECOND)


def test_what_is_not_rejected_has_nothing_to_undo(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(HandoffChanged):
        undo_rejection(handoff, by=handoff.owner, now=now)


def test_a_double_click_is_harmless(handoff: Handoff, rejected_at: datetime) -> None:
    reject(handoff, "premature", now=rejected_at)

    for seconds in (1, 2):
        undo_rejection(handoff, by=handoff.owner, now=rejected_at + seconds * SECOND)

    assert VerdictUndoing.objects.count() == 1


# --- The page and the API ------------------------------------------------------------------------

FRAGMENT = {"HX-Request": "true", "HX-Current-URL": "http://testserver/queue/"}


def test_rejecting_with_one_tap_offers_to_undo_and_does(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)
    address = f"/handoffs/{handoff.pk}/reject/"

    rejected = client.post(address, {"straight": "premature"}, headers=FRAGMENT)
    undone = client.post(f"{address}undo/", headers=FRAGMENT)

    handoff.refresh_from_db()
    assert f'action="{address}undo/"' in rejected.content.decode()
    assert handoff.status == Handoff.Status.OFFERED
    assert undone["HX-Retarget"] == "#pane"
    assert "is back as it was" in undone.content.decode()


def test_from_the_page_of_the_handoff_the_queue_offers_it(client: Client, handoff: Handoff) -> None:
    client.force_login(handoff.owner)
    elsewhere = FRAGMENT | {"HX-Current-URL": f"http://testserver/handoffs/{handoff.pk}/"}
    client.post(f"/handoffs/{handoff.pk}/reject/", {"reason": "premature"}, headers=elsewhere)

    page = client.get("/queue/").content.decode()

    assert f'action="/handoffs/{handoff.pk}/reject/undo/"' in page


def test_a_stranger_finds_nothing_to_undo(client: Client, handoff: Handoff, stranger: User) -> None:
    client.force_login(stranger)

    assert client.post(f"/handoffs/{handoff.pk}/reject/undo/").status_code == 404
    assert client.post(f"/handoffs/{handoff.pk}/accept/undo/").status_code == 404
