"""HAND-1: one transaction makes the handoff, its package, its owner, its clocks, its log and its messages."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.models import Handoff, Pool, RoutingDecision, RoutingRule
from handoffs.routing.assignment import NoRouteForLead
from handoffs.services import LeadAlreadyHandedOff, hand_off_by_hand, withdraw_handoff
from leads.models import Lead, LeadEvent
from leads.services import hold_lead
from notifications.models import Notification
from scoring.services import score_lead
from sla.models import Clock, Policy, Target
from tests.desk import fitting_lead, offer, ready_lead


def test_a_handoff_has_package_owner_clocks_log_and_message(handoff: Handoff, lead: Lead) -> None:
    lead.refresh_from_db()
    owner = handoff.owner
    assert owner is not None
    assert (lead.stage, lead.owner) == (Lead.Stage.MQL, owner)
    assert handoff.package.content["contact"]["name"] == "Lea Holm"
    assert set(Clock.objects.filter(handoff_id=handoff.pk).values_list("kind", "owner")) == {
        (kind, owner.pk) for kind in ("crm_transfer", "opened", "decision", "first_contact")
    }
    assert list(
        LeadEvent.objects.filter(handoff_id=handoff.pk)
        .exclude(kind=LeadEvent.Kind.CLOCK_STARTED)
        .order_by("id")
        .values_list("kind", flat=True)
    ) == ["stage_changed", "handed_off", "assigned"]
    message = Notification.objects.get(recipient=owner)
    assert message.title.startswith("New lead: Lea Holm, Nordwind")
    assert "Demo request" in message.body


@pytest.mark.parametrize(
    ("segment", "minutes"),
    [
        ({"countries": ["germany"], "industries": ["SOFTWARE"], "min_employees": 250}, 7),
        ({"countries": ["Austria"]}, 2880),
        ({"industries": ["Retail"]}, 2880),
        ({"max_employees": 249}, 2880),
    ],
    ids=["its own", "another country", "another industry", "another size"],
)
def test_the_segment_of_a_lead_chooses_what_is_promised(
    pool: Pool, now: datetime, segment: dict[str, object], minutes: int
) -> None:
    """SLA-1: the lead's country; industry and size of its company."""
    Policy.objects.update(position=5)
    special = Policy.objects.create(name="A segment", position=1, **segment)
    special.targets.create(kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.WALL, minutes=7)

    handoff = offer(ready_lead(now=now), now=now)

    assert Clock.objects.get(handoff_id=handoff.pk, kind="first_contact").minutes == minutes


def test_the_decision_is_stored_with_every_candidate(handoff: Handoff, bdr: User, other_bdr: User) -> None:
    decision = handoff.routing_decisions.get()

    assert decision.rule_name == "Everything else"
    assert decision.strategy == "Weighted round robin"
    assert decision.chosen == handoff.owner
    assert [one["name"] for one in decision.candidates] == ["Mara Lind", "Theo Falk"]
    assert all(one["reason"] for one in decision.candidates)


def test_the_drivers_say_why_now(handoff: Handoff) -> None:
    assert handoff.drivers[0]["name"] == "Demo request"
    assert handoff.trigger == Handoff.Trigger.INSTANT
    assert not handoff.is_returning


def test_a_lead_is_handed_off_only_once_at_a_time(handoff: Handoff, lead: Lead, now: datetime) -> None:
    with pytest.raises(LeadAlreadyHandedOff, match=str(handoff.owner)):
        offer(lead, now=now)


def test_the_database_refuses_a_second_open_handoff(handoff: Handoff) -> None:
    handoff.pk, handoff.public_id = None, "7d3cdb2a-30f5-4b0a-9a49-5a4f3a3b0d8e"

    with pytest.raises(IntegrityError, match="one_open_handoff_per_lead"), transaction.atomic():
        handoff.save(force_insert=True)


def test_without_a_rule_that_fits_nothing_at_all_is_written(pool: Pool, now: datetime) -> None:
    RoutingRule.objects.update(countries=["France"])
    lead = ready_lead(now=now)

    with pytest.raises(NoRouteForLead, match="Add a rule without conditions"), transaction.atomic():
        offer(lead, now=now)

    lead.refresh_from_db()
    assert lead.stage == Lead.Stage.LEAD
    assert not Handoff.objects.exists()
    assert not Clock.objects.exists()


def test_rules_are_tried_in_order(pool: Pool, now: datetime) -> None:
    dach = Pool.objects.create(name="DACH")
    RoutingRule.objects.create(name="Germans", position=0, countries=["germany"], pool=dach)

    german = offer(ready_lead(now=now), now=now)
    french = offer(ready_lead(now=now, country="France"), now=now)

    assert (german.pool.name, french.pool.name) == ("DACH", "Inbound")


@pytest.mark.parametrize("table", ["handoffs_contextpackage", "handoffs_routingdecision", "leads_leadevent"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_is_on_record(
    handoff: Handoff, table: str, statement: str
) -> None:
    column = "at" if table != "handoffs_contextpackage" else "frozen_at"
    with (
        pytest.raises(IntegrityError, match="refused"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table, column, column))


# --- By hand (HAND-6) ---------------------------------------------------------------------------


def test_marketing_hands_off_by_hand_whatever_the_score_and_says_why(
    pool: Pool, marketing: User, now: datetime
) -> None:
    lead = fitting_lead(now=now)

    handoff = hand_off_by_hand(lead, by=marketing, reason="Met at the fair", now=now)

    assert (handoff.trigger, handoff.trigger_note) == (Handoff.Trigger.MANUAL, "Met at the fair")
    assert LeadEvent.objects.get(kind=LeadEvent.Kind.HANDED_OFF).by == marketing


def test_handing_off_by_hand_releases_a_held_lead(pool: Pool, marketing: User, now: datetime) -> None:
    lead = fitting_lead(now=now)
    hold_lead(lead, hold=Lead.Hold.FOR_GOOD, until=None, at=now)

    hand_off_by_hand(lead, by=marketing, reason="They called", now=now)

    lead.refresh_from_db()
    assert lead.hold == Lead.Hold.NONE


def test_handing_off_by_hand_needs_a_reason(pool: Pool, marketing: User, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="Say why") as refused:
        hand_off_by_hand(fitting_lead(now=now), by=marketing, reason=" ", now=now)

    assert refused.value.field == "reason"


def test_a_bdr_does_not_hand_off_to_themselves(pool: Pool, bdr: User, now: datetime) -> None:
    with pytest.raises(NotAllowed):
        hand_off_by_hand(fitting_lead(now=now), by=bdr, reason="Nice", now=now)


def test_withdrawing_closes_the_handoff_and_its_clocks(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    later = now + timedelta(minutes=1)

    withdraw_handoff(handoff, by=marketing, now=later, reason="Wrong list")

    lead.refresh_from_db()
    assert (handoff.status, handoff.closing_note) == (Handoff.Status.WITHDRAWN, "Wrong list")
    assert (lead.stage, lead.recycled_at, lead.trips) == (Lead.Stage.NURTURE, later, 0)
    assert not Clock.objects.running().exists()


def test_withdrawing_twice_changes_nothing_the_second_time(
    handoff: Handoff, marketing: User, now: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")
    events = LeadEvent.objects.count()

    withdraw_handoff(handoff, by=marketing, now=now + timedelta(seconds=1), reason="Wrong list")

    assert LeadEvent.objects.count() == events


# --- Whose turn it is ---------------------------------------------------------------------------


def test_turns_are_dealt_evenly(pool: Pool, now: datetime) -> None:
    for minute in range(10):
        offer(ready_lead(now=now), now=now + timedelta(minutes=minute))

    assert sorted(pool.memberships.values_list("received", flat=True)) == [5, 5]


def test_shares_that_no_decimal_holds_do_not_unbalance_the_turns(
    pool: Pool, stranger: User, now: datetime
) -> None:
    pool.memberships.create(user=stranger, weight=4)

    for minute in range(3):
        offer(ready_lead(now=now), now=now + timedelta(minutes=minute))

    entitled = {one.user: one.entitled for one in pool.memberships.select_related("user")}
    assert entitled[stranger] == pytest.approx(2, abs=Decimal("1e-18"))
    assert sum(entitled.values()) == pytest.approx(3, abs=Decimal("1e-18"))
    assert pool.memberships.get(user=stranger).received == 2


def test_the_account_owner_comes_first(handoff: Handoff, now: datetime) -> None:
    domain = handoff.lead.company.domain

    colleagues = [offer(ready_lead(now=now, company=domain), now=now) for _ in range(3)]

    assert {colleague.owner for colleague in colleagues} == {handoff.owner}
    assert RoutingDecision.objects.order_by("id").last().strategy == "Owner of this account"


def test_a_returning_lead_goes_to_its_earlier_owner(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")
    offer(ready_lead(now=now), now=now)  # the turn has passed on

    again = hand_off_by_hand(lead, by=marketing, reason="Right list", now=now + timedelta(days=9))

    assert (again.owner, again.is_returning) == (handoff.owner, True)
    assert again.package.content["previous"][0]["outcome"] == "Withdrawn"
    assert again.package.content["previous"][0]["owner"] == str(handoff.owner)


def test_from_the_second_return_on_another_rep_looks(
    handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")
    Lead.objects.filter(pk=lead.pk).update(trips=2)

    again = hand_off_by_hand(lead, by=marketing, reason="Right list", now=now)

    assert again.owner not in (None, handoff.owner)
    reasons = {one["user_id"]: one["reason"] for one in again.routing_decisions.get().candidates}
    assert reasons[handoff.owner_id].startswith("skipped: had this lead before")


def test_the_pool_says_how_often_a_returned_lead_goes_back_to_the_same_rep(
    pool: Pool, handoff: Handoff, lead: Lead, marketing: User, now: datetime
) -> None:
    """FEED-2: the number is the pool's."""
    Pool.objects.filter(pk=handoff.pool_id).update(returns_to_same_rep=2)
    withdraw_handoff(handoff, by=marketing, now=now, reason="Wrong list")
    Lead.objects.filter(pk=lead.pk).update(trips=2)

    again = hand_off_by_hand(lead, by=marketing, reason="Right list", now=now)

    assert again.owner == handoff.owner


def test_who_is_away_gets_nothing_and_the_record_says_since_when(
    pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    bdr.away_since = now - timedelta(days=1)
    bdr.save(update_fields=["away_since"])

    handoff = offer(ready_lead(now=now), now=now)

    assert handoff.owner == other_bdr
    assert handoff.routing_decisions.get().candidates[0]["reason"] == "skipped: away since Mon 2 Mar"


def test_an_absence_counts_while_it_lasts(pool: Pool, bdr: User, other_bdr: User, now: datetime) -> None:
    bdr.absences.create(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))

    during = offer(ready_lead(now=now), now=now)
    after = offer(ready_lead(now=now), now=now + timedelta(days=2))

    assert (during.owner, after.owner) == (other_bdr, bdr)
    assert during.routing_decisions.get().candidates[0]["reason"] == "skipped: away until Wed 4 Mar"


def test_the_score_is_that_of_the_moment(handoff: Handoff, lead: Lead, now: datetime) -> None:
    score = score_lead(lead, now=now)

    assert (handoff.score, handoff.category, handoff.warmth) == (score.total, score.category, score.warmth)
