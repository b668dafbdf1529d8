"""SLA-1: policies in order, said in plain words, loaded from a preset."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import IntegrityError

from common.errors import NotAllowed
from sla.conditions import Conditions, HandoffFacts
from sla.models import Calendar, Clock, Policy, Target, Ticket
from sla.policies import find_hidden
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, StepPreset, TargetPreset, load_sla_preset
from sla.versions import Step, TargetTerms, Terms, read_terms
from sla.wording import changes_in_words, promise_in_words
from tests.factories import NOON
from tests.sla.factories import TargetFactory

DEMO = PolicyPreset(
    name="Demo request",
    is_instant_mql=True,
    targets=(TargetPreset(Target.Kind.FIRST_CONTACT, Target.Mode.SAME_DAY),),
)
OTHERS = PolicyPreset(
    name="All others",
    targets=(TargetPreset(Target.Kind.FIRST_CONTACT, Target.Mode.BUSINESS, 1440),),
)
PRESET = SlaPreset(CalendarPreset("Office", "Europe/Berlin"), (DEMO, OTHERS))


def test_loading_makes_calendar_and_policies_in_order_and_says_so(db, manager):
    plan = load_sla_preset(PRESET, by=manager, now=NOON)

    assert plan == [
        "Add the default calendar “Office”: 10:00–18:00, Europe/Berlin.",
        "Add the policy “Demo request”. First contact: by close of business of the day.",
        "Add the policy “All others”. First contact: within 24 hours of working time.",
    ]
    assert list(Policy.objects.values_list("name", "position")) == [("Demo request", 1), ("All others", 2)]
    assert Calendar.objects.get(is_default=True).intervals.count() == 5


def test_loading_twice_changes_nothing(db, manager):
    load_sla_preset(PRESET, by=manager, now=NOON)
    targets = list(Target.objects.values_list("pk", flat=True).order_by("pk"))

    assert load_sla_preset(PRESET, by=manager, now=NOON) == []

    assert list(Target.objects.values_list("pk", flat=True).order_by("pk")) == targets


def test_a_dry_run_says_what_it_would_do_and_does_nothing(db, manager):
    assert len(load_sla_preset(PRESET, by=manager, now=NOON, dry_run=True)) == 3

    assert not Policy.objects.exists()
    assert not Calendar.objects.exists()


def test_a_changed_promise_is_replaced_and_an_unknown_policy_switched_off(db, manager):
    load_sla_preset(PRESET, by=manager, now=NOON)
    faster = replace(OTHERS, targets=(replace(OTHERS.targets[0], minutes=240),))

    plan = load_sla_preset(SlaPreset(PRESET.calendar, (replace(faster),)), by=manager, now=NOON)

    assert plan == [
        "Change the policy “All others”. First contact: within 4 hours of working time.",
        "Switch off the policy “Demo request”.",
    ]
    assert list(Policy.objects.filter(is_active=True).values_list("name", "targets__minutes")) == [
        ("All others", 240)
    ]


def test_steps_and_alarms_are_loaded_and_told(db, manager):
    """SLA-5, SLA-6."""
    steps = (StepPreset("reassign", 30, kinds=("opened",)), StepPreset("remind"))
    preset = replace(PRESET, policies=(replace(OTHERS, steps=steps),), alarms={Ticket.Alarm.NO_ACTIVITY: 60})

    plan = load_sla_preset(preset, by=manager, now=NOON)

    assert plan[1:] == [
        "Add the policy “All others”. First contact: within 24 hours of working time. "
        "When missed, at once: remind the owner; after 30 minutes: give it to the next rep (opened only).",
        "The alarm “No activity” opens a ticket after 1 hour of working time.",
    ]
    version = Policy.objects.get().versions.get()
    assert (version.by, [step.action for step in read_terms(version).steps]) == (
        manager,
        ["remind", "reassign"],
    )
    assert load_sla_preset(preset, by=manager, now=NOON) == []


def test_a_calendar_of_ones_own_is_kept(office, manager):
    load_sla_preset(PRESET, by=manager, now=NOON)

    assert list(Calendar.objects.all()) == [office]


def test_only_managers_load_service_levels(db, marketing):
    with pytest.raises(NotAllowed):
        load_sla_preset(PRESET, by=marketing, now=NOON)


@pytest.mark.parametrize(
    ("mode", "minutes"), [("business", None), ("wall", None), ("wall", 0), ("same_day", 60)]
)
def test_the_database_refuses_a_promise_without_a_time(office, mode, minutes):
    with pytest.raises(IntegrityError, match="target_has_minutes_unless_same_day"):
        TargetFactory(mode=mode, minutes=minutes)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target(mode="wall", minutes=15), "Within 15 minutes, around the clock"),
        (Target(mode="business", minutes=60), "Within 1 hour of working time"),
        (Target(mode="business", minutes=90), "Within 1 hour 30 minutes of working time"),
        (
            TargetTerms("cadence", "wall", 2880, attempts=5),
            "5 attempts within 48 hours, around the clock",
        ),
        (Clock(mode="business", minutes=60, attempts_needed=1), "1 attempt within 1 hour of working time"),
        (Target(mode="same_day"), "By close of business of the day"),
        (
            Target(mode="business", minutes=60, after_hours_minutes=120),
            "Within 1 hour of working time; when it comes in after hours, 2 hours after opening",
        ),
    ],
)
def test_promises_in_words(target, words):
    assert promise_in_words(target) == words


CONTACT = TargetTerms("first_contact", "business", 60, warn_percent=(50, 80))
REMIND = Step("remind", 30)


@pytest.mark.parametrize(
    ("old", "new", "sentences"),
    [
        (
            {"targets": (CONTACT,)},
            {"targets": (replace(CONTACT, minutes=30, warn_percent=(80,)),)},
            [
                "First contact: within 30 minutes of working time; warned at 80 %; "
                "before, within 1 hour of working time; warned at 50 % and 80 %."
            ],
        ),
        (
            {"targets": (CONTACT,)},
            {"targets": (replace(CONTACT, max_pause_minutes=2 * 1440, restarts_on_reassignment=False),)},
            [
                "First contact: paused for 2 days at most; handed on as it is; "
                "before, paused for as long as it takes; anew for the next owner."
            ],
        ),
        (
            {"targets": (CONTACT,)},
            {"targets": (TargetTerms("cadence", "wall", 2880, attempts=5, max_pause_minutes=0),)},
            [
                "Target dropped. First contact: within 1 hour of working time.",
                "New target. Contact attempts: 5 attempts within 48 hours, around the clock; "
                "it cannot be paused.",
            ],
        ),
        (
            {"steps": (REMIND,)},
            {"steps": (Step("rest", 0, ("opened", "crm_transfer"), False, 3),), "reviews_breaches": False},
            [
                "New step. At once: take the rep out of the rotation (opened, transfer to Salesforce only), "
                "when 3 offers in a row lapsed, whatever the hour.",
                "Step dropped. After 30 minutes: remind the owner.",
                "A manager no longer reviews each missed target.",
            ],
        ),
        (
            {"conditions": Conditions(category="A")},
            {"conditions": Conditions(warmth="hand_raiser", countries=("Chile", "Peru"), max_employees=1000)},
            [
                "Applies to warmth “hand-raiser”, Chile or Peru, 1,000 employees at most; "
                "before, to category A."
            ],
        ),
        (
            {"steps": (REMIND, replace(REMIND, action="review"))},
            {"steps": (replace(REMIND, action="review"), REMIND)},
            ["The steps are taken in another order."],
        ),
    ],
    ids=["shorter", "pauses", "another target", "steps", "conditions", "order"],
)
def test_what_a_version_changed_is_told_in_sentences(old, new, sentences):
    """SLA-4."""
    assert changes_in_words(Terms(**old), Terms(**new)) == sentences


@pytest.mark.parametrize(
    ("conditions", "facts", "holds"),
    [
        ({"countries": ("Germany", "Austria")}, {"country": "austria"}, True),
        ({"countries": ("Germany",)}, {"country": ""}, False),
        ({"industries": ("Retail",)}, {"industry": "RETAIL"}, True),
        ({"industries": ("Retail",)}, {"industry": "Software"}, False),
        ({"min_employees": 50}, {"employee_count": 50}, True),
        ({"min_employees": 50}, {"employee_count": 49}, False),
        ({"max_employees": 50}, {"employee_count": 51}, False),
        ({"min_employees": 0}, {"employee_count": None}, False),
        ({"category": "A"}, {"category": "B"}, False),
    ],
)
def test_segments_hold_for_the_leads_they_name(conditions, facts, holds):
    """SLA-1: what nobody knows is in no segment."""
    handoff = {"category": "A", "warmth": "cold", "source": "", "is_instant_mql": False} | facts

    assert Conditions(**conditions).hold_for(HandoffFacts(1, **handoff)) is holds


@pytest.mark.parametrize(
    ("earlier", "later", "hidden"),
    [
        ({}, {}, True),
        ({}, {"category": "A"}, True),
        ({"category": "A"}, {}, False),
        ({"category": "A"}, {"category": "B"}, False),
        ({"source": "Webinar"}, {"source": "webinar", "warmth": "cold"}, True),
        ({"is_instant_mql": True}, {"is_instant_mql": False}, False),
        ({"is_instant_mql": False}, {"is_instant_mql": False}, True),
        ({"countries": ["Germany", "Austria"]}, {"countries": ["germany"]}, True),
        ({"countries": ["Germany"]}, {"countries": ["Germany", "Austria"]}, False),
        ({"industries": ["Retail"]}, {}, False),
        ({"min_employees": 50}, {"min_employees": 100, "max_employees": 500}, True),
        ({"min_employees": 50, "max_employees": 500}, {"min_employees": 100}, False),
        ({"min_employees": 0}, {}, False),
    ],
)
def test_a_policy_behind_one_that_takes_everything_is_hidden(earlier, later, hidden):
    first, second = Policy(name="First", **earlier), Policy(name="Second", **later)

    assert find_hidden([first, second]) == ([(second, first)] if hidden else [])
