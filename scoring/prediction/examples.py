"""What there is to learn from at home: each handoff with what was known then and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median_low

from django.db import models

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


class Goal(models.TextChoices):
    """What counts as a success of a handoff."""

    SQL = "sql", "Becomes sales-qualified"
    WON = "won", "Is won"


@dataclass(frozen=True, slots=True)
class Example:
    """A handoff whose outcome is known and old enough to be fair."""

    lead_id: int
    handed_at: datetime
    succeeded: bool


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
    """All handoffs that are over and mature (SCORE-15): younger ones than the median cycle are left out,
    since of those only the quick outcomes are known."""
    outcomes = [each for each in outcomes_between(BEGINNING, now) if not _says_nothing(each)]
    decided = [(each, at) for each in outcomes if (at := _decided_at(each, goal)) is not None]
    cycles = [at - each.handed_at for each, at in decided]
    ripe_after = median_low(cycles) if cycles else timedelta(0)
    ripe = [each for each, _ in decided if each.handed_at <= now - ripe_after]
    left_out = {
        "not decided yet": len(outcomes) - len(decided),
        "younger than the median cycle": len(decided) - len(ripe),
    }
    return Harvest(
        examples=[Example(each.lead_id, each.handed_at, _succeeded(each, goal)) for each in ripe],
        left_out={reason: count for reason, count in left_out.items() if count},
        ripe_after=ripe_after,
    )


def table_of(found: Harvest, goal: Goal) -> Table:
    """The examples with what was known at each handoff, and what the active rules say of that moment."""
    succeeded = {(each.lead_id, each.handed_at): each.succeeded for each in found.examples}
    moments, columns = read_features(list(succeeded))
    names = dict(Signal.objects.current().values_list("key", "name"))
    return Table(
        columns=columns,
        target=[succeeded[moment] for moment in moments],
        target_name=goal.label,
        times=[moment.timestamp() for _, moment in moments],
        time_name="handed over",
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
    """Passed on to another rep, or taken back by marketing before sales had decided."""
    return outcome.is_passed_on or (outcome.withdrawn_at is not None and outcome.qualified_at is None)


def _decided_at(outcome: Outcome, goal: Goal) -> datetime | None:
    """When it was clear whether the handoff succeeded; None while it is not."""
    reached = outcome.qualified_at if goal is Goal.SQL else outcome.won_at
    return reached or outcome.rejected_at or outcome.lost_at or outcome.withdrawn_at


def _succeeded(outcome: Outcome, goal: Goal) -> bool:
    return (outcome.qualified_at if goal is Goal.SQL else outcome.won_at) is not None
