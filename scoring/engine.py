"""Runs the compiled statement: over one lead or many, now or in the past, to look at or to keep."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeGuard

from django.db import connection
from psycopg.sql import Literal

from common.prepared import execute_prepared
from scoring.compile import RESULT_COLUMNS, Scope, Statement, compile_model
from scoring.language.results import ImaginedLead, Line, Move, Result
from scoring.language.rules import Category, Model, Warmth
from scoring.loading import load_model
from scoring.models import ModelVersion

__all__ = [
    "ImaginedLead",
    "Line",
    "Move",
    "Result",
    "compiled",
    "keep_first_score",
    "keep_range",
    "keep_scores",
    "model_of",
    "score_imagined",
    "score_moments",
    "score_pairs",
    "score_with_ledger",
]

# How many leads one statement of a backtest scores: enough to be quick, few enough to stay in memory.
LEADS_AT_ONCE = 20_000

_KEPT_COLUMNS = [name for name in RESULT_COLUMNS if name not in ("lead_id", "adjustment")]

# One statement scores and keeps: nothing is written, and no row version made, where nothing changed. `before`
# is the table as it was when the statement began; the callers hold the leads' locks, so it is as it is.
_KEEP = """
WITH scored AS MATERIALIZED (
    SELECT scored.*, before.lead_id IS NOT NULL AS had, before.total AS was, before.category AS category_was,
        before.version_id AS version_was, before.qualifies AS qualified_was
    FROM ({scored}) scored
    LEFT JOIN (SELECT * FROM scoring_leadscore WHERE {scope}) before ON before.lead_id = scored.lead_id
    WHERE ROW(before.version_id, {before}) IS DISTINCT FROM ROW(%(version)s::bigint, {after})
), replaced AS (
    UPDATE scoring_leadscore kept SET
        (version_id, {columns}, scored_at) = ROW(%(version)s::bigint, {after}, %(as_of)s::timestamptz)
    FROM scored WHERE had AND kept.lead_id = scored.lead_id
), added AS (
    INSERT INTO scoring_leadscore (lead_id, version_id, {columns}, scored_at)
    SELECT lead_id, %(version)s::bigint, {columns}, %(as_of)s::timestamptz
    FROM scored WHERE NOT had ORDER BY lead_id
)
SELECT lead_id, was, total, category_was, category, version_was, qualified_was, qualifies
FROM scored
WHERE had AND (total <> was OR category <> category_was OR qualifies <> qualified_was)
"""


def keep_scores(version: ModelVersion, lead_ids: Sequence[int], *, now: datetime) -> list[Move]:
    """Score the leads by the version and keep what changed; the moves of those that had a score before.

    The caller holds the leads' locks.
    """
    if len(lead_ids) == 1:
        return _keep(version, Scope.ONE, {"lead": lead_ids[0]}, now=now)
    return _keep(version, Scope.MANY, {"leads": list(lead_ids)}, now=now)


# The active version first, then the one in pilot.
IN_USE = "SELECT {columns} FROM scoring_modelversion WHERE status = ANY(%(used)s::text[]) ORDER BY status"
USED = [ModelVersion.Status.ACTIVE.value, ModelVersion.Status.PILOT.value]

# Without a score before, there is nothing to compare with and no move to tell.
_KEEP_FIRST = """
INSERT INTO scoring_leadscore (lead_id, version_id, {columns}, scored_at)
SELECT lead_id, %(version)s::bigint, {columns}, %(as_of)s::timestamptz FROM ({scored}) scored
WHERE ARRAY({in_use}) = %(in_use)s::bigint[]
RETURNING {columns}
"""


def keep_first_score(
    version: ModelVersion, lead_id: int, *, in_use: Sequence[int], now: datetime
) -> dict[str, Any] | None:
    """Score a lead that has no score yet and keep it; what the version decides of its LeadScore.

    None, and nothing is kept, unless exactly the versions `in_use` are (as IN_USE orders them).
    """
    statement = compiled(version, Scope.ONE, ledger=False, historical=False)
    sql = _KEEP_FIRST.format(
        scored=statement.sql, columns=", ".join(_KEPT_COLUMNS), in_use=IN_USE.format(columns="id")
    )
    parameters = {**statement.parameters, "lead": lead_id, "as_of": now, "version": version.pk}
    with connection.cursor() as cursor:
        execute_prepared(cursor, sql, parameters | {"in_use": list(in_use), "used": USED})
        row = cursor.fetchone()
    return row and dict(zip(_KEPT_COLUMNS, row, strict=True))


def keep_range(version: ModelVersion, *, first: int, last: int, now: datetime) -> list[Move]:
    """As keep_scores, for all leads with ids from first to last, whose locks the caller holds."""
    return _keep(version, Scope.RANGE, {"first": first, "last": last}, now=now)


def _keep(version: ModelVersion, scope: Scope, leads: Mapping[str, Any], *, now: datetime) -> list[Move]:
    statement = compiled(version, scope, ledger=False, historical=False)
    sql = _KEEP.format(
        scope=scope.on("lead_id"),
        scored=statement.sql,
        columns=", ".join(_KEPT_COLUMNS),
        before=", ".join(f"before.{name}" for name in _KEPT_COLUMNS),
        after=", ".join(f"scored.{name}" for name in _KEPT_COLUMNS),
    )
    parameters = {**statement.parameters, **leads, "as_of": now, "version": version.pk}
    with connection.cursor() as cursor:
        if scope is Scope.RANGE:
            # Planned each time: how many leads lie in the range decides how they are best read.
            cursor.execute(sql, parameters)
        else:
            execute_prepared(cursor, sql, parameters)
        return [Move(*row) for row in cursor.fetchall()]


def score_with_ledger(version: ModelVersion | Model, lead_id: int, *, as_of: datetime) -> Result | None:
    """The score with its ledger, as it was known at `as_of`; None if we did not know the lead then."""
    statement = compiled(version, Scope.ONE, ledger=True, historical=True)
    with connection.cursor() as cursor:
        parameters = {**statement.parameters, "lead": lead_id, "as_of": as_of}
        if _is_settled(version):
            execute_prepared(cursor, statement.sql, parameters)
        else:
            # A draft is another one after the next edit, and what is prepared stays with the connection.
            cursor.execute(statement.sql, parameters)
        row = cursor.fetchone()
    return row and _result(row)


def score_moments(
    version: ModelVersion | Model, *, first: int, last: int, points: Sequence[datetime]
) -> Iterator[tuple[datetime, Result]]:
    """The scores of the leads with ids from first to last at each of the moments, as they were known then.

    Leads that we did not know yet are missing at that moment. The results have neither ledger nor
    next_change_at.
    """
    statement = compiled(version, Scope.MOMENTS, ledger=False, historical=True)
    parameters = {**statement.parameters, "points": sorted(set(points))}
    for begin in range(first, last + 1, LEADS_AT_ONCE):
        chunk = {"first": begin, "last": min(last, begin + LEADS_AT_ONCE - 1)}
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, parameters | chunk)
            rows = cursor.fetchall()
        yield from ((row[0], _result(row[1:])) for row in rows)


def score_pairs(
    version: ModelVersion | Model, pairs: Sequence[tuple[int, datetime]], *, ledger: bool = False
) -> list[tuple[datetime, Result]]:
    """The scores of leads at moments of their own, as they were known then, each different pair once; in no
    order, and without the pairs of leads that we did not know yet."""
    statement = compiled(version, Scope.PAIRS, ledger=ledger, historical=True)
    chosen: dict[str, Any] = {
        "leads": [lead_id for lead_id, _ in pairs],
        "moments": [moment for _, moment in pairs],
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, {**statement.parameters, **chosen})
        return [(row[0], _result(row[1:])) for row in cursor.fetchall()]


def score_imagined(version: ModelVersion | Model, person: ImaginedLead, *, as_of: datetime) -> Result:
    """What the lead would score, with the ledger; its id in the result is 0."""
    statement = compiled(version, Scope.IMAGINED, ledger=True, historical=False)
    parameters: dict[str, Any] = {
        "facts": json.dumps(dict(person.facts)),
        "signals": [signal for signal, _ in person.hits],
        "times": [occurred_at for _, occurred_at in person.hits],
        "trips": person.trips,
        "as_of": as_of,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, statement.parameters | parameters)
        return _result(cursor.fetchone())


def compiled(version: ModelVersion | Model, scope: Scope, *, ledger: bool, historical: bool) -> Statement:
    """The version's statement; kept for versions that never change again."""
    if _is_settled(version):
        return _compiled_once(version.pk, version.created_at, scope, ledger, historical)
    return compile_model(model_of(version), scope, ledger=ledger, historical=historical)


def model_of(version: ModelVersion | Model) -> Model:
    """The version in the rule language; kept for versions that never change again."""
    if isinstance(version, Model):
        return version
    return _model_once(version.pk, version.created_at) if _is_settled(version) else load_model(version)


def _is_settled(version: ModelVersion | Model) -> TypeGuard[ModelVersion]:
    """A draft changes, and what is proposed or scheduled may become a draft again."""
    status = ModelVersion.Status
    return isinstance(version, ModelVersion) and version.status in (
        status.PILOT,
        status.ACTIVE,
        status.RETIRED,
    )


# The time of creation only tells apart databases that one process meets one after another.


@lru_cache(maxsize=64)
def _compiled_once(
    version_id: int, created_at: datetime, scope: Scope, ledger: bool, historical: bool
) -> Statement:
    statement = compile_model(
        _model_once(version_id, created_at), scope, ledger=ledger, historical=historical
    )
    return _written_out(statement)


def _written_out(statement: Statement) -> Statement:
    """The statement with its own parameters in the text, and placeholders for what the caller adds: writing
    the words of all rules again for every lead takes longer than scoring it."""
    literals = {
        name: Literal(value).as_string(None).replace("%", "%%")
        for name, value in statement.parameters.items()
    }
    sql = re.sub(r"%\((\w+)\)s", lambda match: literals.get(match[1], match[0]), statement.sql)
    return Statement(sql)


@lru_cache(maxsize=8)
def _model_once(version_id: int, created_at: datetime) -> Model:
    return load_model(ModelVersion.objects.with_rules().get(pk=version_id))


def _result(row: tuple[Any, ...]) -> Result:
    """From a row of RESULT_COLUMNS and, if it was asked for, the ledger."""
    values = dict(zip(RESULT_COLUMNS, row, strict=False))
    values["category"], values["warmth"] = Category(values["category"]), Warmth(values["warmth"])
    ledger = json.loads(row[len(RESULT_COLUMNS)]) if len(row) > len(RESULT_COLUMNS) else []
    return Result(**values, lines=tuple(_line(entry) for entry in ledger))


def _line(entry: list[Any]) -> Line:
    rule_id, base_points, points, count, first, last, holds = entry
    first_at, last_at = (text and datetime.fromisoformat(text) for text in (first, last))
    return Line(rule_id, base_points, points, count, first_at, last_at, holds)
