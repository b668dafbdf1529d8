"""SLA-1: policies in order, said in plain words, loaded from a preset."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import IntegrityError

from common.errors import NotAllowed
from sla.conditions import Conditions, HandoffFacts
from sla.models import Calendar, Policy, Target
from sla.policies import find_hidden
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, TargetPreset, load_sla_preset
from sla.wording import promise_in_words
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
        (Target(mode="same_day"), "By close of business of the day"),
        (
            Target(mode="business", minutes=60, after_hours_minutes=120),
            "Within 1 hour of working time; when it comes in after hours, 2 hours after opening",
        ),
    ],
)
def test_promises_in_words(target, words):
    assert promise_in_words(target) == words


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
