"""The invented company's own service levels, and a morning on which its network was down.

It began with those of the preset, in which whatever is missed goes to the manager. With the numbers of half a
year in hand, the manager added what the team had been missing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from accounts.models import User
from handoffs.models import AcknowledgementPolicy
from handoffs.presets import acknowledgement
from protocol import service_levels
from sla.incidents import declare_incident
from sla.models import EscalationStep, Target
from sla.presets import PolicyPreset, SlaPreset, StepPreset, TargetPreset, load_sla_preset

Action, Kind, Mode = EscalationStep.Action, Target.Kind, Target.Mode

HOUR = 60
WORKING_DAY = 8 * HOUR
# How long before the end the company changes its terms, and how long before it the network fails.
REVISED = timedelta(days=170)
FAILED = timedelta(days=4)
OUTAGE = timedelta(hours=3, minutes=20)

ADDED_TARGETS = (
    TargetPreset(Kind.OPENED, Mode.BUSINESS, 2 * HOUR),
    TargetPreset(Kind.CADENCE, Mode.BUSINESS, 5 * WORKING_DAY, attempts=4, max_pause_minutes=10 * 24 * HOUR),
)
LADDER = (
    StepPreset(Action.REMIND),
    StepPreset(Action.NOTIFY_MANAGER, 2 * HOUR),
    StepPreset(Action.REVIEW, WORKING_DAY, kinds=(Kind.DECISION, Kind.FIRST_CONTACT)),
    StepPreset(Action.REASSIGN, 2 * WORKING_DAY, kinds=service_levels.OFFERS),
    StepPreset(Action.FLAG_CRM, 2 * WORKING_DAY, kinds=(Kind.FIRST_CONTACT,)),
)


def revise_terms(now: datetime, *, by: User) -> None:
    """The second version of each policy: looks and attempts are promised too, and a ladder follows."""
    preset = service_levels.CLASSIC
    policies = tuple(_revised(policy) for policy in preset.policies)
    load_sla_preset(SlaPreset(preset.calendar, policies, preset.alarms), by=by, now=now)


def _revised(policy: PolicyPreset) -> PolicyPreset:
    return replace(policy, targets=(*policy.targets, *ADDED_TARGETS), steps=LADDER)


def answer_after_hours() -> None:
    """Switch the automatic answers on, in the words of the preset that publishes them."""
    words = acknowledgement.HYBRID
    AcknowledgementPolicy.objects.update_or_create(
        defaults={
            "is_active": True,
            "within_minutes": words.within_minutes,
            "subject": words.subject,
            "body": words.body,
        }
    )


def morning_before(moment: datetime) -> datetime:
    """The morning of the last working day up to then."""
    day = moment.replace(hour=8, minute=40, second=0, microsecond=0)
    return day - timedelta(days=max(0, day.weekday() - 4))


def declare_outage(now: datetime, *, started_at: datetime, by: User) -> None:
    """The same afternoon, with the network back, the operator gives the team its morning back."""
    declare_incident(
        what="Sales could not reach the portal: the office network was down",
        started_at=started_at,
        ended_at=started_at + OUTAGE,
        by=by,
        now=now,
    )
