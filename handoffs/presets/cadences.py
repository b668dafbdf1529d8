"""How often and when to try: published where it says so, a starting value for the team elsewhere.

Days of working time are counted as eight hours.
"""

from __future__ import annotations

from handoffs.models import Attempt
from handoffs.presets.shapes import CadencePreset, StepPreset

CALL, EMAIL, LINKEDIN = Attempt.Channel.CALL, Attempt.Channel.EMAIL, Attempt.Channel.LINKEDIN
HOUR = 60
DAY = 8 * HOUR

# Starting values.
CLASSIC = (
    CadencePreset(
        name="Any lead",
        steps=(StepPreset(DAY, CALL), StepPreset(3 * DAY, EMAIL), StepPreset(5 * DAY, CALL)),
    ),
)

# The first attempt of A, B and C is published; those after it are starting values.
HYBRID = (
    CadencePreset(
        name="Category A",
        categories=("A",),
        steps=(
            StepPreset(HOUR, CALL),
            StepPreset(4 * HOUR, EMAIL),
            StepPreset(DAY, CALL),
            StepPreset(2 * DAY, CALL),
            StepPreset(4 * DAY, LINKEDIN),
        ),
    ),
    CadencePreset(
        name="Category B",
        categories=("B",),
        steps=(StepPreset(4 * HOUR, CALL), StepPreset(2 * DAY, EMAIL), StepPreset(4 * DAY, CALL)),
    ),
    CadencePreset(name="Any lead", steps=(StepPreset(24 * HOUR, EMAIL), StepPreset(48 * HOUR, CALL))),
)

# Published: first contact within 15 minutes, five to seven attempts within 48 hours by the clock on the wall.
SPEED = (
    CadencePreset(
        name="Any lead",
        steps=tuple(
            StepPreset(minutes, channel, in_working_hours=False)
            for minutes, channel in (
                (15, CALL),
                (2 * HOUR, EMAIL),
                (5 * HOUR, CALL),
                (24 * HOUR, CALL),
                (28 * HOUR, EMAIL),
                (46 * HOUR, CALL),
            )
        ),
    ),
)

# Published: minutes for high scores, hours for lower ones. How many are starting values.
SIX_STEP = (
    CadencePreset(
        name="Category A",
        categories=("A",),
        steps=(StepPreset(15, CALL), StepPreset(4 * HOUR, EMAIL), StepPreset(2 * DAY, CALL)),
    ),
    CadencePreset(
        name="Any lead",
        steps=(StepPreset(4 * HOUR, CALL), StepPreset(2 * DAY, EMAIL), StepPreset(5 * DAY, CALL)),
    ),
)

# Published: a response within four working hours, three attempts within five days.
BANT = (
    CadencePreset(
        name="Any lead",
        steps=(StepPreset(4 * HOUR, CALL), StepPreset(3 * DAY, EMAIL), StepPreset(5 * DAY, CALL)),
    ),
)
