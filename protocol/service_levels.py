"""The service levels of the five published protocols (chapter 12), and what follows a breach of them.

Numbers that the protocol publishes say so; all others are starting values, to be tuned to the team. Minutes
of working time are counted by the calendar of the owner, eight hours a day unless somebody changes it.
"""

from __future__ import annotations

from sla.models import EscalationStep, Target, Ticket
from sla.presets import CalendarPreset, PolicyPreset, SlaPreset, StepPreset, TargetPreset

HOUR = 60
DAY = 24 * HOUR
WORKING_DAY = 8 * HOUR

Action, Kind, Mode = EscalationStep.Action, Target.Kind, Target.Mode

OFFICE = CalendarPreset(name="Office hours", time_zone="UTC")

# Only an offer that nobody has taken up goes to the next rep; who talks to a lead keeps it.
OFFERS = (Kind.OPENED, Kind.DECISION)

# A starting value: a lead that asks for a little time gets it, and none is parked for good.
LONGEST_PAUSE = 14 * DAY


# --- classic ------------------------------------------------------------------------------------

# Published: a breach goes to the manager's review. That the owner is reminded too is a starting value.
_TO_REVIEW = (StepPreset(Action.REMIND), StepPreset(Action.REVIEW))

# Published: demo requests the same day, otherwise 24 business hours.
CLASSIC = SlaPreset(
    calendar=OFFICE,
    policies=(
        PolicyPreset(
            name="Demo requests",
            is_instant_mql=True,
            targets=(
                TargetPreset(Kind.DECISION, Mode.SAME_DAY),
                TargetPreset(Kind.FIRST_CONTACT, Mode.SAME_DAY),
            ),
            steps=_TO_REVIEW,
        ),
        PolicyPreset(
            name="All other leads",
            targets=(
                TargetPreset(Kind.DECISION, Mode.BUSINESS, 24 * HOUR),
                TargetPreset(Kind.FIRST_CONTACT, Mode.BUSINESS, 24 * HOUR),
            ),
            steps=_TO_REVIEW,
        ),
    ),
)


# --- hybrid -------------------------------------------------------------------------------------


def _by_category(name: str, *, category: str, within: int) -> PolicyPreset:
    """Published: the first contact `within` so many minutes of working time, two hours into the next business
    day when the lead comes in after hours; the rep is told within 30 minutes; quality check within 24 hours.
    """
    return PolicyPreset(
        name=name,
        category=category,
        targets=(
            TargetPreset(Kind.NOTIFICATION, Mode.BUSINESS, 30),
            # A starting value: half of the time to decide, half of it to call.
            TargetPreset(Kind.DECISION, Mode.BUSINESS, within // 2),
            TargetPreset(
                Kind.FIRST_CONTACT,
                Mode.BUSINESS,
                within,
                after_hours_minutes=2 * HOUR,
                max_pause_minutes=LONGEST_PAUSE,
            ),
            TargetPreset(Kind.QUALITY_CHECK, Mode.WALL, 24 * HOUR),
        ),
        steps=(
            StepPreset(Action.REMIND),
            StepPreset(Action.NOTIFY_MANAGER, 30),
            StepPreset(Action.REASSIGN, HOUR, kinds=OFFERS),
            StepPreset(Action.REVIEW, 2 * HOUR),
            StepPreset(Action.FLAG_CRM, 4 * HOUR),
        ),
    )


HYBRID = SlaPreset(
    calendar=OFFICE,
    policies=(
        _by_category("A leads", category="A", within=HOUR),
        _by_category("B leads", category="B", within=4 * HOUR),
        # Whatever has no category counts as C.
        _by_category("C leads", category="", within=24 * HOUR),
    ),
)


# --- speed --------------------------------------------------------------------------------------

# Published: transfer within 5 minutes, first contact within 15, five to seven attempts within 48 hours, bad
# leads returned with a reason within 24 hours, an alarm for what is not opened within 15 minutes. All by the
# clock on the wall; what comes in after hours waits for the next opening, as in SLA-3.
SPEED = SlaPreset(
    calendar=OFFICE,
    policies=(
        PolicyPreset(
            name="Every lead at once",
            targets=(
                TargetPreset(Kind.CRM_TRANSFER, Mode.WALL, 5, max_pause_minutes=0),
                TargetPreset(Kind.OPENED, Mode.WALL, 15, after_hours_minutes=15),
                TargetPreset(Kind.FIRST_CONTACT, Mode.WALL, 15, after_hours_minutes=2 * HOUR),
                TargetPreset(Kind.CADENCE, Mode.WALL, 48 * HOUR, attempts=5, max_pause_minutes=LONGEST_PAUSE),
                TargetPreset(Kind.RETURN, Mode.WALL, 24 * HOUR),
            ),
            # Starting values.
            steps=(
                StepPreset(Action.REMIND),
                StepPreset(Action.NOTIFY_MANAGER, 5),
                StepPreset(Action.REASSIGN, 15, kinds=OFFERS),
                StepPreset(Action.REST, 15, kinds=OFFERS, lapses=3),
                StepPreset(Action.REVIEW, 30),
                StepPreset(Action.FLAG_CRM, HOUR),
            ),
        ),
    ),
    alarms={Ticket.Alarm.NOT_OPENED: None},
)


# --- six-step -----------------------------------------------------------------------------------


def _or_the_next_rep(name: str, *, category: str, within: int, reassigned_after: int) -> PolicyPreset:
    """Published: minutes for high scores, hours for lower ones, and as a fallback the next rep gets it. How
    many are starting values."""
    return PolicyPreset(
        name=name,
        category=category,
        targets=(
            TargetPreset(Kind.DECISION, Mode.BUSINESS, within),
            TargetPreset(Kind.FIRST_CONTACT, Mode.BUSINESS, within, max_pause_minutes=LONGEST_PAUSE),
        ),
        steps=(
            StepPreset(Action.REMIND),
            StepPreset(Action.REASSIGN, reassigned_after, kinds=(Kind.DECISION, Kind.FIRST_CONTACT)),
            StepPreset(Action.NOTIFY_MANAGER, reassigned_after),
            StepPreset(Action.REVIEW, 2 * reassigned_after),
        ),
    )


SIX_STEP = SlaPreset(
    calendar=OFFICE,
    policies=(
        _or_the_next_rep("High scores", category="A", within=15, reassigned_after=15),
        _or_the_next_rep("Lower scores", category="", within=4 * HOUR, reassigned_after=2 * HOUR),
    ),
)


# --- bant ---------------------------------------------------------------------------------------

RESPONSE = 4 * HOUR
AT_MOST = 24 * HOUR

# Published: a response within 4 business hours, 24 at most; three attempts in five days; escalation.
BANT = SlaPreset(
    calendar=OFFICE,
    policies=(
        PolicyPreset(
            name="Every lead within 4 hours",
            targets=(
                TargetPreset(Kind.DECISION, Mode.BUSINESS, RESPONSE),
                TargetPreset(Kind.FIRST_CONTACT, Mode.BUSINESS, RESPONSE, max_pause_minutes=LONGEST_PAUSE),
                TargetPreset(Kind.CADENCE, Mode.BUSINESS, 5 * WORKING_DAY, attempts=3),
            ),
            steps=(
                StepPreset(Action.REMIND),
                # A starting value: when it has taken twice as long as promised.
                StepPreset(Action.NOTIFY_MANAGER, RESPONSE),
                # At the latest, 24 hours after it came in.
                StepPreset(Action.REVIEW, AT_MOST - RESPONSE),
                StepPreset(Action.FLAG_CRM, AT_MOST - RESPONSE),
            ),
        ),
    ),
)
