"""Which leads a statement scores, and at which moments."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from scoring.language.rules import Formula, Model

AS_OF = "%(as_of)s::timestamptz"
POINTS = "%(points)s::timestamptz[]"


class Scope(Enum):
    """ONE, MANY or a RANGE of leads at one moment; a range of leads at many MOMENTS; PAIRS of a lead and a
    moment; or an IMAGINED lead, whose facts and hits come as parameters."""

    ONE = "one"
    MANY = "many"
    RANGE = "range"
    MOMENTS = "moments"
    PAIRS = "pairs"
    IMAGINED = "imagined"

    @property
    def tells_moment(self) -> bool:
        """Whether the result begins with a column `as_of`."""
        return self in (Scope.MOMENTS, Scope.PAIRS)

    def on(self, column: str) -> str:
        """The condition on a column that holds the lead's id."""
        return _CONDITIONS[self].format(column)


_CONDITIONS = {
    Scope.ONE: "{} = %(lead)s::bigint",
    Scope.MANY: "{} = ANY(%(leads)s::bigint[])",
    Scope.RANGE: "{} BETWEEN %(first)s::bigint AND %(last)s::bigint",
    Scope.MOMENTS: "{} BETWEEN %(first)s::bigint AND %(last)s::bigint",
    Scope.PAIRS: "{} = ANY(%(leads)s::bigint[])",
}


def hours(count: int) -> str:
    return f"interval '{count} hours'"


def level(columns: list[str], source: str, keep: Sequence[str] = ("*",)) -> str:
    """One fenced step: columns of the source that are still wanted, and these, computed from it.

    OFFSET 0 keeps the planner from repeating an expression wherever its result is used. What is kept costs
    time at every step, also where nobody reads it.
    """
    return f"SELECT {', '.join([*keep, *columns])}\nFROM (\n{source}\n) AS step OFFSET 0"


def is_hybrid(model: Model) -> bool:
    return model.formula is Formula.HYBRID
