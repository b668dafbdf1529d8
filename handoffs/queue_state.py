"""What a page of the queue shows, in one statement: counts of the tabs, ids of the rows, and a token that
changes whenever they could look different.

Every page of the queue asks for it every few seconds, and most of the time nothing has changed. Composing the
statement takes Django ten times as long as PostgreSQL needs to answer, so it is composed once per kind of
viewer and choice of filters, with placeholders for who they are and what they search for, and prepared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from accounts.models import User
from common.counting import MOST_COUNTED, BoundedCount
from common.prepared import TEAM, VIEWER, ask_prepared, written_out
from handoffs.models import HandoffQuerySet
from handoffs.queue.filters import QueueFilter
from handoffs.queue.search import WORD_PLACEHOLDERS, stand_in_for, word_patterns
from handoffs.queue.tabs import Tab, handoffs_in_tab, tabs_of
from sla.models import Clock, Target

# What one looks through at first, and what one may ask for: nobody works through more rows. The page says how
# many there are and how to narrow them.
PAGE_ROWS = 50
MOST_ROWS = 100


@dataclass(frozen=True)
class QueueState:
    """`token` is equal as long as no row and no count could look different. Of the ids the most urgent
    `most_rows` are shown."""

    counts: dict[str, BoundedCount]
    ids: list[int]
    most_rows: int
    token: str


def read_queue_state(user: User, chosen: QueueFilter) -> QueueState:
    """Every logged change bumps the lead's revision and every changed score is stamped, so neither rendering
    nor reading the rows is needed to know that nothing happened."""
    most = MOST_ROWS if chosen.more else PAGE_ROWS
    kind = replace(chosen, q=stand_in_for(chosen.q))
    sql = _composed_once(user.role, user.team_id is not None, kind, (most, MOST_COUNTED))
    (row,) = ask_prepared(sql, {"viewer": user.pk, "team": user.team_id} | word_patterns(chosen.q))
    *counted, which, revisions, scored, ids = row
    tabs = [tab.value for tab in tabs_of(user)]
    return QueueState(
        counts=dict(zip(tabs, map(BoundedCount, counted), strict=True)),
        ids=ids or [],
        most_rows=most,
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


@lru_cache(maxsize=128)
def _composed_once(role: str, has_team: bool, chosen: QueueFilter, limits: tuple[int, int]) -> str:
    """The statement for whoever has this role and asks for this. The limits stand in it too, so a statement
    is kept only for as long as they hold."""
    anybody = User(pk=VIEWER, role=role, team_id=TEAM if has_team else None)
    return written_out(*_compose(anybody, chosen, most=limits[0]), WORD_PLACEHOLDERS)


# --- The statement -------------------------------------------------------------------------------


def _compose(viewer: User, chosen: QueueFilter, *, most: int) -> tuple[str, tuple[Any, ...]]:
    """The statement and its values. What counting and listing cost is bounded, however many are open."""
    shown, values = _shown(chosen.apply(handoffs_in_tab(viewer, chosen.tab)), chosen, most=most)
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


def _shown(handoffs: HandoffQuerySet, chosen: QueueFilter, *, most: int) -> tuple[str, tuple[Any, ...]]:
    """WITH … `shown`: the ids of the rows. One's own are few, so all of them.

    Of the others only the most urgent, by walking the clocks in the order in which they fall due; where
    these do not fill a page, those without a running clock, by category and age.
    """
    if chosen.tab == Tab.MINE:
        sql, values = _parts_of(handoffs.values("id"))
        return f"WITH shown AS MATERIALIZED ({sql})", values
    ticking = Clock.objects.ticking().kept_by_reps()
    if chosen.tab == Tab.ALL and not chosen.q:
        # Most clocks that run are of these: look at each in turn until there are enough. The planner expects
        # few handoffs and would read all of them first; a subquery with a limit it leaves where it stands.
        one = handoffs.filter(pk=OuterRef("handoff_id")).values("pk")[:1]
        theirs = ticking.alias(one=Subquery(one)).filter(one__isnull=False)
    else:
        theirs = ticking.filter(handoff_id__in=handoffs.values("id"))
    due = theirs.order_by("due_at", "id")
    # A handoff has one clock of a kind at most, so this many clocks are of enough handoffs.
    kinds = len(Target.Kind) - len(Target.OURS)
    walk, values = _parts_of(due.values("handoff_id", "due_at")[: most * kinds])
    undated = handoffs.filter(~Exists(ticking.filter(handoff_id=OuterRef("pk"))))
    in_order = undated.order_by("category", "created_at", "id").values("id")[:most]
    rest, more = _parts_of(in_order)
    return (
        f"WITH dated AS MATERIALIZED (SELECT handoff_id AS id FROM ({walk}) AS walk"
        f" GROUP BY handoff_id ORDER BY min(due_at), handoff_id LIMIT {most}),"
        f" missing AS MATERIALIZED (SELECT {most} - count(*) AS rows FROM dated),"
        f" undated AS (SELECT id FROM ({rest}) AS rest WHERE (SELECT rows FROM missing) > 0"
        " LIMIT (SELECT rows FROM missing)),"
        " shown AS MATERIALIZED (SELECT id FROM dated UNION ALL SELECT id FROM undated)"
    ), values + more


def _parts_of(queryset: QuerySet[Any, Any]) -> tuple[str, tuple[Any, ...]]:
    sql, values = queryset.query.sql_with_params()
    return sql, tuple(values)
