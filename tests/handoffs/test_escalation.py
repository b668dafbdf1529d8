"""SLA-5: what follows a missed target. Each step once, in order, at its time, also after downtime."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import Absence, User
from accounts.services import come_back, go_away
from handoffs.contact.services import record_attempt
from handoffs.escalation import escalate_due_clocks
from handoffs.models import Handoff, Pool
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, record_opened
from leads.models import LeadEvent
from notifications.models import Notification
from sla.models import Clock, Escalation, PolicyVersion, Target, Ticket
from sla.pauses import pause_clock
from sla.sweep import sweep_clocks
from tests.desk import offer, ready_lead
from tests.factories import PoolFactory, PoolMembershipFactory
from tests.sla.factories import CalendarFactory, ladder

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DUE = 15 * MINUTE  # the desk promises that an offer is opened so soon, around the clock


def follow(handoff: Handoff, version: PolicyVersion, *, kind: str = Target.Kind.OPENED) -> None:
    """Let one target of the handoff be followed by the ladder of this version."""
    clocks = Clock.objects.filter(handoff_id=handoff.pk)
    clocks.filter(kind=kind).update(policy_version=version)
    clocks.filter(kind=Target.Kind.CRM_TRANSFER).delete()  # no rep's matter


def work(now: datetime) -> None:
    sweep_clocks(now=now)
    escalate_due_clocks(now=now)


def taken(handoff: Handoff) -> list[str]:
    """The steps so far, "+" for taken and "-" for left out, with the minutes after the hand-off."""
    steps = Escalation.objects.filter(clock__handoff_id=handoff.pk).order_by("at", "clock_id", "position")
    return [
        f"{'+' if step.result == Escalation.Result.TAKEN else '-'}{step.action}"
        f"@{(step.at - handoff.created_at) // MINUTE}"
        for step in steps
    ]


def told(person: User, *kinds: str) -> list[str]:
    messages = Notification.objects.filter(recipient=person).order_by("id")
    return [message.title for message in messages if not kinds or message.kind in kinds]


def other_than(rep: User, *reps: User) -> User:
    return next(one for one in reps if one != rep)


# --- Time ---------------------------------------------------------------------------------------


def test_each_step_is_taken_once_at_its_time(handoff, manager, now):
    follow(handoff, ladder("remind@0", "notify_manager@10", "flag_crm@20", "review@30"))

    for minute in range(10, 60, 5):
        work(now + minute * MINUTE + timedelta(seconds=1))

    assert taken(handoff) == ["+remind@15", "+notify_manager@25", "+flag_crm@35", "+review@45"]
    events = LeadEvent.objects.filter(handoff_id=handoff.pk, kind=LeadEvent.Kind.ESCALATED).order_by("id")
    assert [event.detail["action"] for event in events] == ["remind", "notify_manager", "flag_crm", "review"]
    overdue = f"Not opened in time: {handoff.lead}"
    assert told(handoff.owner, "breach", "escalation") == [overdue]
    assert told(manager, "breach", "escalation", "task") == [overdue, overdue]
    [ticket] = Ticket.objects.all()
    assert (ticket.alarm, ticket.owner, ticket.lead) == (Ticket.Alarm.ESCALATED, manager, handoff.lead)
    assert ticket.url == handoff.get_absolute_url()
    handoff.refresh_from_db()
    assert handoff.flagged_at == now + 35 * MINUTE + timedelta(seconds=1)
    assert not Clock.objects.step_due(now + 10 * HOUR).exists()


def test_after_three_hours_of_downtime_only_what_still_makes_sense_is_done(handoff, manager, now):
    follow(handoff, ladder("remind@0", "notify_manager@10", "remind@60", "notify_manager@90", "review@600"))

    work(now + 3 * HOUR)
    work(now + 3 * HOUR + MINUTE)

    assert taken(handoff) == ["-remind@180", "-notify_manager@180", "+remind@180", "+notify_manager@180"]
    assert len(told(handoff.owner, "breach", "escalation")) == 1
    assert len(told(manager, "breach", "escalation")) == 1
    clock = Clock.objects.get(handoff_id=handoff.pk, kind="opened")
    assert (clock.steps_taken, clock.next_step_at) == (4, now + DUE + 600 * MINUTE)
    wanted = Escalation.objects.order_by("position").values_list("due_at", flat=True)
    assert list(wanted) == [now + DUE + after * MINUTE for after in (0, 10, 60, 90)]


def test_after_an_outage_everybody_gets_one_message_and_not_forty(pool, manager, now):
    version = ladder("remind@0", "notify_manager@5", "reassign@600")
    offers = [offer(ready_lead(now=now), now=now) for _ in range(8)]
    for each in offers:
        follow(each, version)

    work(now + 3 * HOUR)

    assert Escalation.objects.filter(result="taken").count() == 16
    assert told(manager, "escalation") == ["8 targets overdue"]
    for rep in {each.owner for each in offers}:
        assert told(rep, "escalation") == ["4 targets overdue"]


def test_what_is_opened_or_paused_goes_no_further(handoff, now):
    follow(handoff, ladder("remind@0", "reassign@30"))
    follow(handoff, ladder("remind@0", name="Later"), kind=Target.Kind.DECISION)
    clock = Clock.objects.get(handoff_id=handoff.pk, kind=Target.Kind.DECISION)
    pause_clock(clock, reason="Waits for the lead", by=handoff.owner, now=now + HOUR)
    work(now + 16 * MINUTE)

    record_opened(handoff, by=handoff.owner, now=now + 20 * MINUTE)
    work(now + 48 * HOUR)

    assert taken(handoff) == ["+remind@16"]


# --- The receiver's hours -----------------------------------------------------------------------


@pytest.fixture
def days(pool: Pool) -> None:
    """Everybody works Monday to Friday, 10:00 to 18:00 in Berlin."""
    CalendarFactory._meta.model.objects.update(is_default=False)
    CalendarFactory(is_default=True)


FRIDAY_EVENING = datetime.fromisoformat("2026-03-06T19:00+01:00")
MONDAY_MORNING = datetime.fromisoformat("2026-03-09T10:00+01:00")


def test_nobody_is_told_at_night_and_nothing_is_lost_over_the_weekend(days, handoff, manager, now):
    follow(handoff, ladder("remind@0", "notify_manager@0", "flag_crm@5"))
    Clock.objects.filter(kind="opened").update(started_at=FRIDAY_EVENING - DUE, due_at=FRIDAY_EVENING)

    for hour in range(0, 62, 6):
        work(FRIDAY_EVENING + hour * HOUR + timedelta(seconds=1))
    assert (taken(handoff), told(handoff.owner, "escalation")) == ([], [])
    clock = Clock.objects.get(handoff_id=handoff.pk, kind="opened")
    assert clock.next_step_at == MONDAY_MORNING

    for minute in range(3):
        work(MONDAY_MORNING + minute * MINUTE)
    assert [step[:-5] for step in taken(handoff)] == ["+remind", "+notify_manager", "+flag_crm"]
    assert len(told(handoff.owner, "escalation")) == len(told(manager, "escalation")) == 1


def test_a_step_that_waits_for_nobody_is_taken_at_night(days, handoff, manager, now):
    follow(handoff, ladder("notify_manager@0!", "remind@0"))
    Clock.objects.filter(kind="opened").update(started_at=FRIDAY_EVENING - DUE, due_at=FRIDAY_EVENING)

    work(FRIDAY_EVENING + MINUTE)

    assert len(told(manager, "escalation")) == 1
    assert told(handoff.owner, "escalation") == []


def test_of_several_managers_those_at_work_are_told(days, handoff, manager, now):
    in_tokyo = User.objects.create(username="kei", role=User.Role.MANAGER, team=manager.team)
    CalendarFactory(time_zone="Asia/Tokyo", name="Tokyo").people.add(in_tokyo)
    follow(handoff, ladder("notify_manager@0"))
    tokyo_morning = datetime.fromisoformat("2026-03-09T10:30+09:00")
    Clock.objects.filter(kind="opened").update(started_at=tokyo_morning - HOUR, due_at=tokyo_morning)

    work(tokyo_morning + MINUTE)

    assert (len(told(in_tokyo, "escalation")), told(manager, "escalation")) == (1, [])


def test_somebody_on_vacation_is_not_waited_for_when_there_is_a_next_step(days, handoff, manager, now):
    Absence.objects.create(user=handoff.owner, starts_at=now, ends_at=now + timedelta(days=14))
    follow(handoff, ladder("remind@0", "notify_manager@5"))

    work(now + HOUR)

    assert taken(handoff) == ["-remind@60", "+notify_manager@60"]
    assert Escalation.objects.get(action="remind").why == (
        f"{handoff.owner} is out of the office, so it is left to the next step."
    )


# --- The next rep -------------------------------------------------------------------------------


def test_a_lapsed_offer_goes_to_the_next_rep_with_the_full_time(handoff, bdr, other_bdr, now):
    first, second = handoff.owner, other_than(handoff.owner, bdr, other_bdr)
    follow(handoff, ladder("remind@0", "reassign@30"))

    work(now + 16 * MINUTE)
    work(now + 46 * MINUTE)

    handoff.refresh_from_db()
    assert (handoff.owner, handoff.hops, handoff.opened_at) == (second, 1, None)
    assert (handoff.lead.owner, handoff.status) == (second, Handoff.Status.OFFERED)
    anew = Clock.objects.running().get(handoff_id=handoff.pk, kind=Target.Kind.OPENED)
    assert (anew.owner, anew.due_at, anew.steps_taken) == (second, now + 46 * MINUTE + DUE, 0)
    assert Escalation.objects.get(action="reassign").why == f"From {first} to {second}."
    decision = handoff.routing_decisions.latest("id")
    assert decision.chosen == second
    refused = next(one for one in decision.candidates if one["user_id"] == first.pk)
    assert refused["reason"] == "skipped: has just let it lapse"
    books = {each.user: (each.received, each.entitled) for each in handoff.pool.memberships.all()}
    assert books[first][0] == 0
    assert books[second][0] == 1
    assert sum(received for received, _ in books.values()) == sum(entitled for _, entitled in books.values())


def test_who_let_it_lapse_does_not_get_it_again_and_then_it_waits_to_be_claimed(handoff, bdr, other_bdr, now):
    follow(handoff, ladder("reassign@0"))

    for minute in range(0, 120, 5):
        work(now + minute * MINUTE + timedelta(seconds=1))

    handoff.refresh_from_db()
    assert (handoff.owner, handoff.offered_at, handoff.hops) == (None, None, 2)
    moves = LeadEvent.objects.filter(handoff_id=handoff.pk, kind__in=("assigned", "overflowed"))
    assert [event.kind for event in moves.order_by("id")] == ["assigned", "assigned", "overflowed"]
    reasons = {one["reason"] for one in handoff.routing_decisions.latest("id").candidates}
    assert reasons == {"skipped: has just let it lapse", "skipped: let it lapse, until Thu 2 Apr"}


def test_at_the_hop_limit_it_goes_to_the_catch_all_pool(
    handoff, pool, bdr, other_bdr, stranger, manager, now
):
    pool.max_hops, pool.catch_all = 1, PoolFactory(name="Nobody's")
    pool.save()
    PoolMembershipFactory(pool=pool.catch_all, user=stranger)
    follow(handoff, ladder("reassign@0"))

    work(now + 16 * MINUTE)

    handoff.refresh_from_db()
    assert (handoff.pool.name, handoff.owner) == ("Nobody's", stranger)
    assert any(title.startswith("Nobody kept") for title in told(manager))


def test_an_accepted_lead_nobody_has_called_goes_on_accepted(handoff, bdr, other_bdr, now):
    first = handoff.owner
    accept_handoff(handoff, by=first, now=now + MINUTE)
    follow(handoff, ladder("reassign@0"), kind=Target.Kind.FIRST_CONTACT)

    work(now + 49 * HOUR)

    handoff.refresh_from_db()
    assert (handoff.owner, handoff.status) == (other_than(first, bdr, other_bdr), Handoff.Status.ACCEPTED)


def test_an_accepted_lead_waits_for_the_morning_when_nobody_can_take_it_at_night(
    days, handoff, bdr, other_bdr, now
):
    first = handoff.owner
    Pool.objects.update(off_shift=Pool.OffShift.WAIT)
    accept_handoff(handoff, by=first, now=now + MINUTE)
    follow(handoff, ladder("reassign@0"), kind=Target.Kind.FIRST_CONTACT)
    Clock.objects.filter(kind="first_contact").update(started_at=now, due_at=FRIDAY_EVENING)

    work(FRIDAY_EVENING + MINUTE)
    assert taken(handoff) == []
    work(MONDAY_MORNING)

    handoff.refresh_from_db()
    assert (handoff.owner, handoff.status) == (other_than(first, bdr, other_bdr), Handoff.Status.ACCEPTED)


def test_once_the_owner_has_been_in_touch_the_lead_stays_theirs(handoff, now):
    owner = handoff.owner
    accept_handoff(handoff, by=owner, now=now + MINUTE)
    follow(handoff, ladder("remind@0", "reassign@5"), kind=Target.Kind.CADENCE)
    record_attempt(handoff, channel="call", outcome="no_answer", by=owner, now=now + 2 * MINUTE)
    Clock.objects.create(
        lead=handoff.lead, handoff_id=handoff.pk, kind=Target.Kind.QUALITY_CHECK, owner=owner,
        policy_name="Strict", policy_version=ladder("reassign@5", name="Other"), mode="wall", minutes=60,
        started_at=now, due_at=now + HOUR,
    )  # fmt: skip

    work(now + 2 * HOUR)

    handoff.refresh_from_db()
    assert handoff.owner == owner
    [step] = Escalation.objects.filter(action="reassign")
    assert (step.result, step.why) == (
        Escalation.Result.LEFT_OUT,
        f"{owner} has been in touch with the lead, so it stays theirs.",
    )


def test_two_ladders_of_one_handoff_move_it_once(handoff, bdr, other_bdr, now):
    first = handoff.owner
    version = ladder("reassign@0")
    for kind in (Target.Kind.OPENED, Target.Kind.DECISION):
        follow(handoff, version, kind=kind)

    work(now + 25 * HOUR)

    handoff.refresh_from_db()
    assert (handoff.owner, handoff.hops) == (other_than(first, bdr, other_bdr), 1)
    assert Escalation.objects.count() == 1


# --- Out of the rotation ------------------------------------------------------------------------


def let_lapse(number: int, rep: User, manager: User, *, version: PolicyVersion, now: datetime) -> Handoff:
    """So many offers that the rep does not open; the last of them."""
    for each in range(number):
        handoff = offer(ready_lead(now=now + each * MINUTE), now=now + each * MINUTE)
        reassign_handoff(handoff, to=rep, by=manager, now=now + each * MINUTE, reason="Test")
        follow(handoff, version)
    return handoff


def test_who_lets_offers_lapse_in_a_row_rests_until_they_are_back(pool, bdr, manager, now):
    version = ladder("rest@0:3")
    let_lapse(2, bdr, manager, version=version, now=now)

    work(now + HOUR)
    bdr.refresh_from_db()
    assert bdr.away_since is None
    assert Escalation.objects.last().why == "2 offers in a row went unanswered; it takes 3."

    let_lapse(1, bdr, manager, version=version, now=now + HOUR)
    work(now + 2 * HOUR)
    bdr.refresh_from_db()
    assert (bdr.away_since, bdr.away_reason) == (now + 2 * HOUR, "3 offers in a row went unanswered.")
    assert told(bdr, "escalation") == ["You get no new leads for now"]
    assert told(manager, "escalation") == [f"{bdr} gets no new leads for now"]
    assert offer(ready_lead(now=now + 3 * HOUR), now=now + 3 * HOUR).owner != bdr

    come_back(bdr, now=now + 4 * HOUR)
    let_lapse(1, bdr, manager, version=version, now=now + 4 * HOUR)
    work(now + 5 * HOUR)
    bdr.refresh_from_db()
    assert bdr.away_since is None, "what was before the return is forgotten"


def test_whose_offers_all_lapse_at_once_is_sent_home_once(pool, bdr, manager, now):
    let_lapse(4, bdr, manager, version=ladder("rest@0:2"), now=now)

    work(now + HOUR)

    assert told(bdr, "escalation") == ["You get no new leads for now"]
    assert told(manager, "escalation") == [f"{bdr} gets no new leads for now"]
    results = Escalation.objects.order_by("clock_id").values_list("result", flat=True)
    assert sorted(results) == ["left_out"] * 3 + ["taken"]


def test_an_offer_that_was_answered_ends_the_row_however_late(pool, bdr, manager, now):
    version = ladder("rest@0:2")
    answered = let_lapse(1, bdr, manager, version=version, now=now)
    record_opened(answered, by=bdr, now=now + 30 * MINUTE)
    let_lapse(1, bdr, manager, version=version, now=now + HOUR)

    work(now + 2 * HOUR)

    bdr.refresh_from_db()
    assert bdr.away_since is None


def test_who_is_away_is_neither_reminded_nor_taken_out_again(handoff, now):
    go_away(handoff.owner, now=now)
    follow(handoff, ladder("remind@0", "rest@0:1"))

    work(now + HOUR)

    assert taken(handoff) == ["-remind@60", "-rest@60"]
    handoff.owner.refresh_from_db()
    assert handoff.owner.away_since == now
