"""A pilot side by side with the active version: what became of both groups of leads since it began."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from scoring.calibration.runs import USUAL_DAYS, median_cycles
from scoring.conversion import Goal, Maturity, Share, is_about_the_lead, reached
from scoring.lifecycle.membership import count_pilot, pilot_members, segment_members
from scoring.models import ModelVersion, Pilot, ScoringPolicy
from scoring.outcomes import CHUNK, Outcome, outcomes_between


@dataclass(slots=True)
class Population:
    """One of the two groups: how many leads, and how far those handed over since the start came.

    MQLs are a share of the leads; the others of the hand-offs that say something about the lead and, for a
    conversion, are old enough for it.
    """

    label: str
    leads: int
    mql: Share
    accepted: Share
    qualified: Share
    won: Share

    def count(self, outcome: Outcome, maturity: Maturity) -> None:
        if not is_about_the_lead(outcome):
            return
        if outcome.is_decided:
            self.accepted.add(outcome.is_accepted)
        for goal, share in ((Goal.QUALIFIED, self.qualified), (Goal.WON, self.won)):
            if maturity.is_mature(outcome, goal):
                share.add(reached(outcome, goal))


def compare_populations(
    version: ModelVersion, pilot: Pilot, active: ModelVersion | None, *, now: datetime
) -> list[Population]:
    """The pilot's leads, and those of the same segment that stayed with the active version (all others, where
    the pilot takes the whole segment). Hand-offs are read some thousands at a time, whatever their number."""
    if pilot.started_at is None:
        return []
    in_pilot, in_segment, everybody = count_pilot(pilot, as_of=now)
    others = (everybody if pilot.percent == 100 else in_segment) - in_pilot
    least = (ScoringPolicy.objects.first() or ScoringPolicy()).min_outcomes
    name = f"Version {active.number}, active" if active else "No active version"
    inside = _population(f"Version {version.number}, pilot", in_pilot, least)
    beside = _population(name, others, least)
    maturity = _maturity(now)
    handed: tuple[set[int], set[int]] = set(), set()
    for some in _in_chunks(outcomes_between(pilot.started_at, pilot.ended_at or now)):
        members, compared = _sides(pilot, some, now=now)
        handed[0].update(members)
        handed[1].update(compared)
        for outcome in some:
            if outcome.lead_id in members:
                inside.count(outcome, maturity)
            elif outcome.lead_id in compared:
                beside.count(outcome, maturity)
    inside.mql.yes, beside.mql.yes = map(len, handed)
    return [inside, beside]


def _maturity(now: datetime) -> Maturity:
    cycles = median_cycles(since=now - timedelta(days=USUAL_DAYS), until=now)
    return Maturity(now, {Goal(goal): cycle for goal, cycle in cycles.items()})


def _in_chunks(outcomes: Iterator[Outcome]) -> Iterator[list[Outcome]]:
    while some := list(islice(outcomes, CHUNK)):
        yield some


def _sides(pilot: Pilot, outcomes: Sequence[Outcome], *, now: datetime) -> tuple[set[int], set[int]]:
    """Which of their leads are in the pilot, and which are those to compare them with."""
    lead_ids = sorted({outcome.lead_id for outcome in outcomes})
    inside = set(pilot_members(pilot, lead_ids, as_of=now))
    everybody = lead_ids if pilot.percent == 100 else segment_members(pilot, lead_ids, as_of=now)
    return inside, set(everybody) - inside


def _population(label: str, leads: int, least: int) -> Population:
    mql = Share(0, leads, least)
    return Population(label, leads, mql, Share(least=least), Share(least=least), Share(least=least))
