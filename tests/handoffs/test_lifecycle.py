"""Whatever people do in whatever order, a handoff is in exactly one state and the record is complete."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from common.errors import DomainError
from feedback.models import Recycling, RejectionReason, Verdict
from feedback.recycling import wake_recyclings
from feedback.services import reject_handoff
from handoffs.contact.opportunities import lose_opportunity, open_opportunity, win_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import ContextPackage, Handoff, Pool
from handoffs.pipeline import advance_due_leads
from handoffs.routing.overflow import assign_all_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, hand_off_by_hand, record_opened, withdraw_handoff
from leads.models import Lead, LeadEvent
from sla.models import Clock
from tests.desk import do, ready_lead

YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
CODES = [
    "wrong-icp", "premature", "unreachable", "no-budget", "competitor-or-spam", "bad-data", "wrong-rep",
]  # fmt: skip

Act = Callable[[Handoff, User, datetime], object]

# What somebody may try on the latest handoff of the lead, whether or not it makes sense now.
ACTS: dict[str, Act] = {
    "open": lambda handoff, by, now: record_opened(handoff, by=by, now=now),
    "accept": lambda handoff, by, now: accept_handoff(handoff, by=by, now=now),
    "claim": lambda handoff, by, now: claim_handoff(handoff, by=by, now=now),
    "call": lambda handoff, by, now: record_attempt(
        handoff, channel="call", outcome="connected", by=by, now=now
    ),
    "qualify": lambda handoff, by, now: qualify_handoff(handoff, answers=YES, by=by, now=now),
    "deal": lambda handoff, by, now: open_opportunity(handoff, amount=Decimal(1), by=by, now=now),
    "win": lambda handoff, by, now: win_opportunity(handoff, by=by, now=now),
    "lose": lambda handoff, by, now: lose_opportunity(handoff, reason="Price", by=by, now=now),
    "withdraw": lambda handoff, by, now: withdraw_handoff(handoff, by=by, now=now, reason="Wrong list"),
    "to overflow": lambda handoff, by, now: reassign_handoff(
        handoff, to=None, by=by, now=now, reason="Balance"
    ),
    "to me": lambda handoff, by, now: reassign_handoff(handoff, to=by, by=by, now=now, reason="Balance"),
    "by hand": lambda handoff, by, now: hand_off_by_hand(handoff.lead, by=by, reason="Again", now=now),
    "demo": lambda handoff, by, now: do(handoff.lead, "Demo Requested", now=now),
    "sweep": lambda handoff, by, now: (wake_recyclings(now=now), advance_due_leads(now=now)),
    "overflow": lambda handoff, by, now: assign_all_overflow(now=now),
} | {
    f"reject: {code}": lambda handoff, by, now, code=code: reject_handoff(
        handoff,
        reason=RejectionReason.objects.get(code=code),
        note="Seen",
        by=by,
        via=Verdict.Via.PAGE,
        now=now,
    )
    for code in CODES
}

WAY = ["accept", "call", "qualify", "deal", "win"]
OWNER = -1


# The stage of a lead whose handoff is open, and those it may have without one.
STAGE = {
    "offered": "mql",
    "accepted": "sal",
    "contacted": "sal",
    "qualified": "sql",
    "opportunity": "opportunity",
}
RESTING = ("lead", "nurture", "disqualified", "lost", "customer")


def check_record(handoff: Handoff) -> None:
    """One state, and everything on record that led to it."""
    kinds = set(LeadEvent.objects.filter(handoff_id=handoff.pk).values_list("kind", flat=True))
    assert ContextPackage.objects.filter(handoff=handoff).exists()
    assert handoff.routing_decisions.exists()
    assert "handed_off" in kinds
    assert (handoff.opened_at is None) or ("opened" in kinds)
    assert (handoff.accepted_at is not None) is ("accepted" in kinds)
    assert (handoff.first_contact_at is not None) is ("contacted" in kinds)
    assert (handoff.qualified_at is not None) is ("qualified" in kinds)
    for ending in ("rejected", "withdrawn", "won", "lost"):
        assert (handoff.status == ending) is (ending in kinds)
    assert (handoff.status == "rejected") is Verdict.objects.filter(handoff=handoff).exists()
    running = Clock.objects.running().filter(handoff_id=handoff.pk)
    assert handoff.is_open or not running.exists()
    assert all(clock.owner_id == handoff.owner_id for clock in running)


def check_lead(lead: Lead) -> None:
    open_one = Handoff.objects.open().filter(lead=lead).first()
    if open_one is None:
        assert lead.stage in RESTING
    else:
        assert (lead.stage, lead.hold) == (STAGE[open_one.status], Lead.Hold.NONE)
        assert open_one.owner_id is None or lead.owner_id == open_one.owner_id
    # Nothing rejected disappears: what is held until a date has its mark.
    if lead.hold == Lead.Hold.UNTIL_DATE:
        assert Recycling.objects.filter(lead=lead, woken_at=None, wake_at=lead.held_until).exists()
    assert lead.revision == lead.events.count()


@pytest.fixture
def people(
    pool: Pool, bdr: User, other_bdr: User, manager: User, marketing: User, reader: User
) -> list[User]:
    return [bdr, other_bdr, manager, marketing, reader]


# Pure chance rarely gets as far as a deal, so some stories begin on the way there.
STORIES = st.builds(
    lambda begun, acts: [(act, OWNER) for act in WAY[:begun]] + acts,
    st.integers(0, len(WAY)),
    st.lists(st.tuples(st.sampled_from(sorted(ACTS)), st.integers(OWNER, 4)), max_size=20),
)


@pytest.mark.slow
@given(story=STORIES)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
def test_any_order_of_acts_leaves_one_state_and_a_whole_record(
    people: list[User], now: datetime, story: list[tuple[str, int]]
) -> None:
    before = transaction.savepoint()
    lead = ready_lead(now=now)
    advance_due_leads(now=now)

    for number, (act, who) in enumerate(story):
        handoff = Handoff.objects.filter(lead=lead).order_by("id").last()
        actor = people[who] if who != OWNER else handoff.owner or people[0]
        # A refusal is an answer; any other error fails the test.
        with contextlib.suppress(DomainError):
            ACTS[act](handoff, actor, now + timedelta(days=2 * number))

        for each in Handoff.objects.filter(lead=lead):
            check_record(each)
        check_lead(Lead.objects.get(pk=lead.pk))

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what the commits would have checked
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    transaction.savepoint_rollback(before)
