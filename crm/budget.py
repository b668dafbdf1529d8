"""The org's daily API calls, and how many of them are ours (CRM-4).

Salesforce tells its figures with every answer (Sforce-Limit-Info) and lets the allocation run over the last
24 hours. We take a share of it and keep the end of that share for handoffs; without figures all is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from crm.models import Connection, Lane

# Figures this old say little about a rolling day: one call is let through to learn new ones.
STALE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Budget:
    """The calls of the running day: the org's, our share of them, and what was used."""

    allowed: int
    used: int
    share: int
    used_by_us: int
    kept_for_handoffs: int
    told_at: datetime | None

    def left(self, lane: Lane) -> int:
        """How many calls a lane may still make. An org that is spent stops everything."""
        ours = self.share - self.used_by_us
        if lane != Lane.HANDOFF:
            ours -= self.kept_for_handoffs
        return max(0, min(ours, self.allowed - self.used))


def read_budget() -> Budget | None:
    """The figures as last told; None as long as Salesforce has told none."""
    state = Connection.objects.first()
    return _budget(state) if state else None


def calls_left(lane: Lane) -> int | None:
    """How many calls a lane may still make now; None when that is not known."""
    budget = read_budget()
    return budget.left(lane) if budget else None


def may_spend(lane: Lane, *, now: datetime) -> bool:
    """Whether a lane may make a call now.

    Where the share looks spent by figures of long ago, one caller in an hour may go: its answer brings the
    new ones.
    """
    budget = read_budget()
    if budget is None or budget.left(lane) > 0:
        return True
    return _claim_probe(budget, now=now)


def _claim_probe(budget: Budget, *, now: datetime) -> bool:
    stale = now - STALE_AFTER
    if budget.told_at is not None and budget.told_at > stale:
        return False
    return bool(Connection.objects.filter(usage_at=budget.told_at).update(usage_at=now))


def _budget(state: Connection) -> Budget | None:
    if state.calls_used is None or state.calls_allowed is None:
        return None
    per_cent = settings.SALESFORCE_DAILY_SHARE or state.daily_share
    share = state.calls_allowed * per_cent // 100
    return Budget(
        allowed=state.calls_allowed,
        used=state.calls_used,
        share=share,
        # Without figures of our own, all calls count as ours: rather too careful than in others' way.
        used_by_us=state.calls_used if state.app_calls_used is None else state.app_calls_used,
        kept_for_handoffs=share * state.kept_for_handoffs // 100,
        told_at=state.usage_at,
    )
