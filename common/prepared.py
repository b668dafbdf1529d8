"""Statements that PostgreSQL plans once per connection: reading and planning a long one takes longer than
running it for one row (for the score of one lead, 2.1 ms against 0.5 ms)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Model, QuerySet
from django.db.models.expressions import RawSQL

M = TypeVar("M", bound=Model)

# The names prepared on each open connection. PREPARE outlives a rollback, and a new connection begins empty.
_prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()


def execute_prepared(cursor: CursorWrapper, sql: str, parameters: Mapping[str, Any]) -> None:
    """Execute SQL with %(name)s placeholders, each of them cast to its type in the text."""
    if not can_prepare():
        cursor.execute(sql, parameters)
        return
    names = tuple(sorted(parameters))
    name, text = _named(sql, names)
    known = _prepared.setdefault(connection.connection, set())
    if name not in known:
        cursor.execute(f"PREPARE {name} AS {text}")
        known.add(name)
    values = f" ({', '.join(['%s'] * len(names))})" if names else ""
    cursor.execute(f"EXECUTE {name}{values}", [parameters[key] for key in names])


def ask_prepared(sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a prepared statement gives. Of the parameters those that it names are sent."""
    with connection.cursor() as cursor:
        named = {name: value for name, value in parameters.items() if f"%({name})s" in sql}
        execute_prepared(cursor, sql, named)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


# --- Statements that Django composes ---------------------------------------------------------------
# Composing takes Django longer than PostgreSQL needs to answer. So it is done once, with stand-ins for the
# values that differ: numbers that no row has as its key.

VIEWER, TEAM, IDS = 2**62 + 1, 2**62 + 2, 2**62 + 3
_PLACEHOLDERS: dict[object, str] = {
    VIEWER: "%(viewer)s::bigint",
    TEAM: "%(team)s::bigint",
    IDS: "%(ids)s::bigint[]",
}


def any_of_ids() -> RawSQL:
    """For `pk__in`: the keys that are given as `ids` when the statement is executed."""
    return RawSQL("SELECT unnest(%s)", (IDS,))


def composed(queryset: QuerySet[Any, Any]) -> str:
    """The statement of a queryset, with placeholders where it has a stand-in."""
    return written_out(*queryset.query.sql_with_params())


def written_out(sql: str, values: Sequence[object], also: Mapping[str, str] | None = None) -> str:
    """The statement with placeholders for stand-ins (`also`: further ones, with their placeholders), and
    every other value in its text: PostgreSQL uses a partial index only where it reads the condition."""
    placeholders: dict[object, str] = _PLACEHOLDERS | dict((also or {}).items())
    return sql % tuple(placeholders.get(value) or _literal(value) for value in values)


def _literal(value: object) -> str:
    """A value of our own code as SQL. Raises TypeError for what could come from outside."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.isidentifier():
        return f"'{value}'"
    raise TypeError(f"{value!r} is no constant of a statement")


# --- Models ----------------------------------------------------------------------------------------


def columns_of(model: type[Model], table: str) -> str:
    """All columns of the model for a SELECT, in the order in which made_of takes them."""
    return ", ".join(f'{table}."{field.column}"' for field in model._meta.concrete_fields)


def made_of(model: type[M], values: Sequence[object]) -> M:
    """The object that a row of columns_of stands for. Not for fields that Django converts, such as JSON."""
    names = [field.attname for field in model._meta.concrete_fields]
    return model.from_db(connection.alias, names, values)


def can_prepare() -> bool:
    """Not behind a pooler that hands each transaction another server connection (Django has the same setting
    for its cursors), and not when parameters travel apart from the text, which EXECUTE cannot take."""
    settings = connection.settings_dict
    return not (settings.get("DISABLE_SERVER_SIDE_CURSORS") or settings["OPTIONS"].get("server_side_binding"))


@lru_cache(maxsize=256)
def _named(sql: str, names: tuple[str, ...]) -> tuple[str, str]:
    """A name that only this statement has, and its text with $1, $2, … for the placeholders."""
    text = sql % {name: f"${number}" for number, name in enumerate(names, 1)}
    return f"portal_{blake2b(text.encode(), digest_size=12).hexdigest()}", text
