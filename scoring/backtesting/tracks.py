"""How leads stood under a version at several past moments, as known at each: tracks for a backtest."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from scoring.backtesting.replay import AT_ONCE, NEVER, Track
from scoring.compile import Scope
from scoring.engine import compiled, model_of
from scoring.language.rules import Formula
from scoring.models import ModelVersion

# The engine's statement yields one row for each lead and moment at which we knew the lead.
_TRACKS = """
SELECT lead_id, array_agg(reach ORDER BY as_of), array_agg(total ORDER BY as_of)
FROM (
    SELECT lead_id, as_of, total,
        CASE WHEN NOT icp_match OR NOT has_signal OR has_red_flag THEN {never}
             WHEN is_instant_mql OR {always} THEN {at_once}
             ELSE total END AS reach
    FROM ({scored}) scored
) tracked
GROUP BY lead_id
HAVING max(reach) >= %(lowest)s::int
"""


def tracks_of(
    version: ModelVersion, *, first: int, last: int, points: Sequence[datetime], lowest: int
) -> dict[int, Track]:
    """Of the leads with ids from first to last that ever meet a threshold of `lowest`; by what was known at
    each point alone: no later activity, none that reached us later, no later fact."""
    statement = compiled(version, Scope.MOMENTS, ledger=False, historical=True)
    checklist = model_of(version).formula is Formula.CHECKLIST
    sql = _TRACKS.format(
        never=NEVER, at_once=AT_ONCE, always="true" if checklist else "false", scored=statement.sql
    )
    parameters: dict[str, Any] = {"first": first, "last": last, "points": list(points), "lowest": lowest}
    with connection.cursor() as cursor:
        cursor.execute(sql, {**statement.parameters, **parameters})
        return {
            lead_id: Track(_from_the_start(reach, points, NEVER), _from_the_start(totals, points, 0))
            for lead_id, reach, totals in cursor.fetchall()
        }


def _from_the_start(values: list[int], points: Sequence[datetime], before: int) -> list[int]:
    """A lead we came to know on the way has no rows before that."""
    return [before] * (len(points) - len(values)) + values
