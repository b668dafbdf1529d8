"""Turn a Model into one SQL statement that scores one lead, many or all, now or in the past (SCORE-9).

How it works: the lead's facts give one flag per fit rule. The lead's signal hits are one sorted array; a
binary search in it (`width_bucket`) tells where a signal or a window ends, and look-ups give the first hit,
the last, and the moment at which the rule changes by itself. Fenced steps lead from there to sums and
verdicts, one row per lead all the way. Integers only: no float, no numeric.

Pure: values in, text out. The statement reads `leads_lead`, `leads_company`, `leads_attributechange`,
`leads_leadevent` and `scoring_signalhit`. Placeholders are psycopg's: see Statement.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from scoring.compiling.behaviour import behaviour
from scoring.compiling.facts import edited, facts
from scoring.compiling.fit import fits
from scoring.compiling.histories import arrivals, histories
from scoring.compiling.layout import Layout, layout_of, moments
from scoring.compiling.ledger import lines
from scoring.compiling.scopes import Scope
from scoring.compiling.verdicts import judged
from scoring.language.rules import Model

__all__ = ["RESULT_COLUMNS", "Scope", "Statement", "compile_model"]

# The result's columns in their order. `adjustment` is what lifted a sum below zero to zero.
RESULT_COLUMNS = (
    "lead_id",
    "total",
    "fit",
    "engagement",
    "readiness",
    "adjustment",
    "category",
    "warmth",
    "icp_match",
    "has_signal",
    "has_red_flag",
    "is_instant_mql",
    "qualifies",
    "next_change_at",
)
_WHOLE = ("fit", "engagement", "readiness")


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL and those of its parameters that the model decides. The caller adds the rest:

    ONE, MANY, RANGE: `as_of` with `lead`, `leads`, or `first` and `last`. MOMENTS: `first`, `last` and
    `points` in order. PAIRS: `leads` and `moments`, of one length. IMAGINED: `as_of`, `facts` (JSON by the
    keys of attributes), `signals` and `times` of one length, `trips`.
    """

    sql: str
    parameters: dict[str, Any] = field(default_factory=dict)


def compile_model(model: Model, scope: Scope, *, ledger: bool = False, historical: bool = False) -> Statement:
    """The statement that yields RESULT_COLUMNS, one row per lead, and a last column `ledger` if asked.

    `historical` computes from what was known at the moment: activities received by then, attributes as they
    were, leads that were there. MOMENTS and PAIRS are historical always, begin with a column `as_of`, and
    MOMENTS leave next_change_at null. Without it all we know counts, and `as_of` is the present. For the
    ledger see `scoring.compiling.ledger`.
    """
    parameters: dict[str, Any] = {}
    layout = layout_of(model, scope, ledger=ledger)
    parts = _parts(
        model, layout, scope, parameters, ledger=ledger, historical=historical or scope.tells_moment
    )
    columns = [f"judged.{name}{'::int' if name in _WHOLE else ''} AS {name}" for name in RESULT_COLUMNS]
    if scope is Scope.MOMENTS:
        columns[-1] = "NULL::timestamptz AS next_change_at"
    if scope.tells_moment:
        columns.insert(0, "judged.as_of")
    source = "judged"
    if ledger:
        columns.append("line.ledger")
        source += f" CROSS JOIN LATERAL (\n{lines(model, layout)}\n) line"
    steps = ",\n".join(f"{name} AS (\n{sql}\n)" for name, sql in parts.items())
    return Statement(f"WITH {steps}\nSELECT {', '.join(columns)}\nFROM {source}", parameters)


def _parts(
    model: Model, layout: Layout, scope: Scope, parameters: dict[str, Any], *, ledger: bool, historical: bool
) -> dict[str, str]:
    parts = {"moments": moments(model, layout)}
    if scope is Scope.MOMENTS:
        parts["edited"] = edited(model)
        if layout.signals:
            parts["arrivals"] = arrivals(layout)
    parts["facts"] = facts(model, scope, historical=historical)
    parts["fits"] = fits(model, scope, parameters, ledger=ledger)
    parts["histories"] = histories(layout, scope, historical=historical)
    parts["behaviour"] = behaviour(model, layout, ledger=ledger)
    parts["judged"] = judged(model)
    return parts
