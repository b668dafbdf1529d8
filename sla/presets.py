"""Loading the service levels of a protocol preset: plain values in, rows and a plan in sentences out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, time

import structlog
from django.db import transaction

from accounts.models import User
from common.errors import NotAllowed
from sla.conditions import Conditions
from sla.models import AlarmSetting, Calendar, CalendarInterval, EscalationStep, Policy, Target, Ticket
from sla.versions import Step, TargetTerms, Terms, in_order_of_kind, keep_version, terms_of
from sla.wording import lower_first, span_in_words, step_in_words, target_in_words

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TargetPreset:
    kind: Target.Kind
    mode: Target.Mode
    minutes: int | None = None
    warn_percent: tuple[int, ...] = (50, 80)
    after_hours_minutes: int | None = None
    attempts: int | None = None
    max_pause_minutes: int | None = None
    restarts_on_reassignment: bool = True


@dataclass(frozen=True)
class StepPreset:
    """What follows so many minutes after a missed deadline; without kinds, of any target."""

    action: EscalationStep.Action
    after_minutes: int = 0
    kinds: tuple[Target.Kind, ...] = ()
    waits_for_receiver: bool = True
    lapses: int | None = None


@dataclass(frozen=True)
class PolicyPreset:
    """One policy; blank conditions hold for any handoff."""

    name: str
    targets: tuple[TargetPreset, ...]
    steps: tuple[StepPreset, ...] = ()
    category: str = ""
    warmth: str = ""
    source: str = ""
    is_instant_mql: bool | None = None
    reviews_breaches: bool = True

    @property
    def terms(self) -> Terms:
        return Terms(
            conditions=Conditions(
                category=self.category,
                warmth=self.warmth,
                source=self.source,
                is_instant_mql=self.is_instant_mql,
            ),
            targets=in_order_of_kind(TargetTerms(**asdict(target)) for target in self.targets),
            steps=tuple(Step(**asdict(step)) for step in sorted(self.steps, key=lambda s: s.after_minutes)),
            reviews_breaches=self.reviews_breaches,
        )


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
    """`alarms`: those that the protocol names, with the minutes of working time until they go off; None: at
    once. Other alarms stay as they are set."""

    calendar: CalendarPreset
    policies: tuple[PolicyPreset, ...]
    alarms: Mapping[Ticket.Alarm, int | None] = field(default_factory=dict)


@transaction.atomic
def load_sla_preset(preset: SlaPreset, *, by: User | None, now: datetime, dry_run: bool = False) -> list[str]:
    """Make the active policies those of the preset, in its order; return what changes, in sentences.

    Policies the preset does not know are switched off, not deleted, and clocks keep the promise they were
    started with. A default calendar that exists is kept. Loading the same preset again changes nothing.
    """
    if by is not None and by.role != User.Role.MANAGER and not by.is_superuser:
        raise NotAllowed("Only a manager can change the service levels.")
    plan = _plan_calendar(preset.calendar, dry_run=dry_run)
    for position, policy in enumerate(preset.policies, start=1):
        plan += _plan_policy(policy, position=position, by=by, now=now, dry_run=dry_run)
    others = Policy.objects.filter(is_active=True).exclude(
        name__in=[policy.name for policy in preset.policies]
    )
    plan += [f"Switch off the policy “{policy.name}”." for policy in others]
    for alarm, after_minutes in preset.alarms.items():
        plan += _plan_alarm(alarm, after_minutes, dry_run=dry_run)
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


def _plan_policy(
    preset: PolicyPreset, *, position: int, by: User | None, now: datetime, dry_run: bool
) -> list[str]:
    policy = Policy.objects.filter(name=preset.name).first()
    if policy and policy.is_active and policy.position == position and terms_of(policy) == preset.terms:
        return []
    verb = "Change" if policy else "Add"
    if not dry_run:
        policy = policy or Policy(name=preset.name)
        policy.position, policy.is_active = position, True
        _write_terms(policy, preset.terms)
        keep_version(policy, by=by, now=now)
    promises = "; ".join(target_in_words(target) for target in preset.terms.targets)
    sentence = f"{verb} the policy “{preset.name}”. {promises}."
    if preset.steps:
        steps = "; ".join(lower_first(step_in_words(step)) for step in preset.terms.steps)
        sentence += f" When missed, {steps}."
    return [sentence]


def _write_terms(policy: Policy, terms: Terms) -> None:
    """Make the rows of a policy say this and nothing else."""
    for name, value in _columns(terms.conditions).items():
        setattr(policy, name, value)
    policy.reviews_breaches = terms.reviews_breaches
    policy.save()
    policy.targets.all().delete()
    Target.objects.bulk_create(Target(policy=policy, **_columns(target)) for target in terms.targets)
    policy.steps.all().delete()
    EscalationStep.objects.bulk_create(
        EscalationStep(policy=policy, **_columns(step)) for step in terms.steps
    )


def _columns(terms: Conditions | TargetTerms | Step) -> dict[str, object]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(terms).items()}


def _plan_alarm(alarm: Ticket.Alarm, after_minutes: int | None, *, dry_run: bool) -> list[str]:
    wanted = {"is_active": True, "after_minutes": after_minutes}
    if AlarmSetting.objects.filter(alarm=alarm, **wanted).exists():
        return []
    if not dry_run:
        AlarmSetting.objects.update_or_create(alarm=alarm, defaults=wanted)
    when = f"after {span_in_words(after_minutes)} of working time" if after_minutes else "at once"
    return [f"The alarm “{alarm.label}” opens a ticket {when}."]
