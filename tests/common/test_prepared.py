"""Statements that are composed once: what differs is a placeholder, what does not stands in the text."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.prepared import IDS, VIEWER, any_of_ids, ask_prepared, composed, written_out
from tests.factories import UserFactory


def test_stand_ins_become_placeholders_and_constants_stay_in_the_text() -> None:
    sql = written_out("owner = %s AND status = %s AND id IN (SELECT unnest(%s))", (VIEWER, "offered", IDS))

    assert sql == (
        "owner = %(viewer)s::bigint AND status = 'offered' AND id IN (SELECT unnest(%(ids)s::bigint[]))"
    )


@pytest.mark.parametrize("value", ["o'clock", "two words", "", 1.5, None])
def test_what_could_come_from_outside_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="is no constant"):
        written_out("name = %s", (value,))


def test_a_statement_without_parameters_is_prepared_too(bdr: User) -> None:
    sql = composed(User.objects.filter(is_active=True).values_list("pk"))

    assert ask_prepared(sql, {}) == ask_prepared(sql, {"unused": 1}) == [(bdr.pk,)]


def test_one_statement_serves_everybody_and_is_prepared_once(db: None) -> None:
    first, second = UserFactory(role=User.Role.BDR), UserFactory(role=User.Role.BDR)
    sql = composed(User.objects.filter(pk__in=any_of_ids(), role="bdr").order_by("pk").values_list("pk"))
    ask_prepared(sql, {"ids": []})

    with CaptureQueriesContext(
        connection,
    ) as said:
        found = [ask_prepared(sql, {"ids": ids}) for ids in ([first.pk], [first.pk, second.pk])]

    assert found == [[(first.pk,)], [(first.pk,), (second.pk,)]]
    assert [query["sql"].split()[0] for query in said] == ["EXECUTE", "EXECUTE"]
