"""What there is to learn from at home: each handoff with what was known then and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import connection, models

from scoring import conversion
from scoring.calibration.runs import median_cycles
from scoring.engine import score_pairs
from scoring.models import ModelVersion, Signal
from scoring.outcomes import Outcome, outcomes_between
from scoring.prediction.features import Moment, read_features
from scoring.prediction.tables import Table
from scoring.prediction.wording import group_label, label_of

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
RULES = "rules"
# Moments scored at a time.
BATCH = 500


# As many as `harvest` would find, of the log alone.
_COUNT = """
SELECT count(*) FROM (
  SELECT FROM leads_leadevent
  WHERE handoff_id IS NOT NULL
    AND kind IN ('handed_off', 'rejected', 'withdrawn', 'qualified', 'opportunity', 'won')
  GROUP BY lead_id, handoff_id
  HAVING min(at) FILTER (WHERE kind = 'handed_off') <= %(ripe)s
    AND NOT bool_or(kind = 'rejected' AND coalesce(detail ->> 'type', '') = 'procedural')
    AND (NOT bool_or(kind = 'withdrawn') OR bool_or(kind IN ('qualified', 'opportunity', 'won')))
  LIMIT %(most)s
) example
"""


class Goal(models.TextChoices):
    """What counts as a success of a handoff."""

    SQL = "sql", "Becomes sales-qualified"
    WON = "won", "Is won"


_CYCLE_OF = {Goal.SQL: conversion.Goal.QUALIFIED, Goal.WON: conversion.Goal.WON}


@dataclass(frozen=True, slots=True)
class Example:
    """A handoff old enough to be fair. `known_at` is when it was clear what came of it: the success, the end,
    or the age from which what has not succeeded counts as not converted."""

    lead_id: int
    handed_at: datetime
    succeeded: bool
    known_at: datetime


@dataclass(frozen=True, slots=True)
class Harvest:
    """The examples there are, and how many handoffs are none yet, by reason."""

    examples: list[Example]
    left_out: dict[str, int]
    ripe_after: timedelta

    def newest(self, count: int) -> Harvest:
        """The latest so many of them."""
        if len(self.examples) <= count:
            return self
        latest = sorted(self.examples, key=lambda each: each.handed_at)[-count:]
        more = {"older than the latest that are used": len(self.examples) - count}
        return replace(self, examples=latest, left_out=self.left_out | more)


def harvest(goal: Goal, *, now: datetime) -> Harvest:
    """All handoffs that are mature (SCORE-15): at least as old as those that reached the goal took to it, by
    their median. What has not reached it by then counts as not converted, decided or not; to take only what
    is decided would keep the quick refusals of the latest weeks and lose their successes."""
    ripe_after = ripening(goal, now=now)
    outcomes = [each for each in outcomes_between(BEGINNING, now) if not _says_nothing(each)]
    ripe = [each for each in outcomes if each.handed_at <= now - ripe_after]
    left_out = {"younger than the median cycle": len(outcomes) - len(ripe)}
    return Harvest(
        examples=[_example(each, goal, ripe_after) for each in ripe],
        left_out={reason: count for reason, count in left_out.items() if count},
        ripe_after=ripe_after,
    )


def ripening(goal: Goal, *, now: datetime) -> timedelta:
    """How long half of those that reached the goal took to it; nothing where none has yet."""
    cycles = median_cycles(since=BEGINNING, until=now)
    return cycles.get(_CYCLE_OF[goal], timedelta(0))


def count_examples(goal: Goal, *, now: datetime, most: int) -> int:
    """How many examples a harvest would find; it stops counting at `most`."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, {"ripe": now - ripening(goal, now=now), "most": most})
        count: int = cursor.fetchone()[0]
    return count


def table_of(found: Harvest, goal: Goal) -> Table:
    """The examples with what was known at each handoff, and what the active rules say of that moment."""
    examples = {(each.lead_id, each.handed_at): each for each in found.examples}
    moments, columns = read_features(list(examples))
    names = dict(Signal.objects.current().values_list("key", "name"))
    return Table(
        columns=columns,
        target=[examples[moment].succeeded for moment in moments],
        target_name=goal.label,
        times=[moment.timestamp() for _, moment in moments],
        time_name="handed over",
        known_at=[examples[moment].known_at.timestamp() for moment in moments],
        others=_rules(moments),
        left_out=found.left_out,
        labels={column: label_of(column, names) for column in columns},
        groups={column: group_label(column, names) for column in columns},
    )


def _rules(moments: Sequence[Moment]) -> dict[str, list[float]]:
    version = ModelVersion.objects.active().with_rules().first()
    if version is None:
        return {}
    totals = {
        (result.lead_id, as_of): result.total
        for start in range(0, len(moments), BATCH)
        for as_of, result in score_pairs(version, moments[start : start + BATCH])
    }
    return {RULES: [float(totals.get(moment, 0)) for moment in moments]}


def _says_nothing(outcome: Outcome) -> bool:
    """Passed on to another rep, or taken back by marketing before sales had decided; as `_COUNT` has it."""
    return outcome.is_passed_on or (outcome.withdrawn_at is not None and _qualified_at(outcome) is None)


def _example(outcome: Outcome, goal: Goal, ripe_after: timedelta) -> Example:
    reached = _qualified_at(outcome) if goal is Goal.SQL else outcome.won_at
    known_at = reached or outcome.finished_at or outcome.handed_at + ripe_after
    return Example(outcome.lead_id, outcome.handed_at, reached is not None, known_at)


def _qualified_at(outcome: Outcome) -> datetime | None:
    """A deal says that the lead was qualified, whether or not somebody had written it down."""
    return outcome.qualified_at or outcome.opportunity_at or outcome.won_at
