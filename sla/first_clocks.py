"""Writing the clocks that begin with a handoff: together with the policy they pin, in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from common.bulk import as_rows, inserting_whole
from common.prepared import ask_prepared
from sla.models import Clock


def insert_first_clocks(clocks: Sequence[Clock], *, handoff_id: int, version_id: int) -> None:
    """Insert the clocks, at most one of a kind, and give them their ids; keep which version holds."""
    parameters = {"handoff": handoff_id, "version": version_id, "rows": as_rows(clocks)}
    ids = dict(ask_prepared(_insert(), parameters))
    for clock in clocks:
        clock.pk = ids[clock.kind]
        clock._state.adding = False


@cache
def _insert() -> str:
    # Prepared: to read and plan it takes longer than to insert a few rows.
    return f"""
        WITH pinned AS (
            INSERT INTO sla_pinnedpolicy (handoff_id, version_id)
            VALUES (%(handoff)s::bigint, %(version)s::bigint)
        )
        {inserting_whole(Clock)}
        RETURNING kind, id"""
