"""From sums to the score and what it means."""

from __future__ import annotations

from collections.abc import Iterable

from scoring.compiling.fit import factor
from scoring.compiling.scopes import hours, is_hybrid, level
from scoring.language.rules import PER_MILLE, BehaviourRule, Category, FitRule, Formula, Model, Warmth

_REST = f"'{Category.C}'"


def judged(model: Model) -> str:
    """All of the result's columns, beside those that the ledger needs."""
    fresh = f"as_of - {hours(model.signal_hours)}"
    steps = (
        [f"{_kept(model)} AS kept"],
        [f"{decayed(model, 'earned')} AS decayed"],
        [
            "decayed + lost AS engagement",
            f"{_next_change(model)} AS next_change_at",
            *(f"coalesce({seen_at} > {fresh}, false) AS {name}" for seen_at, name in _FRESH.items()),
        ],
        [f"{readiness(model, model.multipliers)} AS readiness"],
        [f"{weighted(model, 'fit', 'engagement', 'readiness')} AS summed"],
        _verdicts(model),
    )
    source = "SELECT * FROM behaviour"
    for columns in steps:
        source = level(columns, source)
    return source


_FRESH = {"signalled_at": "has_signal", "instant_at": "is_instant_mql", "raised_at": "is_raised"}


def _kept(model: Model) -> str:
    """What the decay of the model leaves, in per mille."""
    steps = "".join(
        f" WHEN as_of >= engaged_at + {hours(step.after_hours)} THEN {step.per_mille}"
        for step in reversed(model.decay)
    )
    return f"CASE{steps} ELSE {PER_MILLE} END" if steps else str(PER_MILLE)


def decayed(model: Model, earned: str, kept: str = "kept") -> str:
    """Earned points after decay. Never falls as `earned` grows, so no share of it is negative."""
    return f"greatest({earned} * {kept} / {PER_MILLE}, least({earned}, {model.decay_floor}))"


def readiness(model: Model, multipliers: Iterable[FitRule | BehaviourRule]) -> str:
    """Readiness after these of the multipliers, each rounded by itself."""
    if not is_hybrid(model):
        return "fit"
    expression = "greatest(fit + engagement, 0)"
    for rule in multipliers:
        expression = f"({expression} * {factor(rule)} / {PER_MILLE})"
    return expression


def weighted(model: Model, fit: str, engagement: str, readiness: str) -> str:
    """The sum by the formula, which may still be negative."""
    if not is_hybrid(model):
        return f"({fit} + {engagement})"
    share = model.engagement_percent
    return f"(({engagement} * {share} + {readiness} * {100 - share}) / 100)"


def _next_change(model: Model) -> str:
    lasts = hours(model.signal_hours)
    moments = ["changes_at"]
    for step in model.decay:
        then = f"engaged_at + {hours(step.after_hours)}"
        differs = f"{decayed(model, 'earned', str(step.per_mille))} <> decayed"
        moments.append(f"CASE WHEN {then} > as_of AND {differs} THEN {then} END")
    moments += [f"CASE WHEN {seen_at} + {lasts} > as_of THEN {seen_at} + {lasts} END" for seen_at in _FRESH]
    return f"least({', '.join(moments)})"


def _verdicts(model: Model) -> list[str]:
    tiers = "".join(
        f" WHEN engagement >= {tier.min_engagement} AND readiness >= {tier.min_readiness}"
        f" THEN '{tier.category}'"
        for tier in model.categories
    )
    red_flag = "(fit_disqualifies OR behaviour_disqualifies)"
    reaches = (
        "" if model.formula is Formula.CHECKLIST else f" AND (summed >= {model.threshold} OR is_instant_mql)"
    )
    return [
        "greatest(summed, 0)::int AS total",
        "greatest(-summed, 0)::int AS adjustment",
        f"{f'CASE{tiers} ELSE {_REST} END' if tiers else _REST} AS category",
        f"CASE WHEN is_raised THEN '{Warmth.HAND_RAISER}' WHEN returned_at <= as_of THEN '{Warmth.RETURNING}'"
        f" WHEN decayed > 0 THEN '{Warmth.ACCUMULATED}' ELSE '{Warmth.COLD}' END AS warmth",
        f"fit >= {model.icp_from} AS icp_match",
        f"{red_flag} AS has_red_flag",
        f"fit >= {model.icp_from} AND has_signal AND NOT {red_flag}{reaches} AS qualifies",
    ]
