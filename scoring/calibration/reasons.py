"""Which rules had fired on the leads that sales rejected, reason by reason. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.calibration.counts import Counts
from scoring.calibration.figures import Rate, rate_of
from scoring.conversion import Share
from scoring.language.rules import Model


@dataclass(frozen=True, slots=True)
class ReasonFigures:
    """One reason for rejecting: the rules that had fired, with how often they fire among all decided ones."""

    reason: str
    n: int
    rules: Sequence[tuple[str, Rate, Rate | None]] | None


def reason_figures(model: Model, counts: Counts, *, least: int, most: int = 5) -> list[ReasonFigures]:
    """All reasons, the commonest first; without rules where it was given too seldom."""
    names = {rule.key: rule.name for rule in model.rules}
    found = []
    for reason, n in sorted(counts.reasons.items(), key=lambda each: (-each[1], each[0])):
        rules = None
        if n >= least:
            fired = [
                (names[rule_id], rate_of(Share(by_reason[reason], n)), _fires(rule_id, counts))
                for rule_id, by_reason in counts.reasons_by_rule.items()
                if reason in by_reason and rule_id in names
            ]
            known = [(name, rate, base) for name, rate, base in fired if rate is not None]
            rules = sorted(known, key=lambda each: (-each[1].share, each[0]))[:most]
        found.append(ReasonFigures(reason, n, rules))
    return found


def _fires(rule_id: int, counts: Counts) -> Rate | None:
    return rate_of(Share(counts.decided_by_rule.get(rule_id, Share()).n, counts.decided.n))
