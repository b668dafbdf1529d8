"""The life of a scoring version: draft, in force, retired (SCORE-1).

People go through `scoring.lifecycle.approval`; here is what approval, pilots and the stated time end in.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from scoring.language.problems import faults
from scoring.language.rules import RuleRefused
from scoring.lifecycle.history import record
from scoring.lifecycle.permissions import may_edit_scoring, require_marketing
from scoring.lifecycle.rescoring import start_rescoring
from scoring.loading import load_model
from scoring.matching import backfill_signals
from scoring.models import (
    CategoryTier,
    DecayStep,
    ModelVersion,
    Pilot,
    Rule,
    RuleGroup,
    Signal,
    VersionEvent,
)

__all__ = [
    "ActiveVersionChanged",
    "VersionNotDraft",
    "VersionNotSound",
    "create_draft",
    "may_edit_scoring",
    "publish_version",
    "put_in_force",
    "require_marketing",
    "roll_back",
    "take_versions_lock",
]

Status = ModelVersion.Status
Kind = VersionEvent.Kind

# What a version says besides its parts.
CONTENT_FIELDS = (
    *("formula", "engagement_percent", "threshold", "icp_from"),
    *("signal_days", "decay_floor"),
)

# One change of versions at a time; any number that no other advisory lock of the portal uses.
_VERSIONS_LOCK = 7_301_002


class VersionNotDraft(DomainError):
    """Somebody was quicker: the version is no draft any more."""

    def __init__(self, version: ModelVersion) -> None:
        what = {Status.PROPOSED: "proposed", Status.SCHEDULED: "approved"}.get(Status(version.status))
        who = version.proposed_by if what else version.published_by
        by = f" by {who}" if who else ""
        super().__init__(f"{version} was {what or 'published'}{by} already. Edit a new draft instead.")


class ActiveVersionChanged(DomainError):
    """The version to be replaced is no longer the active one."""

    def __init__(self, active: ModelVersion | None) -> None:
        now = f"{active} is active now" if active else "no version is active now"
        super().__init__(f"The active version changed meanwhile: {now}. Look at the difference again.")


class VersionNotSound(InvalidInput):
    """The draft cannot be published as it is; the message holds the reasons."""


class NeverActive(DomainError):
    """Only what was in force before is known to work."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(
            f"{version} was never active: there is nothing to roll back to. Propose a copy of it."
        )


def take_versions_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSIONS_LOCK])


# Drafts


@transaction.atomic
def create_draft(
    *, based_on: ModelVersion | None, by: User | None, now: datetime, name: str = ""
) -> ModelVersion:
    """A new draft with everything that `based_on` says; empty without one."""
    require_marketing(by)
    take_versions_lock()
    highest = ModelVersion.objects.aggregate(Max("number"))["number__max"] or 0
    draft = ModelVersion(number=highest + 1, name=name or "New model", created_at=now, created_by=by)
    if based_on is not None:
        draft.name = name or based_on.name
        for field in CONTENT_FIELDS:
            setattr(draft, field, getattr(based_on, field))
        # A draft may be deleted, so it never stands behind another version.
        draft.based_on = based_on if based_on.status != Status.DRAFT else based_on.based_on
    draft.save()
    if based_on is not None:
        _copy_all_parts(based_on, draft)
    record(draft, Kind.CREATED, at=now, by=by)
    return draft


def _copy_all_parts(source: ModelVersion, draft: ModelVersion) -> None:
    groups = _copy_parts(RuleGroup, source, draft)
    _copy_parts(DecayStep, source, draft)
    _copy_parts(CategoryTier, source, draft)
    _copy_parts(Rule, source, draft, groups=groups)


def _copy_parts(
    model: type[Rule] | type[RuleGroup] | type[DecayStep] | type[CategoryTier],
    source: ModelVersion,
    draft: ModelVersion,
    groups: dict[int, int] | None = None,
) -> dict[int, int]:
    """Copy the parts and return the new id of each; `groups` says which copy a rule's group became."""
    parts: list[Any] = list(model._default_manager.filter(version=source).order_by("pk"))
    old_ids = [part.pk for part in parts]
    for part in parts:
        part.pk, part.version = None, draft
        part._state.adding = True
        if groups and isinstance(part, Rule) and part.group_id:
            part.group_id = groups[part.group_id]
    return dict(zip(old_ids, (copy.pk for copy in model._default_manager.bulk_create(parts)), strict=True))


# In force


@transaction.atomic
def publish_version(
    version: ModelVersion,
    *,
    by: User | None,
    note: str,
    now: datetime,
    replacing: ModelVersion | None = None,
) -> ModelVersion:
    """Put a draft in force without asking anybody: for presets and the system only. The history says so.

    `by` is None: a person goes through `scoring.lifecycle.approval`, and is refused here. `replacing` is the
    version it was compared with: if another one is active by now, nothing happens. Raises VersionNotDraft,
    ActiveVersionChanged, VersionNotSound, NotAllowed. Of two at once, one waits and then sees what the other
    did.
    """
    if by is not None:
        raise NotAllowed("Propose the version: another person of marketing lets it take effect.")
    take_versions_lock()
    version = ModelVersion.objects.with_rules().get(pk=version.pk)
    if version.status != Status.DRAFT:
        raise VersionNotDraft(version)
    if replacing is not None:
        require_active(replacing)
    require_sound(version)
    record(version, Kind.APPROVAL_SKIPPED, at=now, by=by)
    return put_in_force(version, by=by, note=note, now=now)


@transaction.atomic
def roll_back(
    to: ModelVersion, *, by: User, now: datetime, note: str = "", replacing: ModelVersion | None = None
) -> ModelVersion:
    """Put a copy of a version in force that was active before; at once, as it proved itself already.

    Returns the copy. Raises NeverActive, ActiveVersionChanged, VersionNotSound, NotAllowed.
    """
    require_marketing(by)
    take_versions_lock()
    to = ModelVersion.objects.get(pk=to.pk)
    if to.status != Status.RETIRED or to.published_at is None:
        raise NeverActive(to)
    if replacing is not None:
        require_active(replacing)
    copy = create_draft(based_on=to, by=by, now=now)
    copy = ModelVersion.objects.with_rules().get(pk=copy.pk)
    require_sound(copy)
    note = note or f"Rolled back to version {to.number}"
    record(copy, Kind.ROLLED_BACK, at=now, by=by, note=f"Copy of version {to.number}")
    return put_in_force(copy, by=by, note=note, now=now)


def put_in_force(version: ModelVersion, *, by: User | None, note: str, now: datetime) -> ModelVersion:
    """Make the version the active one, retire the one before, and have every lead scored by it.

    The caller holds the versions' lock and has checked that the version may and can be active.
    """
    signals = lock_signals(version)
    for active in ModelVersion.objects.active():
        ModelVersion.objects.filter(pk=active.pk).update(status=Status.RETIRED, retired_at=now)
        record(active, Kind.RETIRED, at=now, by=by)
    Pilot.objects.filter(version=version, ended_at=None, started_at__isnull=False).update(ended_at=now)
    version.status, version.published_at, version.published_by = Status.ACTIVE, now, by
    version.note = note
    version.save(update_fields=["status", "published_at", "published_by", "note"])
    record(version, Kind.PUBLISHED, at=now, by=by, note=note)
    backfill_signals(signals, now=now)
    start_rescoring(version, now=now)
    return version


def lock_signals(version: ModelVersion) -> list[Signal]:
    """The signals that the version counts, locked against an edit of their definition meanwhile.

    Their keys stay free: a lead that matched one must be able to commit while this waits for the lead.
    """
    counted = version.rules.values_list("signal_id", flat=True)
    return list(Signal.objects.select_for_update(no_key=True).filter(pk__in=counted).order_by("pk"))


def require_active(expected: ModelVersion | None) -> None:
    """Raises ActiveVersionChanged unless this version, or none, is the active one."""
    active = ModelVersion.objects.active().first()
    if active != expected:
        raise ActiveVersionChanged(active)


def require_sound(version: ModelVersion) -> None:
    """Raises VersionNotSound with the reasons why the version could not do its work."""
    try:
        problems = faults(load_model(version))
    except RuleRefused as refusal:
        raise VersionNotSound(str(refusal)) from refusal
    if problems:
        raise VersionNotSound(" ".join(problems))
