"""A pilot side by side with the active version: what became of both groups of leads since it began."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from scoring.intervals import wilson
from scoring.membership import count_pilot, pilot_members, segment_members
from scoring.models import ModelVersion, Pilot, ScoringPolicy
from scoring.outcomes import Outcome, outcomes_between


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with the interval in which the true share lies with 95 % confidence."""

    count: int
    of: int
    enough: bool

    @property
    def percent(self) -> str:
        return f"{100 * self.count / self.of:.1f} %" if self.of else "—"

    @property
    def words(self) -> str:
        if not self.of:
            return "none yet"
        if not self.enough:
            return "too few outcomes"
        low, high = wilson(self.count, self.of)
        return f"between {100 * low:.1f} and {100 * high:.1f} %"


@dataclass(frozen=True, slots=True)
class Population:
    """One of the two groups: how many leads, and how far those handed over since the start came."""

    label: str
    leads: int
    mql: Share
    accepted: Share
    qualified: Share
    won: Share


def compare_populations(
    version: ModelVersion, pilot: Pilot, active: ModelVersion | None, *, now: datetime
) -> list[Population]:
    """The pilot's leads, and those of the same segment that stayed with the active version (all others, where
    the pilot takes the whole segment)."""
    if pilot.started_at is None:
        return []
    outcomes = list(outcomes_between(pilot.started_at, pilot.ended_at or now))
    lead_ids = sorted({outcome.lead_id for outcome in outcomes})
    inside = set(pilot_members(pilot, lead_ids, as_of=now))
    whole = pilot.percent == 100
    beside = set(lead_ids) if whole else set(segment_members(pilot, lead_ids, as_of=now))
    in_pilot, in_segment, everybody = count_pilot(pilot, as_of=now)
    others = (everybody if whole else in_segment) - in_pilot
    enough = (ScoringPolicy.objects.first() or ScoringPolicy()).min_outcomes
    name = f"Version {active.number}, active" if active else "No active version"
    of_pilot = [one for one in outcomes if one.lead_id in inside]
    of_others = [one for one in outcomes if one.lead_id in beside - inside]
    return [
        _population(f"Version {version.number}, pilot", in_pilot, of_pilot, enough),
        _population(name, others, of_others, enough),
    ]


def _population(label: str, leads: int, outcomes: Sequence[Outcome], enough: int) -> Population:
    handed = len({outcome.lead_id for outcome in outcomes})

    def share(count: int) -> Share:
        return Share(count, len(outcomes), enough=len(outcomes) >= enough)

    return Population(
        label,
        leads,
        mql=Share(handed, leads, enough=leads >= enough),
        accepted=share(sum(outcome.accepted_at is not None for outcome in outcomes)),
        qualified=share(sum(outcome.qualified_at is not None for outcome in outcomes)),
        won=share(sum(outcome.won_at is not None for outcome in outcomes)),
    )
