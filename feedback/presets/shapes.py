"""What the feedback side of a preset holds, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from feedback.models import RejectionReason
from feedback.wording import fill_in

Type: TypeAlias = RejectionReason.Type
Treatment: TypeAlias = RejectionReason.Treatment


@dataclass(frozen=True, kw_only=True)
class ReasonPreset:
    code: str
    label: str
    type: Type
    treatment: Treatment
    consequence: str
    recycle_after_days: int | None = None
    fit_fields: tuple[str, ...] = ()
    requires_attempts: int = 0
    requires_note: bool = False
    requires_duplicate: bool = False
    tells_marketing: bool = False

    @property
    def promise(self) -> str:
        """The consequence as people read it."""
        return fill_in(self.consequence, days=self.recycle_after_days, fit_fields=self.fit_fields)


@dataclass(frozen=True, kw_only=True)
class ContractPreset:
    """What a returned lead must show to become an MQL again: so many points or one of these signals, and not
    before so many days."""

    min_points: int
    enough_signals: tuple[str, ...] = ()
    cool_off_days: int = 0


@dataclass(frozen=True, kw_only=True)
class PolicyPreset:
    """Business minutes for marketing's promises, the goal of the acceptance rate in per cent, and how many
    months lie between reviews of what came back (0: none)."""

    fix_minutes: int = 8 * 60
    dispute_minutes: int = 16 * 60
    acceptance_goal: int = 90
    min_decided: int = 10
    review_months: int = 0


@dataclass(frozen=True)
class FeedbackPreset:
    reasons: tuple[ReasonPreset, ...]
    contract: ContractPreset
    policy: PolicyPreset
