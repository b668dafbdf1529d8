"""A kept connection is looked at, not asked, unless there is reason to doubt it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

pytestmark = pytest.mark.django_db


@pytest.fixture
def kept() -> Iterator[BaseDatabaseWrapper]:
    """A connection besides the test's own, with something said on it."""
    kept = connections.create_connection("default")
    assert ask(kept, "SELECT 42") == 42
    yield kept
    kept.close()


def ask(where: BaseDatabaseWrapper, sql: str, *parameters: object) -> object:
    with where.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchone()[0]


def last_said_on(kept: BaseDatabaseWrapper) -> object:
    pid = kept.connection.info.backend_pid
    return ask(connection, "SELECT query FROM pg_stat_activity WHERE pid = %s", pid)


def test_a_good_connection_is_not_asked(kept: BaseDatabaseWrapper) -> None:
    assert kept.is_usable()

    assert last_said_on(kept) == "SELECT 42"


def test_after_an_error_the_server_is_asked(kept: BaseDatabaseWrapper) -> None:
    kept.errors_occurred = True

    assert kept.is_usable()

    assert last_said_on(kept) == "SELECT 1"


def test_a_connection_that_the_server_ended_is_found_out(kept: BaseDatabaseWrapper) -> None:
    assert ask(connection, "SELECT pg_terminate_backend(%s, 5000)", kept.connection.info.backend_pid)

    assert not kept.is_usable()
