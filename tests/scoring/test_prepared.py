"""The statement for one lead is planned once per connection, and not behind a transaction pooler."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from scoring.compile import Scope
from scoring.engine import compiled, score_with_ledger
from scoring.loading import load_model
from scoring.models import ModelVersion
from scoring.services import explain_score, score_lead
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db


def statements_of(lead) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert explain_score(lead, as_of=NOON).total == 30
    return [query["sql"].split()[0] for query in queries]


@pytest.fixture
def lead():
    publish(
        {"signal": make_signal("Demo", ["Demo Requested"], intent="high"), "points": 20},
        {"attribute": "title", "operator": "has_word", "values": ["100%", "VP"], "points": 10},
    )
    lead = LeadFactory(title="VP Sales")
    do(lead, "Demo Requested")
    assert score_lead(lead, now=NOON).total == 30
    return lead


def test_one_statement_is_prepared_once_and_then_executed(lead) -> None:
    first, second = statements_of(lead), statements_of(lead)

    assert first == ["SELECT", "PREPARE", "EXECUTE"]
    assert second == ["SELECT", "EXECUTE"]


def test_a_rolled_back_transaction_does_not_lose_the_statement(lead) -> None:
    with transaction.atomic():
        statements_of(lead)
        transaction.set_rollback(True)

    assert statements_of(lead) == ["SELECT", "EXECUTE"]


@pytest.mark.parametrize(("status", "is_kept"), [("draft", False), ("pilot", True)])
def test_the_statement_of_what_cannot_change_is_compiled_once(lead, status: str, is_kept: bool) -> None:
    version = make_draft({"attribute": "title", "operator": "is_known", "points": 20})
    version.status = status

    again = [compiled(version, Scope.ONE, ledger=False, historical=False) for _ in range(2)]

    assert (again[0] is again[1]) is is_kept


def test_what_is_no_version_is_not_prepared(lead) -> None:
    """A connection would keep one statement for every state of a draft that somebody types."""
    model = load_model(ModelVersion.objects.active().get())

    with CaptureQueriesContext(connection) as queries:
        score_with_ledger(model, lead.pk, as_of=NOON)

    assert [query["sql"].split()[0] for query in queries] == ["WITH"]


def test_nothing_is_prepared_behind_a_pooler(lead, monkeypatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)

    assert statements_of(lead) == ["SELECT", "WITH"]
