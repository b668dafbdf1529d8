"""Questions that may take too long are stopped, and say so."""

from __future__ import annotations

import pytest
from django.db import DataError, connection

from common.patience import TookTooLong, at_most

pytestmark = pytest.mark.django_db


def run(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def test_what_takes_too_long_is_stopped_with_the_sentence_given() -> None:
    with pytest.raises(TookTooLong, match="Ask for less"), at_most(0.02, otherwise="Ask for less."):
        run("SELECT pg_sleep(30)")

    assert run("SELECT 1") == (1,)


def test_the_bound_ends_with_the_block() -> None:
    before = run("SELECT current_setting('statement_timeout')")
    with at_most(7, otherwise="No."):
        assert run("SELECT current_setting('statement_timeout')") == ("7s",)

    assert run("SELECT current_setting('statement_timeout')") == before


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(DataError), at_most(5, otherwise="No."):
        run("SELECT 1 / 0")
