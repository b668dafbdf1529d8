"""What a page of the queue shows, in one statement: counts of the tabs, ids of the rows, and a token that
changes whenever they could look different.

Every page of the queue asks for it every few seconds, and most of the time nothing has changed. Composing the
statement takes Django ten times as long as PostgreSQL needs to answer, so without filters it is composed once
per kind of viewer, with placeholders for who they are, and prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from common.counting import MOST_COUNTED, BoundedCount
from common.prepared import execute_prepared
from handoffs.models import HandoffQuerySet
from handoffs.queue.filters import QueueFilter
from handoffs.queue.tabs import Tab, handoffs_in_tab, tabs_of
from sla.models import Clock, Target

# Nobody works through more rows than this; the page says how many there are and how to narrow them.
MOST_ROWS = 100

# Stand for the viewer and their team where a statement is composed once for all: no row has such a key.
_ANYBODY, _ANY_TEAM = 2**62 + 1, 2**62 + 2


@dataclass(frozen=True)
class QueueState:
    """`token` is equal as long as no row and no count could look different."""

    counts: dict[str, BoundedCount]
    ids: list[int]
    token: str


def read_queue_state(user: User, chosen: QueueFilter) -> QueueState:
    """Every logged change bumps the lead's revision and every changed score is stamped, so neither rendering
    nor reading the rows is needed to know that nothing happened."""
    with connection.cursor() as cursor:
        if chosen.narrows:
            cursor.execute(*_compose(user, chosen))
        else:
            sql = _composed_once(user.role, user.team_id is not None, chosen.tab, (MOST_ROWS, MOST_COUNTED))
            facts = {"viewer": user.pk, "team": user.team_id}
            execute_prepared(cursor, sql, {name: facts[name] for name in facts if f"%({name})s" in sql})
        (row,) = cursor.fetchall()
    *counted, which, revisions, scored, ids = row
    tabs = [tab.value for tab in tabs_of(user)]
    return QueueState(
        counts=dict(zip(tabs, map(BoundedCount, counted), strict=True)),
        ids=ids or [],
        token=_token(user, chosen, counted, which, revisions, scored),
    )


def _token(
    user: User,
    chosen: QueueFilter,
    counted: Sequence[int],
    which: int | None,
    revisions: int | None,
    scored: datetime | None,
) -> str:
    parts = (user.pk, chosen.tab, *counted, which or 0, revisions or 0, scored.timestamp() if scored else 0)
    return ".".join(map(str, parts))


@lru_cache(maxsize=64)
def _composed_once(role: str, has_team: bool, tab: str, limits: tuple[int, int]) -> str:
    """The statement for whoever has this role and tab, with placeholders for them and their team.

    The limits stand in it too, so a statement is kept only for as long as they hold.

    Everything else stands in the text: PostgreSQL uses a partial index only where it reads the condition.
    """
    anybody = User(pk=_ANYBODY, role=role, team_id=_ANY_TEAM if has_team else None)
    sql, values = _compose(anybody, QueueFilter(tab=tab))
    names = {_ANYBODY: "%(viewer)s::bigint", _ANY_TEAM: "%(team)s::bigint"}
    return sql % tuple(names.get(value) or _literal(value) for value in values)


def _literal(value: object) -> str:
    """A value of our own code as SQL. Raises TypeError for what could come from outside."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.isidentifier():
        return f"'{value}'"
    raise TypeError(f"{value!r} is no constant of a statement")


# --- The statement -------------------------------------------------------------------------------


def _compose(viewer: User, chosen: QueueFilter) -> tuple[str, tuple[Any, ...]]:
    """The statement and its values. What counting and listing cost is bounded, however many are open."""
    shown, values = _shown(chosen.apply(handoffs_in_tab(viewer, chosen.tab)), chosen.tab)
    counts = []
    for tab in tabs_of(viewer):
        sql, more = _parts_of(handoffs_in_tab(viewer, tab).values("id")[: MOST_COUNTED + 1])
        counts.append(f"(SELECT count(*) FROM ({sql}) AS counted)")
        values += more
    return (
        f"{shown} SELECT {', '.join(counts)}, bit_xor(handoff.id), sum(lead.revision), max(score.scored_at),"
        " array_agg(handoff.id) FROM shown JOIN handoffs_handoff AS handoff USING (id)"
        " JOIN leads_lead AS lead ON lead.id = handoff.lead_id"
        " LEFT JOIN scoring_leadscore AS score ON score.lead_id = lead.id"
    ), values


def _shown(handoffs: HandoffQuerySet, tab: str) -> tuple[str, tuple[Any, ...]]:
    """WITH … `shown`: the ids of the rows. One's own are few, so all of them.

    Of the others only the most urgent, by walking the clocks in the order in which they fall due; where
    these do not fill a page, those without a running clock, by category and age.
    """
    if tab == Tab.MINE:
        sql, values = _parts_of(handoffs.values("id"))
        return f"WITH shown AS MATERIALIZED ({sql})", values
    ticking = Clock.objects.ticking().exclude(kind=Target.Kind.CRM_TRANSFER)
    due = ticking.filter(handoff_id__in=handoffs.values("id")).order_by("due_at", "id")
    # A handoff has one clock of a kind at most, so this many clocks are of enough handoffs.
    walk, values = _parts_of(due.values("handoff_id", "due_at")[: MOST_ROWS * len(Target.Kind.values)])
    undated = handoffs.filter(~Exists(ticking.filter(handoff_id=OuterRef("pk"))))
    in_order = undated.order_by("category", "created_at", "id").values("id")[:MOST_ROWS]
    rest, more = _parts_of(in_order)
    return (
        f"WITH dated AS MATERIALIZED (SELECT handoff_id AS id FROM ({walk}) AS walk"
        f" GROUP BY handoff_id ORDER BY min(due_at), handoff_id LIMIT {MOST_ROWS}),"
        f" missing AS MATERIALIZED (SELECT {MOST_ROWS} - count(*) AS rows FROM dated),"
        f" undated AS (SELECT id FROM ({rest}) AS rest WHERE (SELECT rows FROM missing) > 0"
        " LIMIT (SELECT rows FROM missing)),"
        " shown AS MATERIALIZED (SELECT id FROM dated UNION ALL SELECT id FROM undated)"
    ), values + more


def _parts_of(queryset: QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)
