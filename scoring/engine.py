"""Runs the compiled statement: over one lead or many, now or in the past, to look at or to keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from scoring.compile import RESULT_COLUMNS, Scope, Statement, compile_model
from scoring.loading import load_model
from scoring.models import ModelVersion
from scoring.prepared import execute_prepared
from scoring.results import Line, Result
from scoring.rules import Category, Model, Warmth

_KEPT_COLUMNS = [name for name in RESULT_COLUMNS if name not in ("lead_id", "adjustment")]

# One statement scores and keeps: nothing is written, and no row version made, where nothing changed.
# `before` reads the table as it was when the statement began.
_UPSERT = """
WITH before AS (
    SELECT lead_id, total, category FROM scoring_leadscore WHERE {scope}
), kept AS (
    INSERT INTO scoring_leadscore (lead_id, version_id, {columns}, scored_at)
    SELECT lead_id, %(version)s::bigint, {columns}, %(as_of)s::timestamptz
    FROM ({scored}) scored
    ORDER BY lead_id
    ON CONFLICT (lead_id) DO UPDATE SET
        (version_id, {columns}, scored_at) = ROW(excluded.version_id, {excluded}, excluded.scored_at)
    WHERE ROW(scoring_leadscore.version_id, {present}) IS DISTINCT FROM ROW(excluded.version_id, {excluded})
    RETURNING lead_id, total, category
)
SELECT kept.lead_id, before.total, kept.total, before.category, kept.category
FROM kept JOIN before USING (lead_id)
WHERE (kept.total, kept.category) <> (before.total, before.category)
"""


@dataclass(frozen=True, slots=True)
class Move:
    """A lead's kept score that became another one."""

    lead_id: int
    was: int
    became: int
    category_was: str
    category_became: str


def keep_scores(version: ModelVersion, lead_ids: Sequence[int], *, now: datetime) -> list[Move]:
    """Score the leads by the version and keep what changed; the moves of those that had a score before."""
    scope = Scope.ONE if len(lead_ids) == 1 else Scope.MANY
    statement = compiled(version, scope, ledger=False, historical=False)
    sql = _UPSERT.format(
        scope=scope.on("lead_id"),
        scored=statement.sql,
        columns=", ".join(_KEPT_COLUMNS),
        excluded=", ".join(f"excluded.{name}" for name in _KEPT_COLUMNS),
        present=", ".join(f"scoring_leadscore.{name}" for name in _KEPT_COLUMNS),
    )
    parameters = {**statement.parameters, "as_of": now, "version": version.pk}
    parameters |= {"lead": lead_ids[0]} if scope is Scope.ONE else {"leads": list(lead_ids)}
    with connection.cursor() as cursor:
        if scope is Scope.ONE:
            execute_prepared(cursor, sql, parameters)
        else:
            cursor.execute(sql, parameters)
        return [Move(*row) for row in cursor.fetchall()]


def score_with_ledger(version: ModelVersion, lead_id: int, *, as_of: datetime) -> Result | None:
    """The score with its ledger, as it was known at `as_of`; None if we did not know the lead then."""
    statement = compiled(version, Scope.ONE, ledger=True, historical=True)
    with connection.cursor() as cursor:
        execute_prepared(cursor, statement.sql, {**statement.parameters, "lead": lead_id, "as_of": as_of})
        row = cursor.fetchone()
    return row and _result(row)


def compiled(version: ModelVersion, scope: Scope, *, ledger: bool, historical: bool) -> Statement:
    """The version's statement; kept for published versions, which never change."""
    if version.published_at is None:
        return compile_model(load_model(version), scope, ledger=ledger, historical=historical)
    return _compiled_once(version.pk, version.published_at, scope, ledger, historical)


def model_of(version: ModelVersion) -> Model:
    """The version in the rule language; kept for published versions."""
    if version.published_at is None:
        return load_model(version)
    return _model_once(version.pk, version.published_at)


# The time of publishing only tells apart databases that one process meets one after another.


@lru_cache(maxsize=64)
def _compiled_once(
    version_id: int, published_at: datetime, scope: Scope, ledger: bool, historical: bool
) -> Statement:
    return compile_model(_model_once(version_id, published_at), scope, ledger=ledger, historical=historical)


@lru_cache(maxsize=8)
def _model_once(version_id: int, published_at: datetime) -> Model:
    return load_model(ModelVersion.objects.with_rules().get(pk=version_id))


def _result(row: tuple[Any, ...]) -> Result:
    values = dict(zip(RESULT_COLUMNS, row, strict=False))
    values["category"], values["warmth"] = Category(values["category"]), Warmth(values["warmth"])
    return Result(**values, lines=tuple(_line(entry) for entry in json.loads(row[-1])))


def _line(entry: list[Any]) -> Line:
    rule_id, base_points, points, count, first, last, holds = entry
    first_at, last_at = (text and datetime.fromisoformat(text) for text in (first, last))
    return Line(rule_id, base_points, points, count, first_at, last_at, holds)
