"""What a rep makes of a lead, given who it really is: accept, or reject and why, and how it ends. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from operations.demo.personas import Persona

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Refusal:
    """A reason for saying no, by the code of the rejection reason, with what the rep writes beside it."""

    code: str
    notes: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Temper:
    """How sales fares with a persona: shares from 0 to 1, and the reasons for which they are refused."""

    accepted: float
    refusals: tuple[tuple[Refusal, int], ...]
    reached: float = 0.45
    qualified: float = 0.4
    won: float = 0.35


WRONG_ICP = Refusal(
    "wrong-icp",
    (
        "The form says 120 people; it is an agency of six.",
        "Counts the whole franchise. This shop has four people and no warehouse.",
        "Asks for a client of theirs that has not decided anything.",
    ),
)
THESIS = Refusal("wrong-icp", ("Writes a thesis, buys nothing.", "University, asked for data for a paper."))
RIVAL = Refusal("competitor-or-spam", ("Works for a competitor, reads our price list.",))
PREMATURE = Refusal(
    "premature",
    (
        "Budget round is next year; wants to hear from us in spring.",
        "ERP migration first, planning afterwards.",
        "Only collecting information at this stage.",
    ),
)
DUPLICATE = Refusal("duplicate", ("Same person, second address.",))
UNREACHABLE = Refusal("unreachable", ("No answer on any channel.", "Number is not in service, mail bounced."))
NO_BUDGET = Refusal("no-budget", ("Freeze on new software until the next fiscal year.",))
NO_AUTHORITY = Refusal("no-authority", ("Decision sits with the parent company.",))
NO_NEED = Refusal(
    "no-need", ("Their ERP module does what they need.", "Three orders a day: a list is enough.")
)
NO_TIMELINE = Refusal("no-timeline", ("Interested, nothing planned in the next twelve months.",))
REGION = Refusal("unsuitable-region", ("Operates only where we have no partner.",))
NOT_MINE = Refusal("wrong-rep")
BAD_DATA = Refusal(
    "bad-data",
    ("The number belongs to another company.", "Two people in one: name and address do not match."),
)

AFTER_A_TALK = ((NO_BUDGET, 4), (NO_NEED, 3), (NO_AUTHORITY, 2), (NO_TIMELINE, 3))
AT_FIRST_SIGHT = ((PREMATURE, 4), (WRONG_ICP, 2), (REGION, 1), (BAD_DATA, 1), (NOT_MINE, 1))

TEMPERS: Mapping[Persona, Temper] = {
    Persona.CHAMPION: Temper(0.95, AT_FIRST_SIGHT, reached=0.62, qualified=0.72, won=0.45),
    Persona.HAND_RAISER: Temper(0.88, AT_FIRST_SIGHT, reached=0.55, qualified=0.5, won=0.34),
    Persona.EVALUATOR: Temper(0.8, AT_FIRST_SIGHT, reached=0.42, qualified=0.42, won=0.3),
    Persona.TOO_EARLY: Temper(0.25, ((PREMATURE, 1),), reached=0.5, qualified=0.2),
    Persona.TOO_SMALL: Temper(0.12, ((WRONG_ICP, 1),), qualified=0.1),
    Persona.SECOND_ADDRESS: Temper(0.0, ((DUPLICATE, 1),)),
    Persona.RIVAL: Temper(0.0, ((RIVAL, 1),)),
    Persona.STUDENT: Temper(0.0, ((THESIS, 1),)),
    Persona.JOB_SEEKER: Temper(0.0, ((WRONG_ICP, 1),)),
}
# Whoever else gets through is judged like a shortlister, only more sceptically.
OTHERS = Temper(0.6, AT_FIRST_SIGHT, reached=0.35, qualified=0.3, won=0.25)
RETURNED_IN_EARNEST = Temper(0.92, AT_FIRST_SIGHT, reached=0.7, qualified=0.7, won=0.5)

LOST_REASONS = (
    "Chose Plannix on price",
    "Project stopped by the board",
    "No decision",
    "Stayed with the ERP module",
)

# How many rejections in a hundred are a slip of the thumb, taken back at once.
SLIPS = 3

# Who grows has a reason to buy now. It shows in what calibration finds about growth.
GROWTH_HELPS = 1.5


def temper_of(persona: Persona, *, returning: bool, growing: bool) -> Temper:
    temper = TEMPERS.get(persona, OTHERS)
    if returning and persona in (Persona.TOO_EARLY, Persona.CHAMPION, Persona.EVALUATOR):
        temper = RETURNED_IN_EARNEST
    return replace(temper, won=temper.won * GROWTH_HELPS) if growing else temper


def pick_refusal(rng: random.Random, refusals: tuple[tuple[Refusal, int], ...]) -> tuple[str, str]:
    """The code of a reason and the note written beside it."""
    refusal = rng.choices([one for one, _ in refusals], [weight for _, weight in refusals])[0]
    return refusal.code, rng.choice(refusal.notes)


def time_to_open(rng: random.Random) -> timedelta:
    """Working time until the rep first looks: half within a quarter of an hour, some much later."""
    return min(rng.lognormvariate(-1.4, 1.1), 20.0) * HOUR


class Haste(Enum):
    """How soon a rep decides about an offer."""

    PROMPT = "within a morning"
    LATER = "in time, just"
    LATE = "after the deadline"


USUAL_HASTE = ((Haste.PROMPT, 74), (Haste.LATER, 20), (Haste.LATE, 6))
# In a busy week a rep deals with one lead, lets one lie, deals with the next.
BUSY_HASTE = (Haste.LATE, Haste.PROMPT, Haste.LATER, Haste.LATE, Haste.PROMPT)


def usual_haste(rng: random.Random) -> Haste:
    return rng.choices([haste for haste, _ in USUAL_HASTE], [weight for _, weight in USUAL_HASTE])[0]


def time_to_decide(rng: random.Random, haste: Haste) -> timedelta:
    """Working time from the handoff to the decision."""
    if haste is Haste.PROMPT:
        return min(0.2 + rng.lognormvariate(0.1, 0.9), 12.0) * HOUR
    if haste is Haste.LATER:
        return rng.uniform(6, 21) * HOUR
    return rng.uniform(30, 64) * HOUR
