"""Minimal valid objects. Never random where an assertion looks."""

from __future__ import annotations

from datetime import UTC, datetime

import factory

from accounts.models import Team, User
from handoffs.models import Handoff, Pool, PoolMembership
from leads.models import Activity, Company, Lead

# A plain working day, noon in UTC: the moment most tests happen at.
NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    first_name = "Uma"
    last_name = factory.Sequence(lambda n: f"Number{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@portal.example")
    role = User.Role.BDR
    team = factory.SubFactory(TeamFactory)
    password = factory.django.Password("correct horse")


class CompanyFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"Company {n}")
    domain = factory.Sequence(lambda n: f"company{n}.example")
    employee_count = 250
    industry = "Software"
    country = "Germany"
    created_at = NOON


class LeadFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Lead

    email = factory.Sequence(lambda n: f"lead{n}@company.example")
    first_name = "Lea"
    last_name = factory.Sequence(lambda n: f"Lead{n}")
    title = "VP Sales"
    country = "Germany"
    company = factory.SubFactory(CompanyFactory)
    source = "webinar"
    created_at = NOON


class ActivityFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Activity

    lead = factory.SubFactory(LeadFactory)
    event = "Page Viewed"
    properties = factory.LazyFunction(lambda: {"path": "/pricing"})
    occurred_at = NOON
    received_at = factory.SelfAttribute("occurred_at")
    message_id = factory.Sequence(lambda n: f"message-{n}")
    source = "test"


class PoolFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Pool

    name = factory.Sequence(lambda n: f"Pool {n}")


class PoolMembershipFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PoolMembership

    pool = factory.SubFactory(PoolFactory)
    user = factory.SubFactory(UserFactory)


class HandoffFactory(factory.django.DjangoModelFactory):
    """A handoff as a bare row. Tests of verbs use hand_off() instead."""

    class Meta:
        model = Handoff

    lead = factory.SubFactory(LeadFactory)
    pool = factory.SubFactory(PoolFactory)
    owner = factory.SubFactory(UserFactory)
    trigger = Handoff.Trigger.THRESHOLD
    score = 65
    category = "B"
    warmth = "accumulated"
    created_at = NOON
    offered_at = factory.SelfAttribute("created_at")
