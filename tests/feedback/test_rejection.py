"""Rejecting: impossible without a reason, and every reason has its consequence (QUEUE-2, FEED-1, FEED-2)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from common.parking import MAX_ATTEMPTS, retry_parked
from feedback.models import Recycling, RejectionReason, Verdict
from feedback.recycling import wake_recyclings
from feedback.services import (
    AttemptsRequired,
    DuplicateRequired,
    NoteRequired,
    ReasonRequired,
    reject_handoff,
)
from handoffs.acting import HandoffChanged
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import Handoff, Pool, RoutingRule
from handoffs.pipeline import advance_due_leads
from handoffs.services import accept_handoff, hand_off_by_hand
from leads.models import Lead, LeadEvent
from leads.services import correct_lead
from leads.spread import spread_company_changes
from sla.models import Clock, Target
from tests.desk import do, fitting_lead, offer, ready_lead, reason
from tests.poison import heal, poison

PAGE = Verdict.Via.PAGE
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def reject(handoff: Handoff, code: str, *, now: datetime, by: User | None = None, **given: object) -> Verdict:
    return reject_handoff(handoff, reason=reason(code), by=by or handoff.owner, via=PAGE, now=now, **given)


def try_to_reach(handoff: Handoff, *, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    record_attempt(handoff, channel="call", outcome="no_answer", by=handoff.owner, now=now)


# --- Refusals -----------------------------------------------------------------------------------


def test_there_is_no_rejection_without_a_reason(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(ReasonRequired) as refused:
        reject_handoff(handoff, reason=None, by=handoff.owner, via=PAGE, now=now)

    handoff.refresh_from_db()
    assert (refused.value.status, refused.value.field) == (422, "reason")
    assert handoff.status == Handoff.Status.OFFERED


def test_the_database_refuses_a_rejection_without_a_code(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(IntegrityError, match="rejection_has_its_reason"), transaction.atomic():
        Handoff.objects.filter(pk=handoff.pk).update(status="rejected", closed_at=now)


def test_the_database_refuses_a_rejection_without_a_verdict(handoff: Handoff, now: datetime) -> None:
    closing = {"status": "rejected", "closed_at": now, "rejection_code": "premature"}
    Handoff.objects.filter(pk=handoff.pk).update(**closing)

    with (
        pytest.raises(IntegrityError, match="rejected without a verdict"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what a commit does

    # The test's own transaction ends too, and must be able to.
    Handoff.objects.filter(pk=handoff.pk).update(status="offered", closed_at=None, rejection_code="")


@pytest.mark.parametrize(
    "statement", ["UPDATE feedback_verdict SET note = 'x'", "DELETE FROM feedback_verdict"]
)
def test_the_database_lets_a_verdict_stand(handoff: Handoff, now: datetime, statement: str) -> None:
    reject(handoff, "premature", now=now)

    with (
        pytest.raises(IntegrityError, match="a verdict stands"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_reason_that_asks_for_a_note_gets_one(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(NoteRequired) as refused:
        reject(handoff, "bad-data", now=now, note="  ")

    assert refused.value.field == "note"


def test_a_duplicate_names_the_other_lead(handoff: Handoff, lead: Lead, now: datetime) -> None:
    with pytest.raises(DuplicateRequired):
        reject(handoff, "duplicate", now=now)
    with pytest.raises(InvalidInput, match="cannot duplicate itself"):
        reject(handoff, "duplicate", now=now, duplicate_of=lead)


def test_nobody_is_unreachable_whom_nobody_tried_to_reach(handoff: Handoff, now: datetime) -> None:
    RejectionReason.objects.filter(code="unreachable").update(requires_attempts=2)
    try_to_reach(handoff, now=now)

    with pytest.raises(
        AttemptsRequired, match="needs 2 attempts to reach the lead first; logged: 1"
    ) as refused:
        reject(handoff, "unreachable", now=now)

    assert (refused.value.status, refused.value.field) == (422, "reason")
    record_attempt(handoff, channel="email", outcome="sent", by=handoff.owner, now=now + MINUTE)
    assert reject(handoff, "unreachable", now=now + MINUTE).reason.code == "unreachable"


def test_a_retired_reason_is_refused(handoff: Handoff, now: datetime) -> None:
    RejectionReason.objects.filter(code="premature").update(is_active=False)

    with pytest.raises(InvalidInput, match="no longer used"):
        reject(handoff, "premature", now=now)


def test_a_note_too_long_is_refused(handoff: Handoff, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="At most 1000 characters"):
        reject(handoff, "premature", now=now, note="x" * 1001)


def test_only_who_works_it_rejects(
    handoff: Handoff, bdr: User, other_bdr: User, marketing: User, reader: User, now: datetime
) -> None:
    colleague = other_bdr if handoff.owner == bdr else bdr
    for somebody in (colleague, marketing, reader):
        with pytest.raises(NotAllowed):
            reject(handoff, "premature", now=now, by=somebody)


def test_a_second_person_reads_who_rejected_it(handoff: Handoff, manager: User, now: datetime) -> None:
    reject(handoff, "premature", now=now)

    with pytest.raises(HandoffChanged, match=f"{handoff.owner} rejected this 5 minutes ago"):
        reject(handoff, "no-need", now=now + 5 * MINUTE, by=manager)


def test_a_double_click_rejects_once(handoff: Handoff, now: datetime) -> None:
    first = reject(handoff, "premature", now=now)

    second = reject(handoff, "premature", now=now + MINUTE)

    assert first == second
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.REJECTED).count() == 1
    assert Lead.objects.get(pk=handoff.lead_id).trips == 1


def test_another_reason_for_what_one_has_rejected_is_refused_not_dropped(
    handoff: Handoff, now: datetime
) -> None:
    reject(handoff, "premature", now=now, note="Next year")

    with pytest.raises(HandoffChanged):
        reject(handoff, "no-need", now=now + MINUTE, note="Next year")
    with pytest.raises(HandoffChanged):
        reject(handoff, "premature", now=now + MINUTE, note="Never")


def test_a_deal_under_way_is_lost_not_rejected(handoff: Handoff, now: datetime) -> None:
    Handoff.objects.filter(pk=handoff.pk).update(status=Handoff.Status.OPPORTUNITY)

    with pytest.raises(HandoffChanged):
        reject(handoff, "premature", now=now)


# --- What every rejection does ------------------------------------------------------------------


def test_a_rejection_closes_the_handoff_and_keeps_why(handoff: Handoff, now: datetime) -> None:
    later = now + 5 * MINUTE

    verdict = reject(handoff, "no-budget", now=later, note=" Spent for the year ")

    handoff.refresh_from_db()
    assert (handoff.status, handoff.rejection_code, handoff.closed_at) == ("rejected", "no-budget", later)
    assert (verdict.note, verdict.by, verdict.via) == ("Spent for the year", handoff.owner, "page")
    assert not Clock.objects.running().exists()
    assert Clock.objects.get(kind=Target.Kind.DECISION).outcome == Clock.Outcome.DONE
    assert Clock.objects.get(kind=Target.Kind.FIRST_CONTACT).outcome == Clock.Outcome.CANCELLED
    logged = LeadEvent.objects.get(kind=LeadEvent.Kind.REJECTED).detail
    assert (logged["reason"], logged["type"], logged["via"]) == ("no-budget", "definitional", "page")


def test_a_lead_can_be_returned_after_contact_and_after_qualification(
    handoff: Handoff, now: datetime
) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    record_attempt(handoff, channel="call", outcome="connected", by=handoff.owner, now=now)
    yes = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
    qualify_handoff(handoff, answers=yes, by=handoff.owner, now=now)

    reject(handoff, "no-timeline", now=now)

    assert Lead.objects.get(pk=handoff.lead_id).stage == Lead.Stage.NURTURE


# --- Each treatment -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "stage", "hold", "days"),
    [
        ("wrong-icp", "nurture", "until_fit_changes", None),
        ("premature", "nurture", "until_date", 30),
        ("unreachable", "nurture", "until_activity", None),
        ("no-budget", "nurture", "until_date", 90),
        ("no-authority", "nurture", "until_date", 60),
        ("no-need", "nurture", "until_date", 180),
        ("no-timeline", "nurture", "until_date", 60),
        ("unsuitable-region", "nurture", "until_fit_changes", None),
        ("bad-data", "nurture", "until_fixed", None),
        ("competitor-or-spam", "disqualified", "for_good", None),
    ],
)
def test_each_reason_holds_the_lead_in_its_way(
    handoff: Handoff, now: datetime, code: str, stage: str, hold: str, days: int | None
) -> None:
    try_to_reach(handoff, now=now)
    reject(handoff, code, now=now, note="Seen on the call")

    lead = Lead.objects.get(pk=handoff.lead_id)
    until = now + timedelta(days=days) if days else None
    assert (lead.stage, lead.hold, lead.held_until) == (stage, hold, until)
    assert (lead.recycled_at, lead.trips) == (now, 1)
    wakes = list(Recycling.objects.values_list("wake_at", flat=True))
    assert wakes == ([until] if stage == "nurture" else [])


def test_every_seeded_reason_has_a_treatment_that_is_tested_here(pool: Pool) -> None:
    """The table above and the two tests of rerouting and linking cover the seed."""
    assert set(RejectionReason.objects.values_list("code", flat=True)) == {
        "wrong-icp", "premature", "unreachable", "no-budget", "no-authority", "no-need", "no-timeline",
        "unsuitable-region", "bad-data", "competitor-or-spam", "wrong-rep", "duplicate",
    }  # fmt: skip


def test_a_procedural_return_goes_to_another_rep_and_gives_the_slot_back(
    handoff: Handoff, pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    colleague = other_bdr if handoff.owner == bdr else bdr

    reject(handoff, "wrong-rep", now=now)

    lead = Lead.objects.get(pk=handoff.lead_id)
    again = Handoff.objects.open().get(lead=lead)
    assert (again.owner, again.trigger_note) == (colleague, "Passed on: Not mine")
    assert not again.is_returning
    assert (lead.stage, lead.hold, lead.trips) == (Lead.Stage.MQL, Lead.Hold.NONE, 0)
    assert pool.memberships.get(user=handoff.owner).received == 0
    reasons = {one["user_id"]: one["reason"] for one in again.routing_decisions.get().candidates}
    assert reasons[handoff.owner_id] == "skipped: passed this lead on, until Thu 2 Apr"


def test_the_way_to_the_next_rep_is_looked_up_once(handoff: Handoff, now: datetime) -> None:
    """Rules that change between two looks could lead to a pool that was not locked in order."""
    with CaptureQueriesContext(connection) as queries:
        reject(handoff, "wrong-rep", now=now)

    looks = [query for query in queries if f'FROM "{RoutingRule._meta.db_table}"' in query["sql"]]
    assert len(looks) == 1


def test_when_everybody_has_passed_it_on_it_waits_for_the_manager(
    handoff: Handoff, manager: User, now: datetime
) -> None:
    reject(handoff, "wrong-rep", now=now)
    second = Handoff.objects.open().get()

    reject(second, "wrong-rep", now=now)

    assert Handoff.objects.overflow().count() == 1
    assert manager.notifications.filter(kind="overflow").exists()


def test_what_is_qualified_is_not_passed_on(handoff: Handoff, now: datetime) -> None:
    accept_handoff(handoff, by=handoff.owner, now=now)
    yes = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
    qualify_handoff(handoff, answers=yes, by=handoff.owner, now=now)

    with pytest.raises(DomainError, match="a manager can reassign it"):
        reject(handoff, "wrong-rep", now=now)

    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.QUALIFIED


def test_a_duplicate_is_linked_and_whoever_has_the_other_lead_is_told(
    handoff: Handoff, stranger: User, now: datetime
) -> None:
    other = ready_lead(now=now)
    Lead.objects.filter(pk=other.pk).update(owner=stranger)

    verdict = reject(handoff, "duplicate", now=now, duplicate_of=other)

    lead = Lead.objects.get(pk=handoff.lead_id)
    assert verdict.duplicate_of == other
    assert (lead.stage, lead.hold) == (Lead.Stage.DISQUALIFIED, Lead.Hold.FOR_GOOD)
    told = stranger.notifications.get()
    assert (told.title, told.url) == ("Lea Holm was entered twice", f"/leads/{other.pk}/")


@pytest.mark.parametrize(("code", "told"), [("wrong-icp", 1), ("bad-data", 1), ("premature", 0)])
def test_marketing_is_told_at_once_where_the_reason_says_so(
    handoff: Handoff, marketing: User, now: datetime, code: str, told: int
) -> None:
    reject(handoff, code, now=now, note="The phone number is a fax")

    assert marketing.notifications.count() == told


# --- Coming back --------------------------------------------------------------------------------


def test_a_premature_lead_comes_back_after_its_delay_only_with_new_evidence(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    reject(handoff, "premature", now=now)
    do(lead, "Page Viewed", now=now + DAY, path="/pricing")
    advance_due_leads(now=now + DAY)
    assert wake_recyclings(now=now + 29 * DAY) == 0
    assert not Handoff.objects.open().exists()  # new evidence, but still held

    assert wake_recyclings(now=now + 30 * DAY) == 1
    advance_due_leads(now=now + 30 * DAY)

    again = Handoff.objects.open().get(lead=lead)
    assert (again.is_returning, again.owner) == (True, handoff.owner)
    assert again.package.content["previous"][0]["reason"] == "Premature"


def test_a_woken_lead_without_new_evidence_stays_in_nurture(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    reject(handoff, "premature", now=now)

    wake_recyclings(now=now + 30 * DAY)
    advance_due_leads(now=now + 30 * DAY)

    lead.refresh_from_db()
    assert (lead.stage, lead.hold) == (Lead.Stage.NURTURE, Lead.Hold.NONE)
    assert not Handoff.objects.open().exists()


def test_a_lead_that_cannot_be_woken_keeps_back_no_other_and_is_parked(
    handoff: Handoff, lead: Lead, now: datetime
) -> None:
    reject(handoff, "premature", now=now)
    later = offer(ready_lead(now=now + DAY), now=now + DAY)
    reject(later, "premature", now=now + DAY)
    poison(lead)

    woken = [wake_recyclings(now=now + 40 * DAY) for _ in range(MAX_ATTEMPTS + 1)]

    assert woken == [1] + [0] * MAX_ATTEMPTS
    parked = Recycling.objects.get(lead=lead)
    assert (parked.attempts, parked.parked_at, parked.woken_at) == (MAX_ATTEMPTS, now + 40 * DAY, None)

    heal()
    assert retry_parked(Recycling.objects.all()) == 1
    assert wake_recyclings(now=now + 40 * DAY) == 1


def test_a_recycling_wakes_once(handoff: Handoff, now: datetime) -> None:
    reject(handoff, "premature", now=now)

    assert [wake_recyclings(now=now + 30 * DAY) for _ in range(3)] == [1, 0, 0]
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.RELEASED).count() == 1


def test_an_older_recycling_does_not_release_a_newer_return(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    reject(handoff, "premature", now=now)
    again = hand_off_by_hand(lead, by=marketing, reason="They called", now=now + DAY)
    reject(again, "no-need", now=now + 2 * DAY)

    wake_recyclings(now=now + 31 * DAY)

    lead.refresh_from_db()
    assert lead.hold == Lead.Hold.UNTIL_DATE
    assert lead.held_until == now + 182 * DAY


def test_a_wrong_icp_lead_does_not_come_back_until_a_fit_attribute_changes(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    reject(handoff, "wrong-icp", now=now)
    do(lead, "Demo Requested", now=now + DAY)
    advance_due_leads(now=now + DAY)
    assert not Handoff.objects.open().exists()

    correct_lead(
        lead, changes={"title": "Chief Operating Officer"}, by=marketing, at=now + 2 * DAY, via="page"
    )
    advance_due_leads(now=now + 2 * DAY)

    assert Handoff.objects.open().filter(lead=lead).exists()


def test_a_lead_returned_for_its_region_waits_for_another_country_or_company_alone(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    """FEED-2, and what the dialog promised before the reason was chosen."""
    verdict = reject(handoff, "unsuitable-region", now=now)
    lead.refresh_from_db()
    assert lead.hold_in_words == "until country, company or country of the company changes"
    assert verdict.reason.promise == (
        "Comes back only when country, company or country of the company changes."
    )

    correct_lead(lead, changes={"title": "Chief Operating Officer"}, by=marketing, at=now + DAY, via="page")
    advance_due_leads(now=now + DAY)
    assert not Handoff.objects.open().exists()

    correct_lead(lead, changes={"country": "France"}, by=marketing, at=now + 2 * DAY, via="page")
    advance_due_leads(now=now + 2 * DAY)
    assert Handoff.objects.open().filter(lead=lead).exists()
    assert lead.held_for == []


def test_a_fact_of_the_company_frees_those_who_wait_for_it_whoever_brought_it(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    """FEED-2: size and industry are attributes of the company, and a colleague's record may bring them."""
    assert lead.company
    colleague = fitting_lead(now=now, company=lead.company.domain)
    rejected_at = now + MINUTE
    correct_lead(colleague, changes={"company.country": "France"}, by=marketing, at=now, via="page")
    reject(handoff, "unsuitable-region", now=rejected_at)

    def spread_after(at: datetime, **changes: object) -> str:
        correct_lead(
            colleague,
            changes={f"company.{name}": value for name, value in changes.items()},
            by=marketing,
            at=at,
            via="page",
        )
        spread_company_changes(now=at)
        return Lead.objects.get(pk=lead.pk).hold

    # The country that was known before the return is spread now, and is no news.
    assert spread_after(now + DAY, industry="Retail") == Lead.Hold.UNTIL_FIT_CHANGES
    assert spread_after(now + 2 * DAY, country="Spain") == Lead.Hold.NONE


def test_an_unreachable_lead_comes_back_when_it_shows_up(handoff: Handoff, lead: Lead, now: datetime) -> None:
    try_to_reach(handoff, now=now)
    reject(handoff, "unreachable", now=now)

    do(lead, "Demo Requested", now=now + DAY)
    advance_due_leads(now=now + DAY)

    assert Handoff.objects.open().get(lead=lead).owner == handoff.owner


@pytest.mark.parametrize("event", ["Email Bounced", "Unsubscribed", "Parcel Delivered"])
def test_what_shows_no_interest_does_not_end_the_rare_contact(
    handoff: Handoff, lead: Lead, now: datetime, event: str
) -> None:
    """Showing up again is a signal of interest: not a bounce, an unsubscribe, or what counts as no signal."""
    try_to_reach(handoff, now=now)
    reject(handoff, "unreachable", now=now)

    do(lead, event, now=now + DAY)
    advance_due_leads(now=now + DAY)
    assert Lead.objects.get(pk=lead.pk).hold == Lead.Hold.UNTIL_ACTIVITY

    do(lead, "Page Viewed", now=now + 2 * DAY, path="/docs")
    advance_due_leads(now=now + 2 * DAY)
    assert Lead.objects.get(pk=lead.pk).hold == Lead.Hold.NONE
