"""Faults on order: code × operation × nth × probability (§4, §14)."""

from collections.abc import Callable

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import (
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceRefusedRequest,
)

from crm.standin.faults import PRESETS, Fault, FaultBoard, parse_fault
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, Detour, code_of, lead_rows, upsert_all


def test_an_error_on_order_strikes_the_nth_call_of_its_operation(
    standin: StandIn, salesforce: Salesforce
) -> None:
    standin.faults.add(Fault("error", "create", nth=2, status=500, code="UNABLE_TO_LOCK_ROW"))

    salesforce.query("SELECT Id FROM Lead")
    salesforce.Lead.create(ADA)
    with pytest.raises(SalesforceGeneralError, match="UNABLE_TO_LOCK_ROW"):
        salesforce.Lead.create(ADA)
    salesforce.Lead.create(ADA)

    assert standin.faults.waiting() == []


def test_maintenance_is_html(standin: StandIn, salesforce: Salesforce) -> None:
    standin.faults.add(Fault("html", status=503))

    with pytest.raises(SalesforceGeneralError) as refused:
        salesforce.query("SELECT Id FROM Lead")

    assert refused.value.status == 503
    assert "<html>" in refused.value.content


def test_a_reset_before_the_work_leaves_nothing_and_one_after_leaves_the_record(
    standin: StandIn, salesforce: Salesforce
) -> None:
    standin.faults.add(Fault("reset", "create"))
    with pytest.raises(requests.ConnectionError):
        salesforce.Lead.create(ADA)
    assert standin.store.all(LEAD.name) == []

    standin.faults.add(Fault("reset_after", "create"))
    with pytest.raises(requests.ConnectionError):
        salesforce.Lead.create(ADA)
    assert len(standin.store.all(LEAD.name)) == 1


def test_a_slow_answer_outlasts_an_impatient_client(standin: StandIn, salesforce: Salesforce) -> None:
    standin.faults.add(Fault("slow", "describe", seconds=60))
    salesforce.session.mount("https://", Detour(standin.base_url, seconds=0.05))

    with pytest.raises(requests.ReadTimeout):
        salesforce.Lead.describe()


def test_a_session_expires_in_the_middle_of_a_batch(standin: StandIn, salesforce: Salesforce) -> None:
    direct = Salesforce(
        session_id=salesforce.session_id,
        instance=salesforce.sf_instance,
        version="68.0",
        session=salesforce.session,
    )
    standin.faults.add(parse_fault({"preset": "session", "operation": "collections", "nth": 2}))

    upsert_all(direct, lead_rows(1))
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        upsert_all(direct, lead_rows(2)[1:])

    assert len(standin.store.all(LEAD.name)) == 1


def test_rows_of_a_call_fail_by_key_or_by_share(standin: StandIn, salesforce: Salesforce) -> None:
    standin.faults.add(parse_fault({"preset": "row_lock", "operation": "collections", "key": "p1"}))
    by_key = upsert_all(salesforce, lead_rows(3))
    standin.faults.add(parse_fault({"preset": "row_lock", "operation": "collections", "share": 0.3}))
    by_share = upsert_all(salesforce, lead_rows(100))

    assert [row["success"] for row in by_key] == [True, False, True]
    assert code_of(by_key[1]) == "UNABLE_TO_LOCK_ROW"
    assert 15 < sum(not row["success"] for row in by_share) < 45


def test_a_fault_with_a_probability_stays_and_its_draws_can_be_repeated() -> None:
    def draws() -> list[bool]:
        board = FaultBoard(seed=3)
        board.add(Fault("error", probability=0.2, times=0))
        return [board.draw("query") is not None for _ in range(500)]

    struck = draws()

    assert 60 < sum(struck) < 140
    assert draws() == struck


def test_a_fault_strikes_so_often_and_is_gone() -> None:
    board = FaultBoard()
    board.add(Fault("error", "query", nth=2, times=2))

    struck = [board.draw(name) is not None for name in ("query", "create", "query", "query", "query")]

    assert struck == [False, False, True, True, False]


def test_a_board_can_outlive_a_restart() -> None:
    board = FaultBoard()
    board.add(Fault("error", "query", nth=2))

    with StandIn(client_id="x", client_secret="x", faults=board) as first:
        first.faults.draw("query")
    with StandIn(client_id="x", client_secret="x", faults=board) as second:
        assert second.faults.draw("query") is not None


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_is_a_fault(preset: str) -> None:
    assert PRESETS[preset][0]
    assert parse_fault({"preset": preset, "probability": 0.5}).probability == 0.5


def test_both_kinds_of_spent_limits_have_one_code(standin: StandIn, salesforce: Salesforce) -> None:
    for preset, words in (("daily_quota", "TotalRequests"), ("long_calls", "ConcurrentRequests")):
        standin.faults.add(parse_fault({"preset": preset}))
        with pytest.raises(SalesforceRefusedRequest, match=words) as refused:
            salesforce.query("SELECT Id FROM Lead")
        assert refused.value.content[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_faults_are_ordered_and_taken_away_over_http(
    standin: StandIn, by_hand: Callable[..., requests.Response]
) -> None:
    taken = by_hand("POST", "faults", {"preset": "slow", "operation": "query", "seconds": 0.1})

    assert (taken.status_code, taken.json()[0]["operation"], taken.json()[0]["seconds"]) == (
        201,
        "query",
        0.1,
    )
    assert by_hand("DELETE", "faults").status_code == 204
    assert by_hand("GET", "faults").json() == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "earthquake"}, "kind must be one of: error, html"),
        ({"preset": "earthquake"}, "preset must be one of: row_lock"),
        ({"kind": "error", "operation": "dance"}, "operation must be one of"),
        ({"kind": "error", "probability": 2}, "probability must be a number from 0 to 1"),
        ({"kind": "error", "nth": 0}, "nth must be a whole number from 1"),
        ({"kind": "error", "status": True}, "status must be a whole number"),
        ({"kind": "error", "code": 5}, "code must be a text"),
        ({"kind": "error", "shoe": 38}, "Unknown field: shoe"),
    ],
    ids=lambda value: next(iter(value.values()), "") if isinstance(value, dict) else "",
)
def test_a_wrong_fault_is_refused_in_words(
    by_hand: Callable[..., requests.Response], fault: dict[str, object], words: str
) -> None:
    answer = by_hand("POST", "faults", fault)

    assert answer.status_code == 400
    assert answer.json()[0]["message"].startswith(words)
