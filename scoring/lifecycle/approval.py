"""From draft to in force: proposed by one person, approved by another, now or at a stated time (SCORE-10).

A proposal is about a difference: it remembers the active version that it was compared with, and when another
one is active by then, it is looked at again and not carried out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from common.queue import enqueue
from scoring.lifecycle.history import record
from scoring.lifecycle.permissions import require_marketing
from scoring.lifecycle.pilot import PilotNotRunning, PilotPlan, plan_pilot, start_pilot
from scoring.lifecycle.telling import tell_approvers, tell_proposer
from scoring.lifecycle.versions import (
    VersionNotDraft,
    put_in_force,
    require_active,
    require_sound,
    take_versions_lock,
)
from scoring.models import ModelVersion, Pilot, ScoringPolicy, VersionEvent

log = structlog.get_logger(__name__)

Status = ModelVersion.Status
Kind = VersionEvent.Kind

NOTE_LENGTH = 500
# A date further ahead is a slip of the keyboard.
FURTHEST = timedelta(days=366)


class NotWaitingForApproval(DomainError):
    """Somebody else decided meanwhile."""

    def __init__(self, version: ModelVersion) -> None:
        latest = version.events.first()
        who = f" by {latest.by}" if latest and latest.by else ""
        what = f": {latest.get_kind_display().lower()}{who}" if latest else ""
        super().__init__(f"{version} does not wait for approval any more{what}.")


class ProposalRenewed(DomainError):
    """It was taken back and proposed again since this person looked at it."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"{version} was proposed again meanwhile. Look at the difference as it is now.")


class OwnProposal(NotAllowed):
    """Two pairs of eyes."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"You proposed {version}: another person of marketing has to approve it.")


def needs_second_person() -> bool:
    policy = ScoringPolicy.objects.first() or ScoringPolicy()
    return policy.needs_second_person


def waits_for_approval(version: ModelVersion) -> bool:
    """Whether a second person is asked: to let it take effect, or to make a pilot the active version."""
    if version.status == Status.PILOT and version.proposed_at:
        return version.approved_at is None or version.proposed_at > version.approved_at
    return version.status == Status.PROPOSED


# Proposing


@transaction.atomic
def propose_version(
    version: ModelVersion,
    *,
    by: User,
    note: str,
    now: datetime,
    takes_effect_at: datetime | None = None,
    pilot: PilotPlan | None = None,
    replacing: ModelVersion | None = None,
) -> ModelVersion:
    """Ask another person to let the draft take effect: at the stated time or once it is approved, for all
    leads or as a pilot.

    Where the policy asks for no second person, it is carried out at once and the history says so. Raises
    VersionNotDraft, ActiveVersionChanged, VersionNotSound, InvalidInput, NotAllowed.
    """
    require_marketing(by)
    note = _require_words(note, field="note", ask="Say why: it is kept with the version.")
    _require_ahead(takes_effect_at, now=now)
    take_versions_lock()
    version = ModelVersion.objects.with_rules().get(pk=version.pk)
    if version.status != Status.DRAFT:
        raise VersionNotDraft(version)
    if replacing is not None:
        require_active(replacing)
    require_sound(version)
    plan_pilot(version, pilot)
    version.status, version.note, version.takes_effect_at = Status.PROPOSED, note, takes_effect_at
    _put_forward(version, by=by, note=note, now=now)
    enqueue("scoring.tasks.backfill_drafts_task")
    return _carry_out_alone(version, by=by, now=now)


@transaction.atomic
def propose_promotion(version: ModelVersion, *, by: User, note: str, now: datetime) -> ModelVersion:
    """Ask another person to make the version in pilot the active one. Raises PilotNotRunning,
    NotWaitingForApproval, InvalidInput, NotAllowed."""
    require_marketing(by)
    note = _require_words(note, field="note", ask="Say why: it is kept with the version.")
    take_versions_lock()
    version = ModelVersion.objects.with_rules().get(pk=version.pk)
    if version.status != Status.PILOT:
        raise PilotNotRunning(version)
    version.note = note
    _put_forward(version, by=by, note=f"Promotion: {note}"[:NOTE_LENGTH], now=now)
    return _carry_out_alone(version, by=by, now=now)


def _put_forward(version: ModelVersion, *, by: User, note: str, now: datetime) -> None:
    version.proposed_at, version.proposed_by = now, by
    version.proposed_against = ModelVersion.objects.active().first()
    version.approved_at = version.approved_by = None
    version.save(update_fields=_WORKFLOW)
    record(version, Kind.PROPOSED, at=now, by=by, note=note)


_WORKFLOW = [
    *("status", "note", "proposed_at", "proposed_by", "proposed_against"),
    *("approved_at", "approved_by", "takes_effect_at"),
]


def _carry_out_alone(version: ModelVersion, *, by: User, now: datetime) -> ModelVersion:
    if needs_second_person():
        tell_approvers(version, now=now)
        return version
    record(version, Kind.APPROVAL_SKIPPED, at=now, by=by)
    version.approved_at = now
    version.save(update_fields=["approved_at"])
    return _carry_out(version, by=by, now=now)


# Deciding


@transaction.atomic
def approve_version(
    version: ModelVersion,
    *,
    by: User,
    now: datetime,
    comment: str = "",
    proposed_at: datetime | None = None,
) -> ModelVersion:
    """Let a proposal take effect, now or at its stated time.

    `proposed_at` says which proposal the person looked at. Raises OwnProposal, NotWaitingForApproval,
    ProposalRenewed, ActiveVersionChanged, PilotRunning, VersionNotSound and NotAllowed. Of two at once, one
    waits and then sees what the other did.
    """
    require_marketing(by)
    comment = _allow_words(comment, field="comment")
    take_versions_lock()
    version = ModelVersion.objects.with_rules().get(pk=version.pk)
    if not waits_for_approval(version):
        raise NotWaitingForApproval(version)
    if proposed_at is not None and proposed_at != version.proposed_at:
        raise ProposalRenewed(version)
    is_own = version.proposed_by == by
    if is_own and needs_second_person():
        raise OwnProposal(version)
    require_active(version.proposed_against)
    # An author is no second person, also where none is asked for any more.
    version.approved_at, version.approved_by = now, None if is_own else by
    version.save(update_fields=["approved_at", "approved_by"])
    record(version, Kind.APPROVAL_SKIPPED if is_own else Kind.APPROVED, at=now, by=by, note=comment)
    if not is_own:
        tell_proposer(version, "approved", by=by, now=now)
    return _carry_out(version, by=by, now=now)


@transaction.atomic
def return_proposal(version: ModelVersion, *, by: User, comment: str, now: datetime) -> ModelVersion:
    """Make a proposed or scheduled version a draft again, with the reason; a pilot goes on as a pilot.

    Its author may do so too. Raises NotWaitingForApproval, InvalidInput, NotAllowed.
    """
    require_marketing(by)
    comment = _require_words(comment, field="comment", ask="Say what should be different.")
    take_versions_lock()
    version = ModelVersion.objects.get(pk=version.pk)
    if not waits_for_approval(version) and version.status != Status.SCHEDULED:
        raise NotWaitingForApproval(version)
    _return(version, by=by, comment=comment, now=now)
    return version


def _return(version: ModelVersion, *, by: User | None, comment: str, now: datetime) -> None:
    tell_proposer(version, "returned", by=by, now=now, words=comment)
    if version.status == Status.PILOT:
        version.proposed_at = version.proposed_by = None
        # Approved as a pilot it was and is; the history keeps by whom.
        version.approved_at = version.approved_at or now
    else:
        version.status = Status.DRAFT
        version.proposed_at = version.proposed_by = version.proposed_against = None
        version.approved_at = version.approved_by = version.takes_effect_at = None
    version.save(update_fields=_WORKFLOW)
    record(version, Kind.RETURNED, at=now, by=by, note=comment)


# Taking effect


def _carry_out(version: ModelVersion, *, by: User, now: datetime) -> ModelVersion:
    """What was approved happens now, or is scheduled. The caller holds the versions' lock."""
    if version.status == Status.PROPOSED and version.takes_effect_at and version.takes_effect_at > now:
        version.status = Status.SCHEDULED
        version.save(update_fields=["status"])
        record(version, Kind.SCHEDULED, at=now, by=by)
        return version
    return _take_effect(version, by=by, now=now)


def _take_effect(version: ModelVersion, *, by: User | None, now: datetime) -> ModelVersion:
    require_sound(version)
    if version.status != Status.PILOT and Pilot.objects.filter(version=version, started_at=None).exists():
        return start_pilot(version, by=by, now=now)
    return put_in_force(version, by=by, note=version.note, now=now)


def activate_due_versions(*, now: datetime) -> int:
    """Let scheduled versions take effect whose time has come; say how many did.

    One that no longer can, such as when another version became active meanwhile, goes back to its author
    with the reason. Safe to repeat.
    """
    due = ModelVersion.objects.filter(status=Status.SCHEDULED, takes_effect_at__lte=now)
    return sum(_activate(pk, now=now) for pk in due.order_by("takes_effect_at").values_list("pk", flat=True))


@transaction.atomic
def _activate(pk: int, *, now: datetime) -> bool:
    take_versions_lock()
    due = ModelVersion.objects.with_rules().filter(pk=pk, status=Status.SCHEDULED, takes_effect_at__lte=now)
    version = due.first()
    if version is None:
        return False
    try:
        with transaction.atomic():
            require_active(version.proposed_against)
            _take_effect(version, by=version.approved_by or version.proposed_by, now=now)
    except DomainError as refusal:
        log.warning("scoring.not_activated", version=version.number, error=type(refusal).__name__)
        _return(ModelVersion.objects.get(pk=pk), by=None, comment=str(refusal)[:NOTE_LENGTH], now=now)
        return False
    return True


# Words


def _require_ahead(moment: datetime | None, *, now: datetime) -> None:
    if moment is None:
        return
    if moment <= now:
        raise InvalidInput("That time has passed. Choose a later one.", field="takes_effect_at")
    if moment > now + FURTHEST:
        raise InvalidInput("That is more than a year ahead. Choose an earlier time.", field="takes_effect_at")


def _require_words(text: str, *, field: str, ask: str) -> str:
    text = _allow_words(text, field=field)
    if not text:
        raise InvalidInput(ask, field=field)
    return text


def _allow_words(text: str, *, field: str) -> str:
    text = text.strip()
    if len(text) > NOTE_LENGTH:
        raise InvalidInput(f"At most {NOTE_LENGTH} characters, please; this has {len(text)}.", field=field)
    if "\x00" in text:
        raise InvalidInput("Remove the NUL character.", field=field)
    return text
