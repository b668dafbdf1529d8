"""Ingest jobs over real HTTP: our calls, and the stand-in's states, files and errors (SALESFORCE.md §3)."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from crm.client import JobStatus, SalesforceClient, UnfitForCsv, writing_csv
from crm.client.bulk import CsvFile
from crm.problems import Remedy, RequestRefused, SalesforceUnavailable
from crm.standin.faults import Fault
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, client_of

KEY = "Portal_Lead_Id__c"
COLUMNS = [
    KEY,
    "LastName",
    "Company",
    "Email",
    "Portal_Score__c",
    "Portal_SLA_Breached__c",
    "Portal_SLA_Due__c",
]


def lead(number: int, **fields: Any) -> dict[str, Any]:
    return {KEY: f"key-{number}", "LastName": f"Last {number}", "Company": "Acme", **fields}


def file_of(rows: Iterable[Mapping[str, Any]]) -> CsvFile:
    written = CsvFile(COLUMNS)
    for row in rows:
        written.add(row)
    return written


def start(client: SalesforceClient, rows: Iterable[Mapping[str, Any]]) -> str:
    job = client.open_job("Lead", key=KEY)
    client.upload_file(job, file_of(rows).file)
    client.start_job(job)
    return job


def stored(standin: StandIn, number: int) -> dict[str, Any]:
    (record,) = standin.store.find(LEAD.name, KEY, f"key-{number}")
    return record


def test_a_job_creates_and_updates_and_tells_which(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    client = client_of_salesforce
    client.upsert_rows("Lead", key=KEY, rows=[lead(1, Portal_Score__c=5, Email="a@b.example")])

    job = start(client, [lead(1, Portal_Score__c=None), lead(2, LastName='Say "hi",\nthen go')])
    standin.ingest.runner.finish()

    status = client.job_status(job)
    assert status == JobStatus("JobComplete", processed=2, failed=0)
    results = client.job_results(job, key=KEY, status=status)
    assert {key: result.created for key, result in results.items()} == {"key-1": False, "key-2": True}
    assert results["key-2"].salesforce_id == stored(standin, 2)["Id"]
    assert stored(standin, 2)["LastName"] == 'Say "hi",\nthen go'
    # An empty cell leaves a field alone, and #N/A empties it.
    assert (stored(standin, 1)["Email"], stored(standin, 1)["Portal_Score__c"]) == ("a@b.example", None)


def test_cells_become_values_of_their_fields_type(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    start(
        client_of_salesforce,
        [lead(1, Portal_Score__c=42, Portal_SLA_Breached__c=True, Portal_SLA_Due__c="2026-03-03T12:00:00Z")],
    )
    standin.ingest.runner.finish()

    record = stored(standin, 1)
    assert (record["Portal_Score__c"], record["Portal_SLA_Breached__c"]) == (42, True)
    assert record["Portal_SLA_Due__c"].startswith("2026-03-03T12:00:00")


def test_no_assignment_rule_takes_the_owner(standin: StandIn, client_of_salesforce: SalesforceClient) -> None:
    start(client_of_salesforce, [lead(1)])
    standin.ingest.runner.finish()

    assert stored(standin, 1)["OwnerId"] == standin.org.integration_user_id


def test_a_row_that_fails_is_told_with_code_words_and_fields(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    client = client_of_salesforce
    job = start(client, [lead(1), lead(2, Company=""), lead(3, Email="nobody"), lead(4, Portal_Score__c="x")])
    standin.ingest.runner.finish()

    results = client.job_results(job, key=KEY, status=client.job_status(job))

    problems = {key: result.problem for key, result in results.items() if result.problem}
    assert {key: (problem.code, problem.fields) for key, problem in problems.items()} == {
        "key-2": ("REQUIRED_FIELD_MISSING", ("Company",)),
        "key-3": ("INVALID_EMAIL_ADDRESS", ("Email",)),
        "key-4": ("INVALID_TYPE_ON_FIELD_IN_RECORD", ("Portal_Score__c",)),
    }
    assert results["key-1"].salesforce_id


def test_a_busy_row_is_worth_another_try(standin: StandIn, client_of_salesforce: SalesforceClient) -> None:
    standin.faults.add(
        Fault("row", operation="ingest_batch", code="UNABLE_TO_LOCK_ROW", message="busy", key="key-1")
    )
    job = start(client_of_salesforce, [lead(1), lead(2)])
    standin.ingest.runner.finish()

    results = client_of_salesforce.job_results(job, key=KEY, status=client_of_salesforce.job_status(job))

    problem = results["key-1"].problem
    assert problem is not None
    assert problem.remedy is Remedy.RETRY
    assert results["key-2"].problem is None


def test_one_key_twice_is_refused_for_both(standin: StandIn, client_of_salesforce: SalesforceClient) -> None:
    job = start(client_of_salesforce, [lead(1), lead(1)])
    standin.ingest.runner.finish()

    assert client_of_salesforce.job_status(job) == JobStatus("JobComplete", processed=2, failed=2)


def test_nothing_happens_before_the_file_is_said_to_be_complete(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    client = client_of_salesforce
    job = client.open_job("Lead", key=KEY)
    client.upload_file(job, file_of([lead(1)]).file)

    assert client.job_status(job).is_open
    with pytest.raises(RequestRefused):
        client.upload_file(job, file_of([lead(2)]).file)
    with pytest.raises(RequestRefused):
        client.job_results(job, key=KEY, status=JobStatus("JobComplete", 1, 0))


def test_a_job_is_held_and_then_aborted(standin: StandIn, client_of_salesforce: SalesforceClient) -> None:
    client = client_of_salesforce
    standin.ingest.runner.hold()
    job = start(client, [lead(1)])
    assert client.job_status(job).state == "UploadComplete"

    client.abort_job(job)
    standin.ingest.runner.finish()

    status = client.job_status(job)
    assert (status.state, status.has_ended, status.is_complete) == ("Aborted", True, False)
    assert client.job_results(job, key=KEY, status=status) == {}
    assert standin.store.find(LEAD.name, KEY, "key-1") == []
    with pytest.raises(RequestRefused):
        client.start_job(job)


def test_a_job_that_dies_halfway_tells_what_it_had_done(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    standin.ingest.runner.batch_rows = 2
    words = "Too many retries"
    standin.faults.add(
        Fault("error", operation="ingest_batch", nth=2, code="InternalServerError", message=words)
    )
    job = start(client_of_salesforce, [lead(number) for number in range(5)])
    standin.ingest.runner.finish()

    status = client_of_salesforce.job_status(job)
    assert (status.state, status.processed) == ("Failed", 2)
    assert words in status.message
    assert set(client_of_salesforce.job_results(job, key=KEY, status=status)) == {"key-0", "key-1"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Portal_Lead_Id__c,Colour__c\nkey-1,red\n", "InvalidBatch : Field name not found : Colour__c"),
        (b"Portal_Lead_Id__c,LastName\r\nkey-1,A\r\n", "LineEnding is invalid on user data"),
    ],
    ids=["unknown field", "other line ends"],
)
def test_a_file_that_cannot_be_read_fails_its_job(
    standin: StandIn, client_of_salesforce: SalesforceClient, content: bytes, words: str
) -> None:
    client = client_of_salesforce
    job = client.open_job("Lead", key=KEY)
    client.upload_file(job, io.BytesIO(content))
    client.start_job(job)
    standin.ingest.runner.finish()

    status = client.job_status(job)
    assert (status.state, status.processed) == ("Failed", 0)
    assert words in status.message


def test_a_session_that_ends_meanwhile_sends_the_whole_file_again(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    client = client_of_salesforce
    job = client.open_job("Lead", key=KEY)
    standin.tokens.revoke()
    client.upload_file(job, file_of([lead(1), lead(2)]).file)
    client.start_job(job)
    standin.ingest.runner.finish()

    assert client.job_status(job).processed == 2


def test_results_that_break_off_are_no_results(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    job = start(client_of_salesforce, [lead(1)])
    standin.ingest.runner.finish()
    status = client_of_salesforce.job_status(job)
    standin.faults.add(Fault("reset", operation="ingest"))

    with pytest.raises(SalesforceUnavailable):
        client_of_salesforce.job_results(job, key=KEY, status=status)


def test_line_ends_in_a_value_become_those_of_the_job() -> None:
    with writing_csv([KEY, "LastName"]) as written:
        written.add({KEY: "k", "LastName": "one\r\ntwo\rthree"})
        written.file.seek(0)
        content = written.file.read()

    assert b"\r" not in content
    assert b'"one\ntwo\nthree"' in content


def test_a_value_that_would_empty_its_field_does_not_go_by_file() -> None:
    with writing_csv([KEY, "Company"]) as written, pytest.raises(UnfitForCsv):
        written.add({KEY: "k", "Company": "#N/A"})


def test_a_restart_goes_on_with_the_jobs(tmp_path: Path) -> None:
    state = tmp_path / "org.sqlite3"

    def org() -> StandIn:
        return StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, state=state)

    with org() as before:
        before.ingest.runner.hold()
        job = start(client_of(before), [lead(number) for number in range(3)])
    with org() as after:
        after.ingest.runner.finish()

        assert client_of(after).job_status(job) == JobStatus("JobComplete", processed=3, failed=0)
        assert len(after.store.all(LEAD.name)) == 3
