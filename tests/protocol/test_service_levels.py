"""Chapter 12 of the protocol, the column SLA: each published number, as the table says it."""

from __future__ import annotations

from datetime import datetime

import pytest

from protocol.presets import PRESETS
from sla.business_hours import Shift, WorkingCalendar
from sla.conditions import HandoffFacts
from sla.deadlines import set_deadline
from sla.models import AlarmSetting, EscalationStep, Target, Ticket
from sla.policies import choose_policy
from sla.presets import load_sla_preset
from sla.versions import Step, TargetTerms, Terms

pytestmark = pytest.mark.django_db

Action, Kind = EscalationStep.Action, Target.Kind
HOUR = 60
DAY = 24 * HOUR


def promised(preset: str, *, now: datetime, category: str = "A", demo: bool = False) -> Terms:
    """What the preset promises about a handoff, as loading it puts it into force."""
    load_sla_preset(PRESETS[preset].sla, by=None, now=now)
    facts = HandoffFacts(1, category=category, warmth="cold", source="Webinar", is_instant_mql=demo)
    policy = choose_policy(facts, now=now)
    assert policy is not None
    return policy.terms


def within(terms: Terms, kind: Kind) -> tuple[str, int | None]:
    target = terms.target_for(kind)
    assert target is not None
    return target.mode, target.minutes


def step(terms: Terms, action: Action, kind: Kind) -> Step:
    [found] = [each for each in terms.steps_for(kind) if each.action == action]
    return found


# --- classic: demo request same day; otherwise 24 business hours; breach → manager review ----------


def test_classic_answers_a_demo_request_the_same_day(now: datetime) -> None:
    assert within(promised("classic", now=now, demo=True), Kind.FIRST_CONTACT) == ("same_day", None)


def test_classic_answers_all_others_within_24_business_hours(now: datetime) -> None:
    assert within(promised("classic", now=now), Kind.FIRST_CONTACT) == ("business", 24 * HOUR)


@pytest.mark.parametrize("demo", [True, False])
def test_classic_takes_each_breach_to_the_managers_review(demo: bool, now: datetime) -> None:
    terms = promised("classic", now=now, demo=demo)

    assert terms.reviews_breaches
    assert step(terms, Action.REVIEW, Kind.FIRST_CONTACT).after_minutes == 0


# --- hybrid: A 60 min, B 4 h, C 24 h business; after hours: 15 min auto, 2 h into next business day; -----
# --- message ≤ 30 min; quality check ≤ 24 h -------------------------------------------------------------


@pytest.mark.parametrize(("category", "minutes"), [("A", 60), ("B", 4 * HOUR), ("C", 24 * HOUR)])
def test_hybrid_contacts_a_in_60_minutes_b_in_4_hours_c_in_24(
    category: str, minutes: int, now: datetime
) -> None:
    terms = promised("hybrid", now=now, category=category)

    assert within(terms, Kind.FIRST_CONTACT) == ("business", minutes)


@pytest.mark.parametrize("category", ["A", "B", "C"])
def test_hybrid_calls_after_hours_leads_within_two_hours_of_the_next_business_day(
    category: str, now: datetime
) -> None:
    target = promised("hybrid", now=now, category=category).target_for(Kind.FIRST_CONTACT)

    assert target is not None
    assert due_on_saturday_night(target) == datetime.fromisoformat("2026-03-09T12:00:00+00:00")


@pytest.mark.parametrize("category", ["A", "B", "C"])
def test_hybrid_tells_the_rep_within_30_minutes_and_checks_quality_within_24_hours(
    category: str, now: datetime
) -> None:
    terms = promised("hybrid", now=now, category=category)

    assert within(terms, Kind.NOTIFICATION) == ("business", 30)
    assert within(terms, Kind.QUALITY_CHECK) == ("wall", 24 * HOUR)


# --- speed: transfer ≤ 5 min; first contact ≤ 15 min; 5–7 attempts in 48 h; return ≤ 24 h with reason; --
# --- alarms at 15 min unopened --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "minutes"),
    [
        (Kind.CRM_TRANSFER, 5),
        (Kind.FIRST_CONTACT, 15),
        (Kind.CADENCE, 48 * HOUR),
        (Kind.RETURN, 24 * HOUR),
        (Kind.OPENED, 15),
    ],
)
def test_speed_promises_by_the_clock_on_the_wall(kind: Kind, minutes: int, now: datetime) -> None:
    assert within(promised("speed", now=now), kind) == ("wall", minutes)


def test_speed_tries_five_to_seven_times(now: datetime) -> None:
    cadence = promised("speed", now=now).target_for(Kind.CADENCE)

    assert cadence is not None
    assert cadence.attempts is not None
    assert 5 <= cadence.attempts <= 7


def test_speed_raises_the_alarm_as_soon_as_15_minutes_have_gone_unopened(now: datetime) -> None:
    promised("speed", now=now)

    alarm = AlarmSetting.objects.get(alarm=Ticket.Alarm.NOT_OPENED)
    assert (alarm.is_active, alarm.after_minutes) == (True, None)


# --- six-step: minutes for high scores, hours for lower; fallback reassign --------------------------------


def test_six_step_gives_high_scores_minutes_and_others_hours(now: datetime) -> None:
    _, high = within(promised("six-step", now=now, category="A"), Kind.FIRST_CONTACT)
    _, lower = within(promised("six-step", now=now, category="C"), Kind.FIRST_CONTACT)

    assert high is not None
    assert lower is not None
    assert high < HOUR <= lower


@pytest.mark.parametrize("category", ["A", "C"])
def test_six_step_falls_back_on_the_next_rep(category: str, now: datetime) -> None:
    terms = promised("six-step", now=now, category=category)

    assert step(terms, Action.REASSIGN, Kind.DECISION)
    assert step(terms, Action.REASSIGN, Kind.FIRST_CONTACT)


# --- bant: response 4 business hours (24 h at most); 3 attempts in 5 days; escalation --------------------


def test_bant_responds_within_4_business_hours_and_escalates_what_takes_24(now: datetime) -> None:
    terms = promised("bant", now=now)

    assert within(terms, Kind.FIRST_CONTACT) == ("business", 4 * HOUR)
    assert 4 * HOUR + step(terms, Action.REVIEW, Kind.FIRST_CONTACT).after_minutes == 24 * HOUR
    ladder = [each.action for each in terms.steps_for(Kind.FIRST_CONTACT)]
    assert ladder == [Action.REMIND, Action.NOTIFY_MANAGER, Action.REVIEW, Action.FLAG_CRM]


def test_bant_tries_three_times_in_five_days_of_eight_hours(now: datetime) -> None:
    terms = promised("bant", now=now)

    cadence = terms.target_for(Kind.CADENCE)
    assert cadence is not None
    assert cadence.attempts == 3
    assert within(terms, Kind.CADENCE) == ("business", 5 * 8 * HOUR)


# --- all of them ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_loading_again_changes_nothing_and_makes_no_version(name: str, now: datetime) -> None:
    terms = promised(name, now=now)

    assert load_sla_preset(PRESETS[name].sla, by=None, now=now) == []
    assert promised(name, now=now) == terms


def test_going_from_one_protocol_to_the_next_leaves_only_its_policies_in_force(now: datetime) -> None:
    promised("classic", now=now)

    plan = load_sla_preset(PRESETS["bant"].sla, by=None, now=now)

    assert "Switch off the policy “Demo requests”." in plan
    assert [target.kind for target in promised("bant", now=now, demo=True).targets] == [
        "decision",
        "first_contact",
        "cadence",
    ]


def due_on_saturday_night(target: TargetTerms) -> datetime:
    """When it is due if it comes in on a Saturday at 20:00, for somebody who works ten to six (SLA-2)."""
    office = WorkingCalendar("UTC", tuple(Shift(day, 10 * HOUR, 18 * HOUR) for day in range(5)), (), ())
    saturday = datetime.fromisoformat("2026-03-07T20:00:00+00:00")
    return set_deadline(target, hours=office, since=saturday).due_at
