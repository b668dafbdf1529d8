"""What a policy says, version by version: from rows to values that never change (SLA-1, SLA-4).

The rows of a policy are what managers edit. What holds for a handoff is a version: a copy of the rows, kept
when they are saved and pinned by the handoffs that start under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.db import transaction

from accounts.models import User
from sla.conditions import Conditions
from sla.models import EscalationStep, Policy, PolicyVersion, Target

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class TargetTerms:
    """One promise: what must have happened, by when. Times are in minutes."""

    kind: str
    mode: str
    minutes: int | None = None
    attempts: int | None = None
    max_pause_minutes: int | None = None
    warn_percent: tuple[int, ...] = ()
    after_hours_minutes: int | None = None
    restarts_on_reassignment: bool = True


@dataclass(frozen=True)
class Step:
    """What is done so many minutes after a missed deadline (SLA-5)."""

    action: str
    after_minutes: int = 0
    kinds: tuple[str, ...] = ()
    waits_for_receiver: bool = True
    lapses: int | None = None

    def fits(self, kind: str) -> bool:
        """Whether the step follows a missed target of this kind. Salesforce being slow is nobody's lapse."""
        return kind in self.kinds if self.kinds else kind != Target.Kind.CRM_TRANSFER


@dataclass(frozen=True)
class Terms:
    """Everything a version of a policy says."""

    conditions: Conditions = field(default_factory=Conditions)
    targets: tuple[TargetTerms, ...] = ()
    steps: tuple[Step, ...] = ()
    reviews_breaches: bool = True

    def steps_for(self, kind: str) -> tuple[Step, ...]:
        """The ladder of a missed target: by time, and steps of one time in the order of the policy."""
        return tuple(
            sorted((step for step in self.steps if step.fits(kind)), key=lambda step: step.after_minutes)
        )

    def target_for(self, kind: str) -> TargetTerms | None:
        return next((target for target in self.targets if target.kind == kind), None)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Terms:
        return cls(
            conditions=_read(Conditions, stored["conditions"]),
            targets=tuple(_read(TargetTerms, each) for each in stored["targets"]),
            steps=tuple(_read(Step, each) for each in stored["steps"]),
            reviews_breaches=stored["reviews_breaches"],
        )


Part = TypeVar("Part", Conditions, TargetTerms, Step)

# By primary key. Versions never change and there are few, so none is ever dropped.
_TERMS: dict[int, Terms] = {}


def read_terms(version: PolicyVersion) -> Terms:
    """What a version says. Read once per process, so `terms` may be deferred where many are fetched."""
    if version.pk not in _TERMS:
        _TERMS[version.pk] = Terms.from_json(version.terms)
    return _TERMS[version.pk]


def read_terms_by_id(version_id: int) -> Terms:
    """`read_terms` for a version known by its number only, such as the one a clock names."""
    if version_id not in _TERMS:
        read_terms(PolicyVersion.objects.get(pk=version_id))
    return _TERMS[version_id]


def terms_of(policy: Policy) -> Terms:
    """What the rows of a policy say now."""
    return Terms(
        conditions=conditions_of(policy),
        targets=in_order_of_kind(_copy(TargetTerms, target) for target in policy.targets.all()),
        steps=tuple(_copy(Step, step) for step in policy.steps.all()),
        reviews_breaches=policy.reviews_breaches,
    )


def in_order_of_kind(targets: Iterable[TargetTerms]) -> tuple[TargetTerms, ...]:
    """Targets as they follow one another; those of a policy have no order of their own."""
    order = list(Target.Kind.values)
    return tuple(sorted(targets, key=lambda target: order.index(target.kind)))


def conditions_of(policy: Policy) -> Conditions:
    return _copy(Conditions, policy)


@transaction.atomic
def keep_version(policy: Policy, *, by: User | None, now: datetime) -> PolicyVersion:
    """Put what the rows say into force, as a new version if it differs from the one in force; return it.

    `by` None is the system itself. Repeating it changes nothing.
    """
    # Two who save at once must not take the same number.
    kept = Policy.objects.select_for_update().get(pk=policy.pk)
    terms = terms_of(kept)
    version = kept.versions.filter(number=kept.version).first()
    if version is None or read_terms(version) != terms:
        version = kept.versions.create(number=kept.version + 1, terms=terms.as_json(), at=now, by=by)
        kept.version = version.number
        kept.save(update_fields=["version"])
        log.info("policy_version_kept", policy=kept.pk, number=version.number, by=by.pk if by else None)
    policy.version = kept.version
    return version


def _copy(terms: type[Part], row: Policy | Target | EscalationStep) -> Part:
    """The columns of a row that terms of this kind name."""
    return _read(terms, {each.name: getattr(row, each.name) for each in fields(terms)})


def _read(terms: type[Part], stored: Mapping[str, Any]) -> Part:
    """Terms of this kind from plain values; JSON and the database know lists only."""
    values: dict[str, Any] = dict(stored)
    for name, value in stored.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    return terms(**values)
