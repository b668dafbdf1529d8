"""The handoff side of the presets: pools, rules, playbooks, the gate, the package standard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from handoffs.acknowledgement.words import unknown_placeholders
from handoffs.models import (
    AcknowledgementPolicy,
    Cadence,
    CadenceStep,
    PackageStandard,
    Playbook,
    Pool,
    PoolMembership,
    QualificationGate,
    RoutingRule,
)
from handoffs.presets import PRESETS, load_handoff_preset
from tests.factories import UserFactory

CLASSIC = PRESETS["classic"]


def test_five_bdrs_get_fifty_new_leads_a_week_each(db: None) -> None:
    """HAND-3: the preset is 5 BDRs × 50."""
    for _ in range(5):
        UserFactory()

    load_handoff_preset(CLASSIC, by=None)

    assert list(PoolMembership.objects.values_list("weekly_capacity", flat=True)) == [50] * 5
    assert RoutingRule.objects.get().pool == Pool.objects.get(name="Inbound")
    assert QualificationGate.objects.get().requires == ["budget", "authority", "need", "timeline"]


def test_loading_twice_changes_nothing_the_second_time(bdr: User) -> None:
    plan = load_handoff_preset(CLASSIC, by=None)

    assert "Add Mara Lind to the pool “Inbound”: 50 new leads a week, 100 open at once." in plan
    assert load_handoff_preset(CLASSIC, by=None) == []


def test_a_dry_run_says_the_same_and_writes_nothing(bdr: User) -> None:
    plan = load_handoff_preset(CLASSIC, by=None, dry_run=True)

    assert not Pool.objects.exists()
    assert not QualificationGate.objects.exists()
    assert plan == load_handoff_preset(CLASSIC, by=None)


def test_what_was_added_beside_the_preset_stays(bdr: User) -> None:
    load_handoff_preset(CLASSIC, by=None)
    Playbook.objects.filter(name="Shows interest").update(timing="At leisure")
    Playbook.objects.create(name="Ours", channel="call", timing="Now", opening_line="Hello", next_step="Meet")

    assert load_handoff_preset(CLASSIC, by=None) == ["Change the playbook “Shows interest”."]
    assert Playbook.objects.get(name="Ours").is_active


def test_a_bdr_of_another_pool_is_left_there(bdr: User) -> None:
    PoolMembership.objects.create(pool=Pool.objects.create(name="DACH"), user=bdr)

    load_handoff_preset(CLASSIC, by=None)

    assert bdr.memberships.get().pool.name == "DACH"


def test_another_protocol_s_cadences_are_switched_off_and_back_on(db: None) -> None:
    load_handoff_preset(PRESETS["hybrid"], by=None)

    plan = load_handoff_preset(PRESETS["speed"], by=None)

    assert "Switch off the cadence “Category A”." in plan
    assert "Change the cadence “Any lead”: 6 attempts, the last within 46 hours." in plan
    assert list(Cadence.objects.filter(is_active=True).values_list("name", flat=True)) == ["Any lead"]
    load_handoff_preset(PRESETS["hybrid"], by=None)
    assert Cadence.objects.filter(is_active=True).count() == 3


def test_steps_that_somebody_changed_become_those_of_the_preset_again(db: None) -> None:
    load_handoff_preset(CLASSIC, by=None)
    CadenceStep.objects.filter(number=2).update(minutes=5)

    plan = load_handoff_preset(CLASSIC, by=None)

    assert plan == ["Change the cadence “Any lead”: 3 attempts, the last within 40 working hours."]
    assert load_handoff_preset(CLASSIC, by=None) == []


def test_a_preset_without_routing_brings_no_pool(bdr: User) -> None:
    load_handoff_preset(PRESETS["bant"], by=None)

    assert not Pool.objects.exists()
    assert not RoutingRule.objects.exists()
    assert PackageStandard.objects.get().task_below == 60


@pytest.mark.parametrize("wrong", [{"gate": ("charm",)}, {"package": ("shoe_size",)}])
def test_a_preset_that_asks_for_what_nobody_knows_is_refused(
    db: None, wrong: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        load_handoff_preset(replace(CLASSIC, **wrong), by=None)

    assert refused.value.field == next(iter(wrong))


def test_only_a_manager_changes_how_leads_are_handed_off(marketing: User, manager: User) -> None:
    with pytest.raises(NotAllowed):
        load_handoff_preset(CLASSIC, by=marketing)

    assert load_handoff_preset(CLASSIC, by=manager)


def test_hybrid_answers_after_hours_within_fifteen_minutes_and_keeps_ones_own_words(db: None) -> None:
    """SLA-3: an automated acknowledgement within 15 minutes."""
    load_handoff_preset(CLASSIC, by=None)
    assert not AcknowledgementPolicy.objects.exists()

    plan = load_handoff_preset(PRESETS["hybrid"], by=None)

    policy = AcknowledgementPolicy.objects.get()
    assert "Answer leads that arrive after hours within 15 minutes." in plan
    assert (policy.is_active, policy.within_minutes) == (True, 15)
    assert unknown_placeholders(policy.subject + policy.body) == []

    AcknowledgementPolicy.objects.update(body="Ours", is_active=False)
    load_handoff_preset(PRESETS["hybrid"], by=None)

    assert AcknowledgementPolicy.objects.values_list("body", "is_active").get() == ("Ours", True)
