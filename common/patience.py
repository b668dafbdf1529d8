"""Questions that may take too long get a bound: people get an answer or a sentence, never a hanging page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled

from common.errors import DomainError


class TookTooLong(DomainError):
    """The database was stopped: the question was too large for a page."""


@contextmanager
def at_most(seconds: float, *, otherwise: str) -> Iterator[None]:
    """Bound each statement of the block; one that takes longer raises TookTooLong with the sentence given.

    The block is a transaction of its own, or a savepoint.
    """
    try:
        with transaction.atomic():
            before = _timeout(f"{int(seconds * 1000)}ms")
            yield
            _timeout(before)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLong(otherwise) from error
        raise


def _timeout(value: str) -> str:
    """Set the timeout of this transaction; what it was before."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout')")
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", [value])
    return str(before)
