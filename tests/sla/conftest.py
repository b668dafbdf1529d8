"""A week of office hours in Berlin, and the policies most tests of clocks run by."""

from __future__ import annotations

import pytest

from sla.models import Calendar, Policy, Target
from tests.sla.factories import CalendarFactory, PolicyFactory, TargetFactory


@pytest.fixture
def office(db: None) -> Calendar:
    """Monday to Friday, 10:00 to 18:00 in Berlin; the default calendar."""
    return CalendarFactory(name="Berlin office", is_default=True)


@pytest.fixture
def policy(office: Calendar) -> Policy:
    """Opened within 15 minutes around the clock; first contact within 2 business hours."""
    policy = PolicyFactory(name="Standard")
    TargetFactory(policy=policy, kind=Target.Kind.OPENED, mode=Target.Mode.WALL, minutes=15)
    TargetFactory(policy=policy, kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.BUSINESS, minutes=120)
    return policy
