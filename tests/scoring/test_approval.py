"""SCORE-10: proposed by one person, approved by another, now or at a stated time; rolled back in a click."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from common.errors import InvalidInput, NotAllowed
from notifications.models import Notification
from scoring.lifecycle.approval import (
    NotWaitingForApproval,
    OwnProposal,
    activate_due_versions,
    approve_version,
    propose_version,
    return_proposal,
)
from scoring.lifecycle.pilot import PilotPlan
from scoring.lifecycle.versions import (
    ActiveVersionChanged,
    NeverActive,
    VersionNotDraft,
    VersionNotSound,
    roll_back,
)
from scoring.models import ModelVersion, Pilot, Rule, ScoringPolicy, Signal, VersionEvent
from scoring.services import create_draft, publish_version
from tests.factories import NOON, UserFactory
from tests.scoring.builders import make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
Status = ModelVersion.Status


@pytest.fixture
def demo(db: None) -> Signal:
    return make_signal("Demo", ["Demo Requested"], intent="high")


@pytest.fixture
def active(demo: Signal) -> ModelVersion:
    return publish({"signal": demo, "points": 30})


@pytest.fixture
def draft(active: ModelVersion, marketing: User) -> ModelVersion:
    draft = create_draft(based_on=active, by=marketing, now=NOON)
    draft.rules.update(points=35)
    return draft


@pytest.fixture
def second(db: None) -> User:
    return UserFactory(
        username="lee", first_name="Lee", last_name="Sato", role=User.Role.MARKETING, team=None
    )


def kinds(version: ModelVersion) -> list[str]:
    return list(version.events.order_by("pk").values_list("kind", flat=True))


def proposed(draft: ModelVersion, by: User, **fields: object) -> ModelVersion:
    return propose_version(draft, by=by, note="Demos win", now=NOON + HOUR, **fields)  # type: ignore[arg-type]


# The way through


def test_a_second_person_lets_a_proposal_take_effect(
    draft: ModelVersion, active: ModelVersion, marketing: User, second: User
) -> None:
    version = proposed(draft, marketing)
    assert (version.status, ModelVersion.objects.active().get()) == (Status.PROPOSED, active)

    version = approve_version(version, by=second, comment="Good", now=NOON + 2 * HOUR)

    version.refresh_from_db()
    assert (version.status, version.published_at) == (Status.ACTIVE, NOON + 2 * HOUR)
    assert (version.proposed_by, version.approved_by, version.note) == (marketing, second, "Demos win")
    assert kinds(version) == ["created", "proposed", "approved", "published", "rescored"]
    active.refresh_from_db()
    assert (active.status, kinds(active)[-1]) == (Status.RETIRED, "retired")


def test_authors_cannot_approve_their_own(draft: ModelVersion, marketing: User) -> None:
    version = proposed(draft, marketing)

    with pytest.raises(OwnProposal, match="another person of marketing"):
        approve_version(version, by=marketing, now=NOON + 2 * HOUR)

    version.refresh_from_db()
    assert version.status == Status.PROPOSED


def test_others_of_marketing_are_asked_and_the_author_hears_the_answer(
    draft: ModelVersion, marketing: User, second: User, manager: User
) -> None:
    version = proposed(draft, marketing)
    asked = Notification.objects.get(kind=Notification.Kind.SCORING)
    assert (asked.recipient, asked.url) == (second, f"/scoring/{version.number}/")

    return_proposal(version, by=second, comment="Why 35?", now=NOON + 2 * HOUR)

    answered = Notification.objects.filter(kind=Notification.Kind.SCORING).latest("pk")
    assert (answered.recipient, "Why 35?" in answered.body) == (marketing, True)


def test_a_returned_proposal_can_be_edited_and_proposed_again(
    draft: ModelVersion, marketing: User, second: User
) -> None:
    version = proposed(draft, marketing)
    version = return_proposal(version, by=second, comment="Lower", now=NOON + 2 * HOUR)
    assert (version.status, version.proposed_by, version.proposed_at) == (Status.DRAFT, None, None)

    version.rules.update(points=32)
    version = proposed(version, marketing)

    assert version.status == Status.PROPOSED
    assert kinds(version) == ["created", "proposed", "returned", "proposed"]


@pytest.mark.parametrize("status", [Status.PROPOSED, Status.SCHEDULED, Status.ACTIVE, Status.RETIRED])
def test_only_drafts_can_be_edited(
    draft: ModelVersion, demo: Signal, marketing: User, second: User, status: str
) -> None:
    later = NOON + 5 * HOUR if status == Status.SCHEDULED else None
    version = proposed(draft, marketing, takes_effect_at=later)
    if status != Status.PROPOSED:
        version = approve_version(version, by=second, now=NOON + 2 * HOUR)
    if status == Status.RETIRED:
        publish({"signal": demo, "points": 31}, now=NOON + 3 * HOUR)
    version.refresh_from_db()
    assert version.status == status

    for change in (
        lambda: version.rules.update(points=1),
        lambda: version.rules.all().delete(),
        lambda: Rule.objects.create(version=version, kind="behaviour", name="More", points=5, signal=demo),
        lambda: ModelVersion.objects.filter(pk=version.pk).update(threshold=1),
        lambda: version.delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_history_can_neither_be_changed_nor_deleted(draft: ModelVersion, marketing: User) -> None:
    version = proposed(draft, marketing)

    with pytest.raises(IntegrityError, match="history"), transaction.atomic():
        VersionEvent.objects.filter(version=version).update(note="Never")
    with pytest.raises(IntegrityError, match="history"), transaction.atomic():
        VersionEvent.objects.filter(version=version).delete()


def test_a_draft_thrown_away_takes_its_history_along(draft: ModelVersion) -> None:
    draft.delete()

    assert not VersionEvent.objects.filter(kind="created", version__number=2).exists()


# Refusals


def test_a_proposal_compared_with_another_version_is_not_carried_out(
    draft: ModelVersion, active: ModelVersion, marketing: User, second: User
) -> None:
    version = proposed(draft, marketing, replacing=active)
    other = create_draft(based_on=active, by=None, now=NOON)
    publish_version(other, by=None, note="", now=NOON + HOUR)

    with pytest.raises(ActiveVersionChanged, match="Version 3"):
        approve_version(version, by=second, now=NOON + 2 * HOUR)

    version.refresh_from_db()
    assert (version.status, version.approved_at) == (Status.PROPOSED, None)


def test_the_leads_of_a_pilot_cannot_be_changed_once_it_is_proposed(
    draft: ModelVersion, marketing: User
) -> None:
    version = proposed(draft, marketing, pilot=PilotPlan(1))

    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Pilot.objects.filter(version=version).update(percent=100)

    assert Pilot.objects.get(version=version).percent == 1


def test_authors_are_no_second_person_when_none_is_asked_for_any_more(
    draft: ModelVersion, marketing: User
) -> None:
    version = proposed(draft, marketing)
    ScoringPolicy.objects.update_or_create(defaults={"needs_second_person": False})

    version = approve_version(version, by=marketing, now=NOON + 2 * HOUR)

    assert (version.status, version.approved_by) == (Status.ACTIVE, None)
    assert "approval_skipped" in kinds(version)
    assert "approved" not in kinds(version)


def test_only_marketing_proposes_approves_and_returns(
    draft: ModelVersion, marketing: User, manager: User, bdr: User
) -> None:
    for person in (manager, bdr):
        with pytest.raises(NotAllowed):
            proposed(draft, person)
    version = proposed(draft, marketing)
    for person in (manager, bdr):
        with pytest.raises(NotAllowed):
            approve_version(version, by=person, now=NOON)
        with pytest.raises(NotAllowed):
            return_proposal(version, by=person, comment="No", now=NOON)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"note": " "}, "note"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"takes_effect_at": NOON}, "takes_effect_at"),
        ({"takes_effect_at": NOON + timedelta(days=400)}, "takes_effect_at"),
    ],
    ids=["no note", "long note", "NUL", "past", "far"],
)
def test_a_senseless_proposal_is_refused_by_name(
    draft: ModelVersion, marketing: User, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        propose_version(draft, by=marketing, now=NOON, **({"note": "Why not"} | fields))  # type: ignore[arg-type]

    assert refusal.value.field == field
    draft.refresh_from_db()
    assert draft.status == Status.DRAFT


def test_an_unsound_draft_is_not_proposed(demo: Signal, marketing: User) -> None:
    draft = make_draft({"signal": demo, "points": 5}, threshold=50)

    with pytest.raises(VersionNotSound, match="Nobody can reach"):
        proposed(draft, marketing)


def test_what_is_proposed_already_is_not_proposed_again(
    draft: ModelVersion, marketing: User, second: User
) -> None:
    proposed(draft, marketing)

    with pytest.raises(VersionNotDraft, match="proposed by Jo Marks already"):
        proposed(draft, second)


def test_what_was_returned_cannot_be_approved(draft: ModelVersion, marketing: User, second: User) -> None:
    version = proposed(draft, marketing)
    return_proposal(version, by=marketing, comment="On second thoughts", now=NOON + HOUR)

    with pytest.raises(NotWaitingForApproval, match="returned to draft by Jo Marks"):
        approve_version(version, by=second, now=NOON + HOUR)


# One-person teams


def test_a_team_of_one_publishes_alone_and_the_history_says_so(draft: ModelVersion, marketing: User) -> None:
    ScoringPolicy.objects.create(needs_second_person=False)

    version = proposed(draft, marketing)

    assert (version.status, version.approved_by, version.approved_at) == (Status.ACTIVE, None, NOON + HOUR)
    assert "approval_skipped" in kinds(version)


# A stated time


def test_an_approved_version_takes_effect_at_its_time_and_not_before(
    draft: ModelVersion, active: ModelVersion, marketing: User, second: User
) -> None:
    at = NOON + 10 * HOUR
    version = approve_version(proposed(draft, marketing, takes_effect_at=at), by=second, now=NOON + 2 * HOUR)
    assert version.status == Status.SCHEDULED

    assert activate_due_versions(now=at - timedelta(seconds=1)) == 0
    assert ModelVersion.objects.active().get() == active
    assert activate_due_versions(now=at) == 1
    assert activate_due_versions(now=at) == 0

    version.refresh_from_db()
    assert (version.status, version.published_at, version.published_by) == (Status.ACTIVE, at, second)
    assert kinds(version) == ["created", "proposed", "approved", "scheduled", "published", "rescored"]


def test_a_time_that_passed_before_the_approval_is_now(
    draft: ModelVersion, marketing: User, second: User
) -> None:
    version = proposed(draft, marketing, takes_effect_at=NOON + 2 * HOUR)

    assert approve_version(version, by=second, now=NOON + 3 * HOUR).status == Status.ACTIVE


def test_a_scheduled_version_goes_back_when_another_one_became_active(
    draft: ModelVersion, active: ModelVersion, marketing: User, second: User
) -> None:
    at = NOON + 10 * HOUR
    version = approve_version(proposed(draft, marketing, takes_effect_at=at), by=second, now=NOON + 2 * HOUR)
    other = publish_version(create_draft(based_on=active, by=None, now=NOON), by=None, note="", now=NOON)

    assert activate_due_versions(now=at) == 0

    version.refresh_from_db()
    assert (version.status, ModelVersion.objects.active().get()) == (Status.DRAFT, other)
    event = version.events.first()
    assert (event.kind, event.by, "changed meanwhile" in event.note) == ("returned", None, True)
    assert Notification.objects.filter(recipient=marketing, title__contains="returned").exists()


# Rolling back


def test_rolling_back_is_one_step_and_can_be_undone(
    draft: ModelVersion, active: ModelVersion, marketing: User
) -> None:
    publish_version(draft, by=None, note="", now=NOON + HOUR)

    copy = roll_back(active, by=marketing, replacing=draft, now=NOON + 2 * HOUR)

    assert (copy.status, copy.based_on, copy.rules.get().points) == (Status.ACTIVE, active, 30)
    assert copy.note == "Rolled back to version 1"
    assert "rolled_back" in kinds(copy)
    again = roll_back(draft, by=marketing, replacing=copy, now=NOON + 3 * HOUR)
    assert again.rules.get().points == 35


def test_there_is_no_rolling_back_to_what_was_never_active(draft: ModelVersion, marketing: User) -> None:
    with pytest.raises(NeverActive):
        roll_back(draft, by=marketing, now=NOON)


def test_rolling_back_over_a_version_one_did_not_see_is_refused(
    draft: ModelVersion, active: ModelVersion, marketing: User
) -> None:
    publish_version(draft, by=None, note="", now=NOON + HOUR)

    with pytest.raises(ActiveVersionChanged):
        roll_back(active, by=marketing, replacing=active, now=NOON + 2 * HOUR)
