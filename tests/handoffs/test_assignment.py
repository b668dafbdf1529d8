"""Whom a hand-off goes to: territory, shifts, rules, hops, managers, and books that stay even (HAND-3)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.models import Handoff, Pool, PoolMembership, RoutingRule
from handoffs.routing.assignment import NoRouteForLead, facts_of, preview_route
from handoffs.routing.overflow import assign_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import claim_handoff
from leads.models import Lead
from sla.models import Calendar, CalendarInterval, CalendarPerson, Clock, Policy, Target
from tests.desk import offer, ready_lead, reason
from tests.factories import UserFactory

MONDAY_AND_TUESDAY = (0, 1)


def reasons_of(handoff: Handoff) -> dict[int, str]:
    decision = handoff.routing_decisions.order_by("id").last()
    return {one["user_id"]: one["reason"] for one in decision.candidates}


def pass_on(handoff: Handoff, *, now: datetime) -> Handoff:
    """The owner says that it is not theirs; the lead's next handoff."""
    reject_handoff(handoff, reason=reason("wrong-rep"), by=handoff.owner, via=Verdict.Via.PAGE, now=now)
    return Handoff.objects.open().get(lead=handoff.lead)


def membership(user: User, **values: object) -> PoolMembership:
    PoolMembership.objects.filter(user=user).update(**values)
    return PoolMembership.objects.get(user=user)


@pytest.fixture
def rule(pool: Pool) -> RoutingRule:
    return RoutingRule.objects.get()


# --- What a rep takes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of_mara", "of_rule", "why"),
    [
        ({"countries": ["France"]}, {}, "skipped: not their territory: Germany"),
        ({"languages": ["English"]}, {"speaks_language": True}, "skipped: does not speak German"),
        ({"skills": ["Law"]}, {"skills": ["Tenders"]}, "skipped: not an expert in Tenders"),
    ],
)
def test_a_lead_goes_to_whom_it_suits_and_the_record_says_why_not_the_other(
    bdr: User, other_bdr: User, rule: RoutingRule, now: datetime, of_mara: dict, of_rule: dict, why: str
) -> None:
    membership(bdr, **of_mara)
    membership(other_bdr, countries=["germany"], languages=["german"], skills=["tenders", "law"])
    RoutingRule.objects.update(**of_rule)

    handoffs = [offer(ready_lead(now=now, language="German"), now=now) for _ in range(2)]

    assert [handoff.owner for handoff in handoffs] == [other_bdr, other_bdr]
    assert reasons_of(handoffs[0])[bdr.pk] == why


def test_a_rule_looks_at_language_product_line_and_deal_size(pool: Pool, now: datetime) -> None:
    big = Pool.objects.create(name="Big deals")
    RoutingRule.objects.create(
        name="Big",
        position=0,
        pool=big,
        languages=["German"],
        product_lines=["Ledger"],
        deal_size_from=50_000,
    )
    wanted = {"language": "german", "product_line": "ledger"}

    def pool_of(deal_size: int) -> str:
        lead = ready_lead(now=now, **wanted)
        Lead.objects.filter(pk=lead.pk).update(deal_size=deal_size)
        return offer(Lead.objects.get(pk=lead.pk), now=now).pool.name

    assert [pool_of(50_000), pool_of(49_999)] == ["Big deals", "Inbound"]


# --- When they work -----------------------------------------------------------------------------


def work_on(person: User, weekdays: tuple[int, ...], *, holidays: str = "") -> None:
    """Give somebody a calendar of their own: nine to five, in Berlin."""
    calendar = Calendar.objects.create(
        name=f"Of {person}", time_zone="Europe/Berlin", holiday_country=holidays, holiday_subdivision=""
    )
    CalendarInterval.objects.bulk_create(
        CalendarInterval(calendar=calendar, weekday=day, opens_at=time(9), closes_at=time(17))
        for day in weekdays
    )
    CalendarPerson.objects.create(calendar=calendar, person=person)


WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_whoever_is_on_shift_comes_first(pool: Pool, bdr: User, other_bdr: User) -> None:
    work_on(bdr, MONDAY_AND_TUESDAY)

    handoffs = [offer(ready_lead(now=WEDNESDAY), now=WEDNESDAY) for _ in range(2)]

    assert [handoff.owner for handoff in handoffs] == [other_bdr, other_bdr]
    assert reasons_of(handoffs[0])[bdr.pk] == "skipped: off shift until Mon 09:00"


def test_leads_may_wait_until_somebody_is_on_shift(pool: Pool, bdr: User, other_bdr: User) -> None:
    Pool.objects.update(off_shift=Pool.OffShift.WAIT)
    for person in (bdr, other_bdr):
        work_on(person, MONDAY_AND_TUESDAY)

    handoff = offer(ready_lead(now=WEDNESDAY), now=WEDNESDAY)

    assert handoff.owner is None
    assert assign_overflow(pool, now=WEDNESDAY) == 0
    assert assign_overflow(pool, now=WEDNESDAY + timedelta(days=5)) == 1


def test_leads_may_come_whatever_the_hour(pool: Pool, bdr: User) -> None:
    Pool.objects.update(off_shift=Pool.OffShift.OFFER)
    work_on(bdr, MONDAY_AND_TUESDAY)

    assert offer(ready_lead(now=WEDNESDAY), now=WEDNESDAY).owner == bdr


def test_a_public_holiday_is_named(pool: Pool, bdr: User, other_bdr: User) -> None:
    work_on(bdr, (0, 1, 2, 3, 4), holidays="DE")
    may_day = datetime(2026, 5, 1, 10, tzinfo=UTC)

    handoff = offer(ready_lead(now=may_day), now=may_day)

    assert handoff.owner == other_bdr
    assert reasons_of(handoff)[bdr.pk] == "skipped: public holiday: Erster Mai, DE"


def test_who_was_away_catches_up_where_the_pool_says_so(
    pool: Pool, bdr: User, other_bdr: User, now: datetime
) -> None:
    Pool.objects.update(catches_up=True)
    bdr.absences.create(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
    missed = [offer(ready_lead(now=now), now=now) for _ in range(2)]
    back = now + timedelta(days=1)

    after = [offer(ready_lead(now=back), now=back) for _ in range(3)]

    assert {handoff.owner for handoff in missed} == {other_bdr}
    assert [handoff.owner for handoff in after[:2]] == [bdr, bdr]


# --- How the rule finds the owner ---------------------------------------------------------------


def test_the_least_loaded_rep_gets_it(bdr: User, other_bdr: User, rule: RoutingRule, now: datetime) -> None:
    RoutingRule.objects.update(strategy=RoutingRule.Strategy.LEAST_LOADED)
    first = offer(ready_lead(now=now), now=now)
    reassign_handoff(first, to=bdr, by=_manager(), now=now, reason="Balance")

    handoffs = [offer(ready_lead(now=now), now=now) for _ in range(2)]

    assert handoffs[0].owner == other_bdr
    assert handoffs[0].routing_decisions.get().strategy == "Fewest open handoffs"
    assert [one.entitled for one in PoolMembership.objects.order_by("pk")] == [
        one.received for one in PoolMembership.objects.order_by("pk")
    ]


def test_a_named_person_gets_it_though_no_member_and_the_turns_stay(
    pool: Pool, stranger: User, rule: RoutingRule, now: datetime
) -> None:
    RoutingRule.objects.update(strategy=RoutingRule.Strategy.NAMED_OWNER, named_owner=stranger)

    named = offer(ready_lead(now=now), now=now)
    User.objects.filter(pk=stranger.pk).update(away_since=now)
    in_turn = offer(ready_lead(now=now), now=now)

    assert (named.owner, named.routing_decisions.get().strategy) == (stranger, "Named by the rule")
    assert in_turn.owner in list(pool.members.all())
    assert sum(pool.memberships.values_list("received", flat=True)) == 1


def test_a_rule_may_disregard_who_has_the_account(handoff: Handoff, rule: RoutingRule, now: datetime) -> None:
    RoutingRule.objects.update(account_owner_first=False)
    domain = handoff.lead.company.domain

    colleague = offer(ready_lead(now=now, company=domain), now=now)

    assert colleague.owner != handoff.owner


# --- Passed on and returned ---------------------------------------------------------------------


@pytest.fixture
def catch_all(pool: Pool, manager: User) -> Pool:
    """Where leads go after one hop; a pool of one, with a promise of its own."""
    caught = Pool.objects.create(name="Last resort")
    caught.memberships.create(user=UserFactory(first_name="Ruth", last_name="Last"), max_open=10)
    Pool.objects.filter(pk=pool.pk).update(max_hops=1, catch_all=caught)
    Policy.objects.update(position=5)
    slow = Policy.objects.create(name="Nobody kept it", position=1, is_catch_all=True)
    slow.targets.create(kind=Target.Kind.DECISION, mode=Target.Mode.WALL, minutes=7)
    return caught


def test_after_so_many_hops_the_catch_all_pool_has_it_by_its_own_terms(
    handoff: Handoff, catch_all: Pool, manager: User, now: datetime
) -> None:
    again = pass_on(handoff, now=now)

    assert (again.pool, str(again.owner), again.hops) == (catch_all, "Ruth Last", 1)
    assert again.routing_decisions.get().rule_name == "Catch-all of Inbound"
    assert list(Clock.objects.running().values_list("kind", "minutes")) == [("decision", 7)]
    assert manager.notifications.filter(title__startswith="Nobody kept Lea Holm").count() == 1


def test_what_the_catch_all_pool_cannot_take_waits_there_and_keeps_its_terms(
    handoff: Handoff, catch_all: Pool, now: datetime
) -> None:
    catch_all.memberships.update(max_open=0)
    again = pass_on(handoff, now=now)
    catch_all.memberships.update(max_open=1)

    assert (again.owner, assign_overflow(catch_all, now=now)) == (None, 1)
    decision = again.routing_decisions.order_by("id").last()
    assert decision.rule_name == "Catch-all of Inbound"


def test_without_a_catch_all_pool_it_waits_to_be_claimed(
    pool: Pool, handoff: Handoff, other_bdr: User, bdr: User, now: datetime
) -> None:
    Pool.objects.update(max_hops=1)

    again = pass_on(handoff, now=now)

    assert again.owner is None
    assert set(reasons_of(again).values()) == {"skipped: passed on by 1 rep, so it waits to be claimed"}
    assert assign_overflow(pool, now=now) == 0
    assert claim_handoff(again, by=bdr, now=now).owner == bdr


def test_who_declined_is_asked_again_after_the_stated_time(
    pool: Pool, handoff: Handoff, now: datetime
) -> None:
    Pool.objects.update(declined_for_days=30)
    again = pass_on(handoff, now=now)
    reassign_handoff(again, to=None, by=_manager(), now=now, reason="Wait")
    PoolMembership.objects.filter(user=again.lead.owner).update(max_open=0)
    PoolMembership.objects.exclude(user=handoff.owner).update(max_open=0)

    assert assign_overflow(pool, now=now + timedelta(days=29)) == 0
    assert assign_overflow(pool, now=now + timedelta(days=31)) == 1
    again.refresh_from_db()
    assert again.owner == handoff.owner


def test_the_third_return_goes_to_a_manager_of_the_team_though_no_member(
    pool: Pool, lead: Lead, manager: User, bdr: User, now: datetime
) -> None:
    """FEED-2: and it does not wait behind older leads, which are the pool's to deal."""
    pool.memberships.update(max_open=0)
    offer(ready_lead(now=now), now=now)
    Lead.objects.filter(pk=lead.pk).update(trips=3)
    lead.refresh_from_db()

    handoff = offer(lead, now=now)

    assert handoff.owner == manager
    assert handoff.routing_decisions.get().strategy == "A manager, after so many returns"
    assert reasons_of(handoff)[bdr.pk] == "skipped: returned 3 times, so a manager looks"
    assert set(pool.memberships.values_list("received", "entitled")) == {(0, Decimal(0))}


# --- The books ----------------------------------------------------------------------------------


def books_are_even(pool: Pool) -> bool:
    received = sum(pool.memberships.values_list("received", flat=True))
    entitled = sum(pool.memberships.values_list("entitled", flat=True))
    return received >= 0 and abs(entitled - received) < Decimal("1e-12")


def _manager() -> User:
    return User.objects.get(role=User.Role.MANAGER)


def test_the_books_stay_even_whatever_becomes_of_a_lead(
    pool: Pool, bdr: User, other_bdr: User, manager: User, stranger: User, now: datetime
) -> None:
    """What the members are entitled to is what they received, lead by lead: nobody gains a turn by it."""
    pool.memberships.create(user=stranger, weight=4)
    first = offer(ready_lead(now=now), now=now)
    for to in (bdr, manager, other_bdr, None):
        reassign_handoff(first, to=to, by=manager, now=now, reason="Balance")
        assert books_are_even(pool)
    claim_handoff(first, by=bdr, now=now)
    assert books_are_even(pool)

    second = pass_on(first, now=now)
    assert books_are_even(pool)
    third = pass_on(second, now=now)
    reassign_handoff(third, to=manager, by=manager, now=now, reason="Balance")
    pass_on(third, now=now)

    assert books_are_even(pool)
    assert (
        sum(pool.memberships.values_list("received", flat=True))
        == Handoff.objects.filter(owner__in=pool.members.all(), slot_returned_at=None).count()
    )


# --- The dry run --------------------------------------------------------------------------------


def test_a_dry_run_says_what_a_hand_off_then_does_and_writes_nothing(pool: Pool, now: datetime) -> None:
    lead = ready_lead(now=now)
    facts = facts_of(lead, category="A")
    with CaptureQueriesContext(connection) as queries:
        preview = preview_route(facts, company=lead.company, now=now)
    handoff = offer(lead, now=now)

    assert not [query["sql"] for query in queries if not query["sql"].startswith("SELECT")]
    assert not [query["sql"] for query in queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert (preview.choice.user_id, preview.rule.name) == (handoff.owner_id, "Everything else")
    assert {one.user_id: one.reason for one in preview.choice.considered} == reasons_of(handoff)


def test_a_dry_run_of_a_lead_counts_what_became_of_it_and_of_its_company(
    handoff: Handoff, pool: Pool, now: datetime
) -> None:
    facts = facts_of(handoff.lead, category="A")

    again = preview_route(facts, lead=handoff.lead, now=now)
    colleague = preview_route(facts, company=handoff.lead.company, now=now)

    assert (again.choice.user_id, again.choice.strategy) == (handoff.owner_id, "Earlier owner of this lead")
    assert (colleague.choice.user_id, colleague.choice.strategy) == (
        handoff.owner_id,
        "Owner of this account",
    )


def test_a_dry_run_needs_a_rule_as_well(pool: Pool, now: datetime) -> None:
    RoutingRule.objects.update(countries=["France"])

    with pytest.raises(NoRouteForLead):
        preview_route(facts_of(ready_lead(now=now), category="A"), now=now)


def test_a_hand_off_asks_as_much_of_the_database_for_many_reps_as_for_few(pool: Pool, now: datetime) -> None:
    facts = facts_of(ready_lead(now=now), category="A")
    with CaptureQueriesContext(connection) as few:
        preview_route(facts, now=now)
    for _ in range(6):
        work_on(pool.memberships.create(user=UserFactory()).user, MONDAY_AND_TUESDAY)
    with CaptureQueriesContext(connection) as many:
        preview_route(facts, now=now)

    assert len(many) <= len(few) + 1  # whose calendar it is, and the calendars themselves
