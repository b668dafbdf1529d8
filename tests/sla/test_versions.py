"""SLA-4: what a policy says is kept version by version, and handoffs are pinned to theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from sla.conditions import HandoffFacts
from sla.models import Clock, EscalationStep, PinnedPolicy, Policy, PolicyVersion, Target
from sla.services import start_clocks
from sla.versions import keep_version, read_terms, terms_of
from tests.factories import LeadFactory
from tests.sla.factories import PolicyFactory, TargetFactory

HOUR = timedelta(hours=1)
FACTS = HandoffFacts(handoff_id=7, category="B", warmth="cold", source="Webinar", is_instant_mql=False)


@pytest.fixture
def full_policy(policy: Policy) -> Policy:
    """A policy that says something of everything that can be said."""
    Policy.objects.filter(pk=policy.pk).update(countries=["Germany", "Austria"], min_employees=50)
    TargetFactory(
        policy=policy, kind=Target.Kind.CADENCE, mode=Target.Mode.BUSINESS, minutes=2400, attempts=3
    )
    EscalationStep.objects.create(
        policy=policy, action="rest", after_minutes=120, lapses=3, kinds=[Target.Kind.DECISION]
    )
    EscalationStep.objects.create(policy=policy, action="remind", waits_for_receiver=False)
    EscalationStep.objects.create(policy=policy, action="notify_manager", after_minutes=30)
    policy.refresh_from_db()
    return policy


def test_a_version_says_what_the_rows_said(full_policy, manager, now):
    version = keep_version(full_policy, by=manager, now=now)

    stored = PolicyVersion.objects.get(pk=version.pk)
    assert read_terms(stored) == terms_of(full_policy)
    assert (stored.number, stored.by, stored.at, full_policy.version) == (1, manager, now, 1)
    assert [target["kind"] for target in stored.terms["targets"]] == ["opened", "first_contact", "cadence"]


def test_the_ladder_of_a_target_is_in_order_of_time(full_policy, now):
    """SLA-5; without kinds a step is for all but the transfer to Salesforce."""
    terms = read_terms(keep_version(full_policy, by=None, now=now))

    assert [step.action for step in terms.steps_for("opened")] == ["remind", "notify_manager"]
    assert [step.action for step in terms.steps_for("decision")] == ["remind", "notify_manager", "rest"]
    assert terms.steps_for("crm_transfer") == ()


def test_only_what_differs_is_a_new_version(full_policy, manager, now):
    first = keep_version(full_policy, by=None, now=now)
    Policy.objects.update(name="By another name", position=9)

    assert keep_version(full_policy, by=manager, now=now + HOUR) == first

    full_policy.targets.filter(kind="opened").update(minutes=5)
    second = keep_version(full_policy, by=manager, now=now + HOUR)
    assert (second.number, second.by) == (2, manager)
    assert read_terms(first).target_for("opened").minutes == 15
    assert read_terms(second).target_for("opened").minutes == 5


@pytest.mark.parametrize(
    "change", ["UPDATE sla_policyversion SET number = 3", "DELETE FROM sla_policyversion"]
)
def test_the_database_refuses_to_rewrite_a_version(policy, now, change):
    keep_version(policy, by=None, now=now)

    with pytest.raises(IntegrityError, match="is history"), transaction.atomic():
        connection.cursor().execute(change)


def test_a_handoff_is_pinned_to_the_version_in_force(policy, bdr, now):
    policy.targets.filter(kind="opened").update(max_pause_minutes=90)
    kept = keep_version(policy, by=None, now=now)
    policy.targets.all().delete()  # saved nowhere, so not in force

    start_clocks(LeadFactory(), FACTS, owner=bdr, team=bdr.team, now=now)

    assert PinnedPolicy.objects.get(handoff_id=7).version == kept
    opened = Clock.objects.get(kind="opened")
    assert (opened.policy_version, opened.max_pause_minutes) == (kept, 90)
    assert (opened.category, opened.source) == ("B", "Webinar")


def test_a_policy_made_elsewhere_gets_its_version_when_it_is_first_used(policy, bdr, now):
    clocks = start_clocks(LeadFactory(), FACTS, owner=bdr, team=bdr.team, now=now)

    version = policy.versions.get()
    assert (version.number, version.by) == (1, None)
    assert {clock.policy_version_id for clock in clocks} == {version.pk}


def test_what_follows_later_is_not_measured_from_the_beginning(policy, bdr, now):
    TargetFactory(policy=policy, kind=Target.Kind.CADENCE, attempts=3)
    TargetFactory(policy=policy, kind=Target.Kind.QUALITY_CHECK)
    TargetFactory(policy=policy, kind=Target.Kind.RETURN)

    clocks = start_clocks(LeadFactory(), FACTS, owner=bdr, team=bdr.team, now=now)

    assert [clock.kind for clock in clocks] == ["opened", "first_contact"]


def test_starting_costs_the_same_however_many_policies_there_are(policy, bdr, now, django_assert_num_queries):
    for position in range(5):
        keep_version(PolicyFactory(category="A", position=position), by=None, now=now)
    Policy.objects.filter(pk=policy.pk).update(position=9)
    start_clocks(LeadFactory(), FACTS, owner=bdr, team=bdr.team, now=now)
    lead = LeadFactory()

    with django_assert_num_queries(4):  # the policies, the owner's hours, the clocks with the pin, the log
        start_clocks(lead, replace(FACTS, handoff_id=8), owner=bdr, team=bdr.team, now=now)
