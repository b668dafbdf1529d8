"""Which policy applies to a handoff: they are tried in order, and the first that matches does (SLA-1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.db.models import OuterRef, Subquery

from common.prepared import ask_prepared, composed
from sla.conditions import HandoffFacts
from sla.models import PinnedPolicy, Policy, PolicyVersion
from sla.versions import Terms, conditions_of, keep_version, read_terms_by_id


@dataclass(frozen=True)
class PolicyInForce:
    """A policy by what its version in force says."""

    name: str
    version_id: int
    terms: Terms


def policies_in_force(*, now: datetime) -> list[PolicyInForce]:
    """The active policies in the order set by the manager, in one statement once their terms are known.

    A policy made past the admin has no version yet and gets its first one here.
    """
    return [
        _in_force(pk, name, version_id, now=now)
        for pk, name, version_id in ask_prepared(_active_policies(), {})
    ]


@cache
def _active_policies() -> str:
    version = PolicyVersion.objects.filter(policy=OuterRef("pk"), number=OuterRef("version")).values("pk")
    policies = Policy.objects.filter(is_active=True).annotate(version_id=Subquery(version))
    return composed(policies.values_list("pk", "name", "version_id"))


def choose_policy(facts: HandoffFacts, *, now: datetime) -> PolicyInForce | None:
    """The first active policy whose conditions hold, in the order set by the manager (SLA-1)."""
    return next(
        (policy for policy in policies_in_force(now=now) if policy.terms.conditions.hold_for(facts)), None
    )


def pinned_policy(handoff_id: int) -> PolicyInForce | None:
    """The policy under which a handoff began, as it was then (SLA-4)."""
    pinned = PinnedPolicy.objects.filter(pk=handoff_id)
    found = pinned.values_list("version__policy__name", "version_id").first()
    if found is None:
        return None
    name, version_id = found
    return PolicyInForce(name, version_id, read_terms_by_id(version_id))


def find_hidden(policies: Sequence[Policy]) -> list[tuple[Policy, Policy]]:
    """Pairs of a policy that can never apply and the earlier one that takes everything it would match."""
    conditions = [conditions_of(policy) for policy in policies]
    return [
        (later, earlier)
        for index, later in enumerate(policies)
        for place, earlier in enumerate(policies[:index])
        if conditions[place].take_all_of(conditions[index])
    ]


def _in_force(pk: int, name: str, version_id: int | None, *, now: datetime) -> PolicyInForce:
    if version_id is None:
        version_id = keep_version(Policy.objects.get(pk=pk), by=None, now=now).pk
    return PolicyInForce(name, version_id, read_terms_by_id(version_id))
