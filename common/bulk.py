"""Many rows in one statement, at a cost that hardly grows with their number."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL


def insert_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, ignore_conflicts: bool = False
) -> None:
    """Insert rows given by column names, all with the same; columns left out get the model's default.

    `bulk_create` builds and adapts every value by itself. Here all of them travel as one JSON text that
    PostgreSQL takes apart, ten times as fast. Ids are not returned, and a default that should differ from row
    to row has to be given.
    """
    if not rows:
        return
    fields = _all_but_the_id(model)
    given = [field for field in fields if field.column in rows[0]]
    others = [field for field in fields if field.column not in rows[0]]
    names = ", ".join(f'"{field.column}"' for field in [*given, *others])
    values = ", ".join([*(f'"{field.column}"' for field in given), *["%s"] * len(others)])
    defaults = [field.get_db_prep_save(field.get_default(), connection) for field in others]
    sql = f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} FROM {_given(given)}'
    with connection.cursor() as cursor:
        cursor.execute(sql + " ON CONFLICT DO NOTHING" * ignore_conflicts, [*defaults, _as_json(rows)])


def inserting_whole(model: type[models.Model]) -> str:
    """The INSERT of objects given as %(rows)s, in the form of as_rows: to be prepared, or part of another."""
    fields = _all_but_the_id(model)
    names = ", ".join(f'"{field.column}"' for field in fields)
    return f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {names} FROM {_given(fields, "%(rows)s")}'


def as_rows(objects: Sequence[models.Model]) -> str:
    """Objects of one model as the JSON text of their columns, without the id."""
    fields = _all_but_the_id(type(objects[0])) if objects else []
    columns = [(str(field.column), field.attname) for field in fields]
    return _as_json([{column: getattr(each, name) for column, name in columns} for each in objects])


def update_rows(
    model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, growing: Collection[str] = ()
) -> None:
    """Set columns of rows that are named by their primary key, each to its own values; all name the same.

    Those of `growing` grow by what is given instead.
    """
    if not rows:
        return
    given = [field for field in model._meta.concrete_fields if field.column in rows[0]]
    changes = ", ".join(
        f'"{name}" = row."{name}" + given."{name}"' if name in growing else f'"{name}" = given."{name}"'
        for name in (field.column for field in given if not field.primary_key)
    )
    key = model._meta.pk.column
    where = f'WHERE row."{key}" = given."{key}"'
    sql = f'UPDATE "{model._meta.db_table}" AS row SET {changes} FROM {_given(given)} {where}'
    with connection.cursor() as cursor:
        cursor.execute(sql, [_as_json(rows)])


def among(keys: Collection[int]) -> RawSQL:
    """Keys for an `__in`, as one value: Django and the driver handle each item of a list by itself."""
    return RawSQL("SELECT unnest(%s::bigint[])", [list(keys)])


def _all_but_the_id(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField)]


def _given(fields: Sequence[models.Field[Any, Any]], rows: str = "%s") -> str:
    """The rows as a table of these columns."""
    types = ", ".join(f'"{field.column}" {_type_of(field)}' for field in fields)
    # As json, what a column of JSON holds is read twice; as jsonb, every other value is.
    form = "jsonb" if any(isinstance(field, models.JSONField) for field in fields) else "json"
    return f"{form}_to_recordset({rows}::{form}) AS given ({types})"


def _type_of(field: models.Field[Any, Any]) -> str:
    # The type of an id is that of a column which refers to it: without the sequence.
    return str(field.rel_db_type(connection) if field.primary_key else field.db_type(connection))


def _as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(rows, default=_plain)


# Rows that are written together share their moments.
@lru_cache(maxsize=1024)
def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON that a column could be read from.")
