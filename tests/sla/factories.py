"""Calendars, policies and clocks as minimal valid rows."""

from __future__ import annotations

from datetime import time, timedelta

import factory

from sla.models import (
    Calendar,
    CalendarInterval,
    Clock,
    EscalationStep,
    Policy,
    PolicyVersion,
    Target,
)
from sla.versions import keep_version
from tests.factories import NOON, LeadFactory, UserFactory


class CalendarFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Calendar
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Office {n}")
    time_zone = "Europe/Berlin"

    @factory.post_generation
    def weekdays(self, create, extracted, **kwargs):
        for day in extracted if extracted is not None else range(5):
            CalendarInterval.objects.create(calendar=self, weekday=day, opens_at=time(10), closes_at=time(18))


class PolicyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Policy

    name = factory.Sequence(lambda n: f"Policy {n}")
    position = factory.Sequence(lambda n: n)


class TargetFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Target

    policy = factory.SubFactory(PolicyFactory)
    kind = Target.Kind.FIRST_CONTACT
    mode = Target.Mode.BUSINESS
    minutes = 60
    warn_percent = factory.LazyFunction(lambda: [50, 80])


class ClockFactory(factory.django.DjangoModelFactory):
    """A running clock as a bare row, an hour long around the clock. Tests of verbs use start_clocks()."""

    class Meta:
        model = Clock

    lead = factory.SubFactory(LeadFactory)
    handoff_id = factory.Sequence(lambda n: 1000 + n)
    kind = Target.Kind.FIRST_CONTACT
    owner = factory.SubFactory(UserFactory)
    team = factory.SelfAttribute("owner.team")
    policy_name = "Standard"
    mode = Target.Mode.WALL
    minutes = 60
    started_at = NOON
    due_at = factory.LazyAttribute(lambda clock: clock.started_at + timedelta(minutes=clock.minutes))
    warnings_at = factory.LazyAttribute(lambda clock: [clock.started_at + timedelta(minutes=30)])
    risk_at = factory.LazyAttribute(lambda clock: clock.warnings_at[0] if clock.warnings_at else None)
    warn_at = factory.SelfAttribute("risk_at")


# --- Ladders ------------------------------------------------------------------------------------


def ladder(*steps: str, name: str = "Strict") -> PolicyVersion:
    """A version of a policy whose only terms are these steps: "remind@0", "rest@30:3" after three lapses.

    A "!" at the end is a step that waits for nobody's working hours.
    """
    policy = Policy.objects.filter(name=name).first() or PolicyFactory(name=name)
    for words in steps:
        action, _, when = words.removesuffix("!").partition("@")
        minutes, _, lapses = when.partition(":")
        EscalationStep.objects.create(
            policy=policy,
            action=action,
            after_minutes=int(minutes),
            lapses=int(lapses) if lapses else None,
            waits_for_receiver=not words.endswith("!"),
        )
    return keep_version(policy, by=None, now=NOON)
