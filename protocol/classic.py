"""The service levels of the `classic` preset: demo requests the same day, otherwise 24 business hours."""

from __future__ import annotations

from sla.models import Target
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, TargetPreset

WITHIN = 24 * 60  # minutes of working time, so about three days

SLA = SlaPreset(
    calendar=CalendarPreset(name="Office hours", time_zone="UTC"),
    policies=(
        PolicyPreset(
            name="Demo requests",
            is_instant_mql=True,
            targets=(
                TargetPreset(kind=Target.Kind.DECISION, mode=Target.Mode.SAME_DAY),
                TargetPreset(kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.SAME_DAY),
            ),
        ),
        PolicyPreset(
            name="All other leads",
            targets=(
                TargetPreset(kind=Target.Kind.DECISION, mode=Target.Mode.BUSINESS, minutes=WITHIN),
                TargetPreset(kind=Target.Kind.FIRST_CONTACT, mode=Target.Mode.BUSINESS, minutes=WITHIN),
            ),
        ),
    ),
)
