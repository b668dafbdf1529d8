"""Loading the service levels of a protocol preset: plain values in, rows and a plan in sentences out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time

import structlog
from django.db import transaction

from accounts.models import User
from common.errors import NotAllowed
from sla.models import Calendar, CalendarInterval, Policy, Target
from sla.wording import promise_in_words

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TargetPreset:
    kind: Target.Kind
    mode: Target.Mode
    minutes: int | None = None
    warn_percent: tuple[int, ...] = (50, 80)
    after_hours_minutes: int | None = None
    restarts_on_reassignment: bool = True


@dataclass(frozen=True)
class PolicyPreset:
    """One policy; blank conditions hold for any handoff."""

    name: str
    targets: tuple[TargetPreset, ...]
    category: str = ""
    warmth: str = ""
    source: str = ""
    is_instant_mql: bool | None = None
    reviews_breaches: bool = True


@dataclass(frozen=True)
class CalendarPreset:
    """Office hours for an installation that has no default calendar yet: the same on each weekday named."""

    name: str
    time_zone: str
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    opens_at: time = time(10)
    closes_at: time = time(18)
    holiday_country: str = ""
    holiday_subdivision: str = ""


@dataclass(frozen=True)
class SlaPreset:
    calendar: CalendarPreset
    policies: tuple[PolicyPreset, ...]


@transaction.atomic
def load_sla_preset(preset: SlaPreset, *, by: User | None, dry_run: bool = False) -> list[str]:
    """Make the active policies those of the preset, in its order; return what changes, in sentences.

    Policies the preset does not know are switched off, not deleted, and clocks keep the promise they were
    started with. A default calendar that exists is kept. Loading the same preset again changes nothing.
    """
    if by is not None and by.role != User.Role.MANAGER and not by.is_superuser:
        raise NotAllowed("Only a manager can change the service levels.")
    plan = _plan_calendar(preset.calendar, dry_run=dry_run)
    for position, policy in enumerate(preset.policies, start=1):
        plan += _plan_policy(policy, position=position, dry_run=dry_run)
    others = Policy.objects.filter(is_active=True).exclude(
        name__in=[policy.name for policy in preset.policies]
    )
    plan += [f"Switch off the policy “{policy.name}”." for policy in others]
    if not dry_run:
        others.update(is_active=False)
        log.info("sla_preset_loaded", changes=len(plan), by=by.pk if by else None)
    return plan


def _plan_calendar(preset: CalendarPreset, *, dry_run: bool) -> list[str]:
    if Calendar.objects.filter(is_default=True).exists():
        return []
    if not dry_run:
        calendar = Calendar.objects.create(
            name=preset.name,
            time_zone=preset.time_zone,
            holiday_country=preset.holiday_country,
            holiday_subdivision=preset.holiday_subdivision,
            is_default=True,
        )
        CalendarInterval.objects.bulk_create(
            CalendarInterval(
                calendar=calendar, weekday=day, opens_at=preset.opens_at, closes_at=preset.closes_at
            )
            for day in preset.weekdays
        )
    hours = f"{preset.opens_at:%H:%M}–{preset.closes_at:%H:%M}"
    return [f"Add the default calendar “{preset.name}”: {hours}, {preset.time_zone}."]


def _plan_policy(preset: PolicyPreset, *, position: int, dry_run: bool) -> list[str]:
    policy = Policy.objects.filter(name=preset.name).prefetch_related("targets").first()
    wanted = _fields(preset, position)
    if policy is not None and _is_as_wanted(policy, preset, wanted):
        return []
    verb = "Add" if policy is None else "Change"
    if not dry_run:
        policy, _ = Policy.objects.update_or_create(name=preset.name, defaults=wanted)
        policy.targets.all().delete()
        Target.objects.bulk_create(_target(each, policy) for each in preset.targets)
    promises = "; ".join(
        f"{target.get_kind_display()}: {_lower_first(promise_in_words(target))}"
        for target in (_target(each, None) for each in preset.targets)
    )
    return [f"{verb} the policy “{preset.name}”. {promises}."]


def _fields(preset: PolicyPreset, position: int) -> dict[str, object]:
    return {
        "position": position,
        "category": preset.category,
        "warmth": preset.warmth,
        "source": preset.source,
        "is_instant_mql": preset.is_instant_mql,
        "reviews_breaches": preset.reviews_breaches,
        "is_active": True,
    }


def _is_as_wanted(policy: Policy, preset: PolicyPreset, wanted: dict[str, object]) -> bool:
    same_policy = all(getattr(policy, name) == value for name, value in wanted.items())
    return same_policy and {_preset_of(target) for target in policy.targets.all()} == set(preset.targets)


def _target(preset: TargetPreset, policy: Policy | None) -> Target:
    return Target(
        policy=policy,
        kind=preset.kind,
        mode=preset.mode,
        minutes=preset.minutes,
        warn_percent=list(preset.warn_percent),
        after_hours_minutes=preset.after_hours_minutes,
        restarts_on_reassignment=preset.restarts_on_reassignment,
    )


def _preset_of(target: Target) -> TargetPreset:
    return TargetPreset(
        kind=Target.Kind(target.kind),
        mode=Target.Mode(target.mode),
        minutes=target.minutes,
        warn_percent=tuple(target.warn_percent),
        after_hours_minutes=target.after_hours_minutes,
        restarts_on_reassignment=target.restarts_on_reassignment,
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
