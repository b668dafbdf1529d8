"""SCORE-1: drafts, publishing, rolling back; what is published can no longer be changed by any road."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.models import User
from common.errors import NotAllowed
from scoring.lifecycle.revising import SignalRevised, revise_signal
from scoring.lifecycle.versions import ActiveVersionChanged, VersionNotDraft, VersionNotSound
from scoring.models import (
    CategoryTier,
    DecayStep,
    ModelVersion,
    Rule,
    Signal,
    SignalCondition,
    SignalHit,
)
from scoring.services import create_draft, publish_version, score_lead
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Status = ModelVersion.Status


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], ("form", "equals", ["demo"]), intent="high")


@pytest.fixture
def active(demo: Signal) -> ModelVersion:
    version = make_draft({"signal": demo, "points": 30})
    DecayStep.objects.create(version=version, after_days=30, per_mille=500)
    CategoryTier.objects.create(version=version, category="A", min_engagement=20, min_readiness=0)
    return publish_version(version, by=None, note="First", now=NOON)


def test_publishing_keeps_when_and_why(demo: Signal) -> None:
    draft = make_draft({"signal": demo, "points": 30})

    version = publish_version(draft, by=None, note="Spring campaign", now=NOON)

    version.refresh_from_db()
    assert (version.status, version.published_at, version.published_by, version.note) == (
        Status.ACTIVE,
        NOON,
        None,
        "Spring campaign",
    )


def test_publishing_retires_the_version_before(active: ModelVersion) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)

    publish_version(draft, by=None, note="", now=NOON + HOUR)

    active.refresh_from_db()
    assert (active.status, active.retired_at) == (Status.RETIRED, NOON + HOUR)
    assert ModelVersion.objects.active().get() == draft


def test_a_draft_copies_everything(active: ModelVersion, marketing: User) -> None:
    draft = create_draft(based_on=active, by=marketing, now=NOON)

    assert (draft.number, draft.name, draft.threshold, draft.based_on) == (2, active.name, 20, active)
    for parts in ("rules", "decay_steps", "category_tiers"):
        assert getattr(draft, parts).count() == getattr(active, parts).count() == 1


def test_rolling_back_is_publishing_a_copy(active: ModelVersion) -> None:
    changed = create_draft(based_on=active, by=None, now=NOON)
    changed.rules.update(points=F("points") + 5)
    publish_version(changed, by=None, note="", now=NOON)
    lead = LeadFactory()
    do(lead, "Demo Requested", form="demo")
    assert score_lead(lead, now=NOON).total == 35

    publish_version(create_draft(based_on=active, by=None, now=NOON), by=None, note="", now=NOON)

    assert score_lead(lead, now=NOON).total == 30


def test_a_published_version_cannot_be_published_again(active: ModelVersion) -> None:
    with pytest.raises(VersionNotDraft, match="published already"):
        publish_version(active, by=None, note="", now=NOON)


def test_publishing_over_a_version_one_did_not_see_is_refused(active: ModelVersion) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)
    other = create_draft(based_on=active, by=None, now=NOON)
    publish_version(other, by=None, note="", now=NOON, replacing=active)

    with pytest.raises(ActiveVersionChanged, match="Version 3"):
        publish_version(draft, by=None, note="", now=NOON, replacing=active)

    draft.refresh_from_db()
    assert draft.status == Status.DRAFT


def test_an_unsound_draft_is_refused_with_its_reasons(demo: Signal) -> None:
    draft = make_draft({"signal": demo, "points": 5}, threshold=50)

    with pytest.raises(VersionNotSound, match="Nobody can reach the threshold of 50"):
        publish_version(draft, by=None, note="", now=NOON)


def test_only_marketing_drafts(active: ModelVersion, bdr: User, manager: User) -> None:
    for person in (bdr, manager):
        with pytest.raises(NotAllowed):
            create_draft(based_on=active, by=person, now=NOON)


def test_nobody_publishes_past_approval(active: ModelVersion, bdr: User, marketing: User) -> None:
    """SCORE-10"""
    draft = create_draft(based_on=active, by=None, now=NOON)
    for person in (bdr, marketing):
        with pytest.raises(NotAllowed):
            publish_version(draft, by=person, note="", now=NOON)


# What the database refuses


def test_a_second_active_version_is_refused(active: ModelVersion) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)

    with pytest.raises(IntegrityError), transaction.atomic():
        ModelVersion.objects.filter(pk=draft.pk).update(status=Status.ACTIVE, published_at=NOON)


@pytest.mark.parametrize(
    "change", [{"threshold": 1}, {"status": "draft", "published_at": None}, {"note": "x"}]
)
def test_a_published_version_cannot_be_changed(active: ModelVersion, change: dict[str, object]) -> None:
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        ModelVersion.objects.filter(pk=active.pk).update(**change)


def test_a_retired_version_cannot_come_back(active: ModelVersion) -> None:
    publish_version(create_draft(based_on=active, by=None, now=NOON), by=None, note="", now=NOON)

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        ModelVersion.objects.filter(pk=active.pk).update(status=Status.ACTIVE, retired_at=None)


def test_a_published_version_cannot_be_deleted(active: ModelVersion) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        active.delete()


@pytest.mark.parametrize("model", [Rule, DecayStep, CategoryTier])
def test_parts_of_a_published_version_cannot_be_changed_or_deleted(
    active: ModelVersion, model: type[Rule] | type[DecayStep] | type[CategoryTier]
) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)
    with pytest.raises(IntegrityError, match="published"), transaction.atomic():
        model.objects.filter(version=active).delete()
    with pytest.raises(IntegrityError, match="published"), transaction.atomic():
        model.objects.filter(version=active).update(version=draft)
    with pytest.raises(IntegrityError, match="published"), transaction.atomic():
        model.objects.filter(version=draft).update(version=active)


def test_a_rule_cannot_be_added_to_a_published_version(active: ModelVersion, demo: Signal) -> None:
    with pytest.raises(IntegrityError, match="published"), transaction.atomic():
        Rule.objects.create(version=active, kind="behaviour", name="More", points=5, signal=demo)


def test_a_draft_can_be_changed_and_deleted(active: ModelVersion) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)
    draft.rules.update(points=31)

    draft.delete()

    assert list(ModelVersion.objects.all()) == [active]


def test_the_definition_of_a_counted_signal_cannot_be_changed(active: ModelVersion, demo: Signal) -> None:
    for change in (
        {"intent": "low"},
        {"name": "Other"},
        {"event_names": ["Other"]},
        {"is_engagement": False},
    ):
        with pytest.raises(IntegrityError, match="new revision"), transaction.atomic():
            Signal.objects.filter(pk=demo.pk).update(**change)
    with pytest.raises(IntegrityError, match="new revision"), transaction.atomic():
        SignalCondition.objects.filter(signal=demo).update(values=["other"])
    with pytest.raises(IntegrityError, match="new revision"), transaction.atomic():
        SignalCondition.objects.filter(signal=demo).delete()
    with pytest.raises(IntegrityError, match="new revision"), transaction.atomic():
        SignalCondition.objects.create(signal=demo, property_name="a", operator="equals", values=["b"])


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "behaviour", "points": -5},
        {"kind": "negative", "points": 5},
        {"kind": "instant_mql", "points": 5},
        {"kind": "fit", "points": 5},
        {"kind": "behaviour", "points": 1_001},
        {"kind": "behaviour", "points": 5, "min_count": 0},
        {"kind": "behaviour", "points": 5, "window_days": 0},
    ],
)
def test_a_senseless_rule_is_refused_by_the_database(demo: Signal, rule: dict[str, object]) -> None:
    draft = make_draft()

    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.create(version=draft, name="Odd", signal=demo, **rule)


# Signals


def revised(signal: Signal, *values: str) -> Signal:
    condition = SignalCondition(property_name="form", operator="one_of", values=list(values))
    return revise_signal(Signal.objects.get(pk=signal.pk), conditions=[condition], by=None, now=NOON)


def test_revising_a_signal_that_only_drafts_count_changes_it_in_place(demo: Signal) -> None:
    make_draft({"signal": demo, "points": 30})

    signal = revised(demo, "demo", "trial")

    assert (signal.pk, signal.revision) == (demo.pk, 1)
    assert [condition.values for condition in signal.conditions.all()] == [["demo", "trial"]]


def test_revising_a_counted_signal_makes_a_revision_for_drafts(active: ModelVersion, demo: Signal) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)

    signal = revised(demo, "demo", "trial")

    assert (signal.key, signal.revision, signal.retired_at) == (demo.key, 2, None)
    assert draft.rules.get().signal == signal
    assert active.rules.get().signal == demo
    assert [condition.values for condition in demo.conditions.all()] == [["demo"]]


def test_the_active_version_goes_on_with_the_old_revision_until_the_draft_is_published(
    active: ModelVersion, demo: Signal
) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)
    revised(demo, "trial")
    by_old, by_new = LeadFactory(), LeadFactory()
    do(by_old, "Demo Requested", form="demo")
    do(by_new, "Demo Requested", form="trial")

    assert [score_lead(lead, now=NOON).total for lead in (by_old, by_new)] == [30, 0]

    publish_version(draft, by=None, note="", now=NOON)
    assert [score_lead(lead, now=NOON).total for lead in (by_old, by_new)] == [0, 30]


def test_rolling_back_to_an_old_revision_finds_what_it_missed(active: ModelVersion, demo: Signal) -> None:
    draft = create_draft(based_on=active, by=None, now=NOON)
    revised(demo, "trial")
    publish_version(draft, by=None, note="", now=NOON)
    lead = LeadFactory()
    do(lead, "Demo Requested", form="demo")
    assert score_lead(lead, now=NOON).total == 0

    publish_version(create_draft(based_on=active, by=None, now=NOON), by=None, note="", now=NOON)

    assert score_lead(lead, now=NOON).total == 30


def test_revising_a_draft_signal_forgets_what_matched_before(demo: Signal) -> None:
    lead = LeadFactory()
    do(lead, "Demo Requested", form="demo")
    score_lead(lead, now=NOON)
    assert SignalHit.objects.filter(signal=demo).exists()

    revised(demo, "trial")

    assert not SignalHit.objects.filter(signal=demo).exists()


def test_an_edit_of_a_definition_that_was_revised_meanwhile_is_refused(
    active: ModelVersion, demo: Signal
) -> None:
    first, second = (Signal.objects.get(pk=demo.pk) for _ in range(2))
    revise_signal(first, conditions=[], by=None, now=NOON)

    with pytest.raises(SignalRevised, match="edited meanwhile"):
        revise_signal(second, conditions=[], by=None, now=NOON)

    assert Signal.objects.filter(key=demo.key).count() == 2


def test_only_marketing_revises_signals(demo: Signal, manager: User) -> None:
    with pytest.raises(NotAllowed):
        revise_signal(demo, conditions=[], by=manager, now=NOON)


def test_a_test_model_is_published_in_one_call(demo: Signal) -> None:
    assert publish({"signal": demo, "points": 30}).status == Status.ACTIVE
