"""Marketing disputes a rejection once; a manager settles it; both outcomes count (FEED-4)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries as Queries

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from feedback.disputes import (
    AlreadyDisputed,
    DisputeSettled,
    NothingToDispute,
    dispute_verdict,
    settle_dispute,
)
from feedback.models import Dispute, FeedbackPolicy, Recycling, Verdict
from feedback.policy import due_after
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.models import Handoff, RecycleContract
from handoffs.recycle_contract import cooling_off
from handoffs.services import hand_off_by_hand
from leads.models import Lead, LeadEvent
from tests.desk import reason
from tests.page_forms import sent_by_enter

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRAGMENT = {"HX-Request": "true"}
# Session, person, unread messages; how many are open, the disputes.
QUERIES_OF_LIST = 5


def reject(handoff: Handoff, code: str, *, now: datetime) -> Verdict:
    return reject_handoff(
        handoff, reason=reason(code), note="Too small", by=handoff.owner, via=Verdict.Via.PAGE, now=now
    )


@pytest.fixture
def verdict(handoff: Handoff, now: datetime) -> Verdict:
    return reject(handoff, "wrong-icp", now=now)


@pytest.fixture
def dispute(verdict: Verdict, marketing: User, now: datetime) -> Dispute:
    return dispute_verdict(verdict, comment="They have 800 people", by=marketing, now=now)


# --- Disputing ----------------------------------------------------------------------------------


def test_a_dispute_is_logged_without_its_words_and_the_managers_are_told(
    dispute: Dispute, manager: User, now: datetime
) -> None:
    assert dispute.due_at == due_after(FeedbackPolicy().dispute_minutes, now=now)
    logged = LeadEvent.objects.get(kind=LeadEvent.Kind.DISPUTED)
    assert logged.detail == {"due_at": dispute.due_at.isoformat()}
    assert manager.notifications.get(kind="dispute").body == "They have 800 people"


def test_a_rejection_is_disputed_once(
    dispute: Dispute, verdict: Verdict, marketing: User, now: datetime
) -> None:
    assert dispute_verdict(verdict, comment="They have 800 people", by=marketing, now=now) == dispute
    with pytest.raises(AlreadyDisputed, match="Jo Marks has disputed"):
        dispute_verdict(verdict, comment="And money", by=marketing, now=now)


def test_only_marketing_disputes_and_says_why(
    verdict: Verdict, marketing: User, manager: User, now: datetime
) -> None:
    for somebody in (manager, verdict.by):
        with pytest.raises(NotAllowed):
            dispute_verdict(verdict, comment="No", by=somebody, now=now)
    with pytest.raises(InvalidInput, match="Say why this lead was good"):
        dispute_verdict(verdict, comment="  ", by=marketing, now=now)


def test_what_says_nothing_about_the_lead_cannot_be_disputed(
    handoff: Handoff, marketing: User, now: datetime
) -> None:
    verdict = reject(handoff, "wrong-rep", now=now)

    with pytest.raises(NothingToDispute, match="passed on to another rep"):
        dispute_verdict(verdict, comment="It was theirs", by=marketing, now=now)


def test_what_was_undone_cannot_be_disputed(verdict: Verdict, marketing: User, now: datetime) -> None:
    undo_rejection(verdict.handoff, by=verdict.by, now=now)

    with pytest.raises(NothingToDispute, match="undone"):
        dispute_verdict(verdict, comment="Good", by=marketing, now=now)


# --- Settling -----------------------------------------------------------------------------------


def test_a_lead_that_was_good_is_with_sales_again_at_once(
    dispute: Dispute, manager: User, marketing: User, now: datetime
) -> None:
    lead = Lead.objects.get(pk=dispute.verdict.lead_id)
    assert lead.hold == Lead.Hold.UNTIL_FIT_CHANGES
    assert Verdict.objects.against_marketing().exists()

    again = settle_dispute(dispute, outcome="overturned", settlement="Right", by=manager, now=now + HOUR)

    lead.refresh_from_db()
    assert again is not None
    assert again.is_open
    assert again.is_returning
    assert (lead.stage, lead.hold, lead.recycled_at) == (Lead.Stage.MQL, Lead.Hold.NONE, None)
    assert not Recycling.objects.under_way().exists()
    assert not Verdict.objects.against_marketing().exists()
    assert marketing.notifications.get(title__startswith="The lead was good").body == "Right"
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.DISPUTE_SETTLED).detail == {"outcome": "overturned"}
    earlier = again.package.content["previous"][0]
    assert earlier["reason"] == f"{dispute.verdict.reason}, overturned: the lead was good"


def test_a_rejection_that_stands_leaves_the_lead_where_it_is(
    dispute: Dispute, manager: User, now: datetime
) -> None:
    assert settle_dispute(dispute, outcome="upheld", by=manager, now=now) is None

    assert Lead.objects.get(pk=dispute.verdict.lead_id).hold == Lead.Hold.UNTIL_FIT_CHANGES
    assert Verdict.objects.against_marketing().count() == 1


def cool_off_ends(lead: Lead, *, now: datetime) -> datetime:
    return cooling_off([lead.pk], RecycleContract(cool_off_days=14), now=now).get().cool_off_ends


def test_a_return_found_wrong_is_no_trip_and_imposes_no_cool_off(
    dispute: Dispute, manager: User, marketing: User, now: datetime
) -> None:
    """What an earlier return imposes stays as it is (FEED-2, FEED-4)."""
    lead = dispute.verdict.lead
    again = hand_off_by_hand(lead, by=marketing, reason="They called", now=now + DAY)
    verdict = reject(again, "wrong-icp", now=now + 2 * DAY)
    second = dispute_verdict(verdict, comment="800 people", by=marketing, now=now + 2 * DAY)
    assert cool_off_ends(lead, now=now) == now + 16 * DAY

    settle_dispute(second, outcome="overturned", by=manager, now=now + 3 * DAY)

    lead.refresh_from_db()
    assert (lead.trips, lead.recycled_at) == (1, None)
    assert cool_off_ends(lead, now=now) == now + 14 * DAY


def test_out_for_good_is_not_out_for_a_lead_that_was_good(
    handoff: Handoff, marketing: User, manager: User, now: datetime
) -> None:
    verdict = reject(handoff, "competitor-or-spam", now=now)
    dispute = dispute_verdict(verdict, comment="A customer of ours", by=marketing, now=now)

    assert settle_dispute(dispute, outcome="overturned", by=manager, now=now) is not None

    assert Lead.objects.get(pk=handoff.lead_id).stage == Lead.Stage.MQL


def test_a_lead_that_moved_on_meanwhile_is_not_handed_over_twice(
    dispute: Dispute, manager: User, marketing: User, now: datetime
) -> None:
    hand_off_by_hand(dispute.verdict.lead, by=marketing, reason="They called", now=now)

    assert settle_dispute(dispute, outcome="overturned", by=manager, now=now) is None

    assert Handoff.objects.open().count() == 1


def test_of_two_managers_the_second_reads_who_settled_it(
    dispute: Dispute, manager: User, now: datetime
) -> None:
    second = User.objects.create(username="ada", first_name="Ada", last_name="Roy", role=User.Role.MANAGER)
    settle_dispute(dispute, outcome="upheld", by=manager, now=now)

    with pytest.raises(DisputeSettled, match="Nia Berg has settled this dispute: the rejection stands"):
        settle_dispute(dispute, outcome="overturned", by=second, now=now)


def test_a_double_click_settles_once_and_other_words_are_refused(
    dispute: Dispute, manager: User, now: datetime
) -> None:
    again = settle_dispute(dispute, outcome="overturned", settlement="Right", by=manager, now=now + HOUR)

    second = settle_dispute(dispute, outcome="overturned", settlement="Right", by=manager, now=now + DAY)

    assert again is not None
    assert second == again
    assert Handoff.objects.open().count() == 1
    with pytest.raises(DisputeSettled, match="has settled this dispute"):
        settle_dispute(dispute, outcome="overturned", settlement="Wrong", by=manager, now=now + DAY)


def test_only_managers_settle_and_choose_an_outcome(
    dispute: Dispute, manager: User, marketing: User, now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        settle_dispute(dispute, outcome="overturned", by=marketing, now=now)
    with pytest.raises(InvalidInput) as refused:
        settle_dispute(dispute, outcome="", by=manager, now=now)

    assert refused.value.field == "outcome"


# --- Pages --------------------------------------------------------------------------------------


def test_from_the_handoffs_page_to_the_settlement(
    client: Client, verdict: Verdict, marketing: User, manager: User
) -> None:
    handoff_id = verdict.handoff_id
    client.force_login(marketing)
    panel = client.get(f"/feedback/handoff/{handoff_id}/panel/", headers=FRAGMENT).content.decode()
    assert "Dispute this rejection" in panel
    assert "Returned once" in panel

    blank = client.post(f"/handoffs/{handoff_id}/dispute/", {"comment": " "}, headers=FRAGMENT)
    sent = client.post(f"/handoffs/{handoff_id}/dispute/", {"comment": "800 people"}, headers=FRAGMENT)

    assert (blank.status_code, sent.status_code) == (422, 200)
    dispute = Dispute.objects.get()
    assert "To be settled by" in sent.content.decode()
    client.force_login(manager)
    page = client.get("/marketing/disputes/").content.decode()
    assert "800 people" in page
    assert "The lead was good" in page
    client.post(f"/marketing/disputes/{dispute.pk}/settle/", {"outcome": "overturned"})
    dispute.refresh_from_db()
    assert (dispute.outcome, dispute.settled_by) == ("overturned", manager)
    settled = client.get("/marketing/disputes/?tab=settled").content.decode()
    assert "The lead was good" in settled


def test_a_late_tap_says_who_was_quicker(
    client: Client, dispute: Dispute, manager: User, now: datetime
) -> None:
    second = User.objects.create(username="ada", first_name="Ada", last_name="Roy", role=User.Role.MANAGER)
    settle_dispute(dispute, outcome="upheld", by=second, now=now)
    client.force_login(manager)

    late = client.post(
        f"/marketing/disputes/{dispute.pk}/settle/", {"outcome": "overturned"}, headers=FRAGMENT
    )

    assert late.status_code == 409
    assert "Ada Roy has settled this dispute" in late.content.decode()


@pytest.mark.parametrize("headers", [FRAGMENT, {}], ids=["fragment", "page"])
def test_who_disputes_second_reads_why_not_and_keeps_what_was_typed(
    client: Client, dispute: Dispute, handoff: Handoff, headers: dict[str, str]
) -> None:
    colleague = User.objects.create(username="cy", first_name="Cy", role=User.Role.MARKETING)
    client.force_login(colleague)

    late = client.post(f"/handoffs/{handoff.pk}/dispute/", {"comment": "Their money grew"}, headers=headers)

    page = late.content.decode()
    assert late.status_code == 409
    assert "Jo Marks has disputed" in page
    assert "You wrote: Their money grew" in page


def test_marketing_reads_disputes_and_cannot_settle_them(
    client: Client, dispute: Dispute, marketing: User, django_assert_num_queries: Queries
) -> None:
    client.force_login(marketing)

    with django_assert_num_queries(QUERIES_OF_LIST):
        page = client.get("/marketing/disputes/").content.decode()

    assert "They have 800 people" in page
    assert "The rejection stands" not in page
    assert client.post(f"/marketing/disputes/{dispute.pk}/settle/").status_code == 403


def test_enter_in_the_reason_settles_nothing_and_keeps_it(
    client: Client, dispute: Dispute, manager: User
) -> None:
    client.force_login(manager)
    action = f"/marketing/disputes/{dispute.pk}/settle/"
    page = client.get("/marketing/disputes/").content.decode()

    sent = sent_by_enter(page, action=action, field="settlement") | {"settlement": "They have 800"}
    response = client.post(action, sent, headers=FRAGMENT)

    answer = response.content.decode()
    assert response.status_code == 422
    assert "Choose whether the rejection stands or the lead was good." in answer
    assert 'value="They have 800"' in answer
    dispute.refresh_from_db()
    assert dispute.settled_at is None
