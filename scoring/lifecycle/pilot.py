"""Trying a version on some of the leads beside the active one (SCORE-10, ADR 0017)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, InvalidInput
from scoring.language.rules import RuleRefused
from scoring.language.sentences import fit_subject
from scoring.lifecycle.history import record
from scoring.lifecycle.membership import segment_model, segment_rule
from scoring.lifecycle.permissions import require_marketing
from scoring.lifecycle.rescoring import start_rescoring
from scoring.lifecycle.versions import lock_signals, require_sound, take_versions_lock
from scoring.matching import backfill_signals
from scoring.models import ModelVersion, Pilot, VersionEvent

Status = ModelVersion.Status
Kind = VersionEvent.Kind


@dataclass(frozen=True, slots=True)
class PilotPlan:
    """On which leads to try a version: a share of all, or of those that meet one condition."""

    percent: int
    attribute: str = ""
    operator: str = ""
    values: Sequence[str] = ()
    low: int | None = None
    high: int | None = None


class PilotRunning(DomainError):
    """One at a time, so that each comparison means something."""

    def __init__(self, other: ModelVersion) -> None:
        super().__init__(f"{other} is in pilot. End that pilot before another one starts.")


class PilotNotRunning(DomainError):
    """Somebody ended or promoted it already."""

    def __init__(self, version: ModelVersion) -> None:
        super().__init__(f"{version} is in no pilot now: it is {version.get_status_display().lower()}.")


class NothingBeside(DomainError):
    """A pilot is a comparison."""

    def __init__(self) -> None:
        super().__init__(
            "A pilot runs beside the active version, and there is none. Propose this one for all."
        )


def plan_pilot(version: ModelVersion, plan: PilotPlan | None) -> None:
    """Keep the plan with the draft, in place of an earlier one. Raises InvalidInput when it means nothing."""
    Pilot.objects.filter(version=version).delete()
    if plan is None:
        return
    if not 1 <= plan.percent <= 100:
        raise InvalidInput("A pilot takes from 1 to 100 % of the leads.", field="percent")
    pilot = Pilot(
        version=version,
        percent=plan.percent,
        attribute=plan.attribute,
        operator=plan.operator,
        values=list(plan.values),
        low=plan.low,
        high=plan.high,
    )
    if plan.attribute:
        try:
            segment_model(pilot)
        except (RuleRefused, ValueError) as refusal:
            raise InvalidInput(str(refusal), field="attribute") from refusal
    pilot.save()


def describe_pilot(pilot: Pilot) -> str:
    """ "10 % of all leads", "50 % of the leads whose Country is “Germany”"."""
    whom = f"the leads whose {fit_subject(segment_rule(pilot))}" if pilot.attribute else "all leads"
    return f"{pilot.percent} % of {whom}"


def start_pilot(version: ModelVersion, *, by: User | None, now: datetime) -> ModelVersion:
    """Score the pilot's leads by the version from now on. The caller holds the versions' lock and has
    checked that the version may. Raises PilotRunning, NothingBeside."""
    running = ModelVersion.objects.filter(status=Status.PILOT).first()
    if running:
        raise PilotRunning(running)
    if not ModelVersion.objects.active().exists():
        raise NothingBeside()
    require_sound(version)
    signals = lock_signals(version)
    pilot = Pilot.objects.get(version=version)
    pilot.started_at = now
    pilot.save(update_fields=["started_at"])
    version.status = Status.PILOT
    version.save(update_fields=["status"])
    record(version, Kind.PILOT_STARTED, at=now, by=by, note=describe_pilot(pilot)[:500])
    backfill_signals(signals, now=now)
    start_rescoring(version, now=now)
    return version


@transaction.atomic
def end_pilot(version: ModelVersion, *, by: User, note: str = "", now: datetime) -> ModelVersion:
    """Give the pilot's leads back to the active version. Raises PilotNotRunning, NotAllowed."""
    require_marketing(by)
    take_versions_lock()
    version = ModelVersion.objects.get(pk=version.pk)
    if version.status != Status.PILOT:
        raise PilotNotRunning(version)
    version.status, version.retired_at = Status.RETIRED, now
    version.save(update_fields=["status", "retired_at"])
    Pilot.objects.filter(version=version).update(ended_at=now)
    record(version, Kind.PILOT_ENDED, at=now, by=by, note=note)
    start_rescoring(ModelVersion.objects.active().get(), now=now)
    return version
