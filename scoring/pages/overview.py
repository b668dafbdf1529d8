"""What the overview and a version's page show of the life of versions."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from accounts.models import User
from accounts.roles import may_open_admin
from scoring.backtesting.page import summarise_backtest
from scoring.lifecycle.approval import needs_second_person, waits_for_approval
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.lifecycle.pilot import describe_pilot
from scoring.lifecycle.rescoring import progress_of_rescoring
from scoring.models import ModelVersion, Pilot, ReleaseItem
from scoring.models.versions import ModelVersionQuerySet
from scoring.pages.versions import describe_version
from scoring.verification import latest_check

Status = ModelVersion.Status


def overview_context(user: User) -> dict[str, Any]:
    """Everything on /scoring/; its cost does not grow with the number of versions."""
    versions = list(with_people(ModelVersion.objects.all()))
    active = ModelVersion.objects.active().with_rules().first()
    before = max(
        (one for one in versions if one.retired_at and one.published_at),
        key=attrgetter("retired_at"),
        default=None,
    )
    return {
        "active": active,
        "text": describe_version(active) if active else None,
        "versions": versions,
        "waiting": [decision_on(one, user) for one in versions if waits_for_approval(one)],
        "scheduled": [one for one in versions if one.status == Status.SCHEDULED],
        "pilot": next((one for one in versions if one.status == Status.PILOT), None),
        "before": before,
        "back": describe_change(active, before) if active and before else None,
        "release_count": ReleaseItem.objects.waiting().count(),
        "progress": progress_of_rescoring(),
        "latest_check": latest_check(),
        "may_edit": may_edit_scoring(user),
        "may_open_admin": may_open_admin(user),
    }


def version_context(version: ModelVersion, user: User) -> dict[str, Any]:
    active = ModelVersion.objects.active().with_rules().first()
    pilot = Pilot.objects.filter(version=version).first()
    return {
        "version": version,
        "active": active,
        "text": describe_version(version, against=active),
        "events": version.events.select_related("by"),
        "waiting": [decision_on(version, user)] if waits_for_approval(version) else [],
        "pilot_text": describe_pilot(pilot) if pilot else "",
        "can_roll_back": version.status == Status.RETIRED and version.published_at is not None,
        "backtest": summarise_backtest(version),
        "may_edit": may_edit_scoring(user),
    }


def decision_on(version: ModelVersion, user: User) -> dict[str, Any]:
    """The box for the second person, and why it may be closed to this one."""
    may_edit = may_edit_scoring(user)
    is_own = version.proposed_by == user and needs_second_person()
    return {"version": version, "may_decide": may_edit and not is_own, "is_own": is_own}


def describe_change(active: ModelVersion, before: ModelVersion) -> list[Any]:
    """What a roll-back would change, in sentences."""
    target = ModelVersion.objects.with_rules().get(pk=before.pk)
    return describe_version(target, against=active).changes


def with_people(versions: ModelVersionQuerySet) -> ModelVersionQuerySet:
    return versions.select_related(
        "created_by", "published_by", "proposed_by", "approved_by", "based_on", "pilot"
    )
