"""A restart forgets nothing but cursors and faults."""

import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceGeneralError

from crm.standin.schema import LEAD, USER
from crm.standin.server import StandIn
from crm.standin.store import Store
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.crm.standin.conftest import ADA, Detour, log_in


def started(state: Path, clock: StoppedClock) -> StandIn:
    return StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock, state=state)


def test_records_sessions_setup_and_usage_survive(tmp_path: Path, clock: StoppedClock) -> None:
    with started(tmp_path / "state.sqlite3", clock) as first:
        salesforce = log_in(first)
        lead_id = salesforce.Lead.create(ADA)["id"]
        first.org.change_setup(
            hidden_fields=["Lead.Title"],
            picklists={"Lead.Rating": ["Hot"]},
            validation_rules=[{"field": "Lead.City", "pattern": "", "message": "No city."}],
        )
        setup, used = first.org.setup, first.usage.used

    with started(tmp_path / "state.sqlite3", clock) as second:
        salesforce.session.mount("https://", Detour(second.base_url))

        assert second.org.setup == setup
        assert second.usage.used == used
        assert salesforce.Lead.get(lead_id)["Email"] == ADA["Email"]
        assert salesforce.Lead.create({**ADA, "Email": "b@engines.example"})["id"] != lead_id
        assert len(second.store.all(USER.name)) == 4


def test_a_field_that_came_later_is_null_in_older_records(tmp_path: Path, clock: StoppedClock) -> None:
    with started(tmp_path / "state.sqlite3", clock) as standin:
        salesforce = log_in(standin)
        lead_id = salesforce.Lead.create(ADA)["id"]
        older = standin.store.get(lead_id)
        assert older is not None
        del older["Portal_Budget__c"]
        standin.store.replace(older)

        assert salesforce.Lead.get(lead_id)["Portal_Budget__c"] is None
        assert salesforce.Lead.update(lead_id, {"Portal_Budget__c": "approved"}) == 204


def test_a_file_of_the_first_layout_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite3"
    lead = {
        "attributes": {"type": "Lead"},
        "Id": "00QHp0000000001IAA",
        "IsDeleted": False,
        "Email": "Ada@x.example",
    }
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE record (id TEXT PRIMARY KEY, object TEXT NOT NULL, doc TEXT NOT NULL)")
        old.execute("INSERT INTO record VALUES (?, 'Lead', ?)", (lead["Id"], json.dumps(lead)))
    old.close()

    store = Store(path)

    assert store.find(LEAD.name, "Email", "ada@X.example") == [lead]
    store.close()


def test_what_fails_within_a_transaction_takes_only_its_part_along() -> None:
    store = Store()
    with store.transaction():
        store.save_state("kept", 1)
        with contextlib.suppress(ValueError), store.part():
            store.save_state("lost", 1)
            raise ValueError

    assert (store.load_state("kept"), store.load_state("lost")) == (1, None)
    store.close()


def test_a_failure_of_its_own_is_told_and_no_cut_connection(
    standin: StandIn, salesforce: Salesforce, caplog: pytest.LogCaptureFixture
) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    standin.store.run("UPDATE record SET doc = 'spoilt' WHERE id = ?", (lead_id,))

    with pytest.raises(SalesforceGeneralError, match="UNKNOWN_EXCEPTION"):
        salesforce.Lead.get(lead_id)

    assert "The stand-in failed at GET" in caplog.text
