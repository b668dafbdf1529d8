"""The life of a scoring version: draft, published, retired; and of the signals that it counts (SCORE-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from scoring.loading import load_model
from scoring.matching import backfill_signals
from scoring.models import (
    CategoryTier,
    DecayStep,
    ModelVersion,
    Rule,
    RuleGroup,
    Signal,
    SignalCondition,
)
from scoring.problems import faults
from scoring.rules import RuleRefused

Status = ModelVersion.Status

# What a version says besides its parts.
CONTENT_FIELDS = (
    *("formula", "engagement_percent", "threshold", "icp_from"),
    *("signal_days", "decay_floor"),
)

# One change of versions at a time; any number that no other advisory lock of the portal uses.
_VERSIONS_LOCK = 7_301_002


class VersionNotDraft(DomainError):
    """Somebody published it already."""

    def __init__(self, version: ModelVersion) -> None:
        who = f" by {version.published_by}" if version.published_by else ""
        super().__init__(f"{version} was published{who} already. Edit a new draft instead.")


class ActiveVersionChanged(DomainError):
    """The version to be replaced is no longer the active one."""

    def __init__(self, active: ModelVersion | None) -> None:
        now = f"{active} is active now" if active else "no version is active now"
        super().__init__(f"The active version changed meanwhile: {now}. Look at the difference again.")


class VersionNotSound(InvalidInput):
    """The draft cannot be published as it is; the message holds the reasons."""


def may_edit_scoring(user: User) -> bool:
    return user.role == User.Role.MARKETING or user.is_superuser


def require_marketing(user: User | None) -> None:
    """Raises NotAllowed unless the person may edit scoring. None is the system itself, such as a preset."""
    if user is not None and not may_edit_scoring(user):
        raise NotAllowed("Only marketing edits and publishes scoring.")


@transaction.atomic
def create_draft(
    *, based_on: ModelVersion | None, by: User | None, now: datetime, name: str = ""
) -> ModelVersion:
    """A new draft with everything that `based_on` says; empty without one. Publishing it is a roll-back."""
    require_marketing(by)
    take_versions_lock()
    highest = ModelVersion.objects.aggregate(Max("number"))["number__max"] or 0
    draft = ModelVersion(number=highest + 1, name=name, created_at=now, created_by=by)
    if based_on is None:
        draft.name = name or "New model"
        draft.save()
        return draft
    draft.name = name or based_on.name
    for field in CONTENT_FIELDS:
        setattr(draft, field, getattr(based_on, field))
    # A draft may be deleted, so it never stands behind another version.
    draft.based_on = based_on if based_on.status != Status.DRAFT else based_on.based_on
    draft.save()
    groups = _copy_parts(RuleGroup, based_on, draft)
    _copy_parts(DecayStep, based_on, draft)
    _copy_parts(CategoryTier, based_on, draft)
    _copy_parts(Rule, based_on, draft, groups=groups)
    return draft


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


@transaction.atomic
def publish_version(
    version: ModelVersion,
    *,
    by: User | None,
    note: str,
    now: datetime,
    replacing: ModelVersion | None = None,
) -> ModelVersion:
    """Make the draft the active version, retire the one before, and have every lead scored by it.

    `replacing` is the version the person compared it with: if another one is active by now, nothing happens.
    Raises VersionNotDraft, ActiveVersionChanged, VersionNotSound, NotAllowed. Of two at once, one waits and
    then sees what the other did.
    """
    require_marketing(by)
    take_versions_lock()
    version = ModelVersion.objects.with_rules().get(pk=version.pk)
    if version.status != Status.DRAFT:
        raise VersionNotDraft(version)
    active = ModelVersion.objects.active().first()
    if replacing is not None and replacing != active:
        raise ActiveVersionChanged(active)
    signals = _lock_signals(version)
    _refuse_unsound(version)

    ModelVersion.objects.active().update(status=Status.RETIRED, retired_at=now)
    version.status, version.published_at, version.published_by = Status.ACTIVE, now, by
    version.note = note
    version.save(update_fields=["status", "published_at", "published_by", "note"])
    backfill_signals(signals, now=now)
    mark_all_leads(now=now)
    return version


def _lock_signals(version: ModelVersion) -> list[Signal]:
    """The signals that the version counts, locked against an edit of their definition meanwhile.

    Their keys stay free: a lead that matched one must be able to commit while this waits for the lead.
    """
    counted = version.rules.values_list("signal_id", flat=True)
    return list(Signal.objects.select_for_update(no_key=True).filter(pk__in=counted).order_by("pk"))


def _refuse_unsound(version: ModelVersion) -> None:
    try:
        problems = faults(load_model(version))
    except RuleRefused as refusal:
        raise VersionNotSound(str(refusal)) from refusal
    if problems:
        raise VersionNotSound(" ".join(problems))


def mark_all_leads(*, now: datetime) -> None:
    """Have every lead looked at, in one statement; it locks the leads in id order, as all batches do."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH due AS MATERIALIZED (
                SELECT id FROM leads_lead WHERE advance_at IS NULL OR advance_at > %(now)s
                ORDER BY id FOR NO KEY UPDATE
            )
            UPDATE leads_lead SET advance_at = %(now)s FROM due WHERE leads_lead.id = due.id
            """,
            {"now": now},
        )


def take_versions_lock() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_VERSIONS_LOCK])


# Signals


@transaction.atomic
def revise_signal(
    signal: Signal, *, conditions: Sequence[SignalCondition], by: User | None, now: datetime
) -> Signal:
    """Store a changed definition: `signal` as it is in memory, with these conditions instead of its own.

    What a published version counts stays as it is, as a retired revision, and drafts move on to the new one.
    Returns the row with the new definition: the same row while only drafts count it.
    """
    require_marketing(by)
    take_versions_lock()
    stored = Signal.objects.select_for_update(no_key=True).get(pk=signal.pk)
    if Rule.objects.filter(signal=stored).exclude(version__status=Status.DRAFT).exists():
        Signal.objects.filter(pk=stored.pk).update(retired_at=now)
        highest = Signal.objects.filter(key=stored.key).aggregate(Max("revision"))["revision__max"]
        signal.pk, signal.revision, signal.created_at = None, highest + 1, now
        signal.key, signal.retired_at, signal.backfilled_at = stored.key, None, None
        signal._state.adding = True
        signal.save()
        Rule.objects.filter(signal=stored, version__status=Status.DRAFT).update(signal=signal)
    else:
        signal.backfilled_at = None
        signal.save()
        forget_hits(signal)
    SignalCondition.objects.filter(signal=signal).delete()
    for condition in conditions:
        condition.pk, condition.signal = None, signal
        condition._state.adding = True
    SignalCondition.objects.bulk_create(conditions)
    return signal


def forget_hits(signal: Signal) -> None:
    """What matched the old definition of a signal that no published version counts."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scoring_signalhit WHERE signal_id = %s", [signal.pk])
