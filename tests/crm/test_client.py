"""The session: what simple-salesforce gets wrong must not come through (SALESFORCE.md §10)."""

import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from crm.client import Credentials, SalesforceClient, connected_client, record_url
from crm.problems import LoginRefused, QuotaSpent, Remedy, RequestRefused, SalesforceUnavailable
from crm.standin.faults import Fault
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_SECRET, StoppedClock, client_of

KEY = "Portal_Lead_Id__c"
ADA = {"LastName": "Byron", "Company": "Engines"}


def lead_writes(standin: StandIn) -> list[dict[str, str]]:
    return [dict(call.headers) for call in standin.traffic if call.operation in ("upsert", "collections")]


def test_the_chosen_owner_is_kept_also_across_an_expired_session(
    standin: StandIn, clock: StoppedClock, client_of_salesforce: SalesforceClient
) -> None:
    owner = standin.org.sales_user_id
    client_of_salesforce.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", **ADA, "OwnerId": owner}])
    clock.forward(hours=3)

    client_of_salesforce.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", "Title": "Countess"}])
    standin.tokens.revoke()
    client_of_salesforce.upsert("Lead", key=KEY, value="p1", fields={"Title": "Dr"})

    [lead] = standin.store.all(LEAD.name)
    assert (lead["Title"], lead["OwnerId"]) == ("Dr", owner)
    assert all(write["sforce-auto-assign"] == "FALSE" for write in lead_writes(standin))


def test_a_session_that_is_never_accepted_is_renewed_once_and_then_given_up(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    standin.faults.add(
        Fault("error", "collections", times=99, status=401, code="INVALID_SESSION_ID", message="expired")
    )

    with pytest.raises(LoginRefused):
        client_of_salesforce.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", **ADA}])

    assert [call.operation for call in standin.traffic] == ["token", "collections", "token", "collections"]


def test_an_html_401_is_an_expired_session_too(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    standin.faults.add(Fault("html", "collections", status=401))

    [result] = client_of_salesforce.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", **ADA}])

    assert result.created


def test_external_ids_cannot_lead_to_another_address(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    for value in ("a/b?c#d", "../../Account/001", "ä ö"):
        assert client_of_salesforce.upsert("Lead", key=KEY, value=value, fields=ADA).created

    assert {lead[KEY] for lead in standin.store.all(LEAD.name)} == {"a/b?c#d", "../../Account/001", "ä ö"}


def test_rows_come_back_in_order_with_ids_or_problems(client_of_salesforce: SalesforceClient) -> None:
    rows = [{KEY: "p1", **ADA}, {KEY: "p2", **ADA, "LastName": "x" * 81}, {KEY: "p3", **ADA}]

    first, second, third = client_of_salesforce.upsert_rows("Lead", key=KEY, rows=rows)

    assert first.created
    assert third.created
    assert second.problem is not None
    assert (second.problem.code, second.problem.fields) == ("STRING_TOO_LONG", ("LastName",))


def test_queries_follow_their_pages_through_an_expired_session(clock: StoppedClock) -> None:
    with StandIn(client_id="portal-client", client_secret=CLIENT_SECRET, clock=clock, page_size=2) as standin:
        client = client_of(standin)
        client.upsert_rows("Lead", key=KEY, rows=[{KEY: f"p{number}", **ADA} for number in range(5)])
        found = client.query(f"SELECT {KEY} FROM Lead ORDER BY Id")

        first = next(found)
        standin.tokens.revoke()

        assert [first[KEY], *(row[KEY] for row in found)] == ["p0", "p1", "p2", "p3", "p4"]


def test_rows_are_updated_by_id_under_the_same_care(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    [made] = client_of_salesforce.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", **ADA}])
    standin.tokens.revoke()

    done, unknown = client_of_salesforce.update_rows(
        "Lead",
        [{"Id": made.salesforce_id, "Title": "Countess"}, {"Id": "00QHp0000009999AAA", "Title": "Dr"}],
    )

    assert (done.salesforce_id, done.problem) == (made.salesforce_id, None)
    assert unknown.problem.remedy is Remedy.GONE
    assert [lead["Title"] for lead in standin.store.all(LEAD.name)] == ["Countess"]
    assert all(write["sforce-auto-assign"] == "FALSE" for write in lead_writes(standin))


def test_what_is_deleted_is_read_by_query_and_by_span(
    standin: StandIn, clock: StoppedClock, client_of_salesforce: SalesforceClient
) -> None:
    rows = [{KEY: "p1", **ADA}, {KEY: "p2", **ADA}]
    kept, gone = client_of_salesforce.upsert_rows("Lead", key=KEY, rows=rows)
    began = clock.now - timedelta(minutes=1)
    clock.forward(minutes=5)
    client_of_salesforce.call(lambda salesforce: salesforce.Lead.delete(gone.salesforce_id))
    ends = clock.forward(minutes=5)

    deleted = client_of_salesforce.deleted("Lead", start=began, end=ends)
    updated = client_of_salesforce.updated("Lead", start=began, end=ends)

    assert deleted.times == {gone.salesforce_id: clock.now - timedelta(minutes=5)}
    assert updated.ids == [kept.salesforce_id]
    assert began < deleted.covered_until <= ends
    assert deleted.known_from < began
    found = client_of_salesforce.query_all("SELECT Id, IsDeleted FROM Lead ORDER BY Id")
    assert [row["IsDeleted"] for row in found] == [False, True]


def test_a_span_with_too_many_ids_is_cut_until_they_fit(
    standin: StandIn, clock: StoppedClock, client_of_salesforce: SalesforceClient
) -> None:
    standin.faults.add(Fault("error", "updated", times=2, status=400, code="EXCEEDED_ID_LIMIT"))
    start = clock.now - timedelta(hours=4)

    updated = client_of_salesforce.updated("Lead", start=start, end=clock.now)

    assert updated.covered_until == start + timedelta(hours=1)


def test_a_span_that_can_be_cut_no_more_is_told(
    standin: StandIn, clock: StoppedClock, client_of_salesforce: SalesforceClient
) -> None:
    standin.faults.add(Fault("error", "updated", times=99, status=400, code="EXCEEDED_ID_LIMIT"))

    with pytest.raises(RequestRefused):
        client_of_salesforce.updated("Lead", start=clock.now - timedelta(minutes=8), end=clock.now)

    assert len(standin.traffic) < 8


def test_the_org_tells_its_statuses_and_what_is_left(client_of_salesforce: SalesforceClient) -> None:
    statuses = client_of_salesforce.lead_statuses()

    assert [status.is_converted for status in statuses].count(True) == 1
    assert client_of_salesforce.limits()["DailyApiRequests"] == (14_998, 15_000)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("html", "query", status=503), SalesforceUnavailable),
        (Fault("html", "query", status=420), SalesforceUnavailable),
        (Fault("reset", "query"), SalesforceUnavailable),
        (Fault("reset_after", "query"), SalesforceUnavailable),
        (Fault("error", "query", status=500, code="UNABLE_TO_LOCK_ROW"), SalesforceUnavailable),
        (
            Fault("error", "query", status=403, code="REQUEST_LIMIT_EXCEEDED", message="TotalRequests Limit"),
            QuotaSpent,
        ),
        (Fault("error", "query", status=403, code="API_DISABLED_FOR_ORG"), RequestRefused),
        (Fault("error", "query", status=400, code="MALFORMED_QUERY"), RequestRefused),
        (Fault("html", "token", status=503), SalesforceUnavailable),
    ],
)
def test_failures_come_out_as_our_own(
    standin: StandIn, client_of_salesforce: SalesforceClient, fault: Fault, error: type[Exception]
) -> None:
    standin.faults.add(fault)

    with pytest.raises(error):
        list(client_of_salesforce.query("SELECT Id FROM Lead"))


def test_a_hung_answer_is_not_waited_for_for_ever(standin: StandIn) -> None:
    standin.faults.add(Fault("slow", "query", seconds=60))
    client = client_of(standin, timeout_seconds=0.3)

    with pytest.raises(SalesforceUnavailable) as given_up:
        list(client.query("SELECT Id FROM Lead"))

    assert given_up.value.problem.message == "ReadTimeout"


def test_an_answer_that_is_no_answer_is_tried_again() -> None:
    """Pages of a proxy or a captive portal come under status 200."""
    with answering(b"<html>Welcome to the guest network</html>") as url:
        client = SalesforceClient(Credentials(url, "x", "y"), version="68.0", timeout_seconds=5)

        with pytest.raises(SalesforceUnavailable):
            client.describe("Lead")


@contextmanager
def answering(body: bytes) -> Iterator[str]:
    """A server that answers everything with 200 and this body."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_nobody_there_is_unavailable() -> None:
    with StandIn(client_id="x", client_secret="y") as gone:
        client = client_of(gone)

    with pytest.raises(SalesforceUnavailable):
        list(client.query("SELECT Id FROM Lead"))


def test_errors_hold_no_secret_address_or_body(standin: StandIn) -> None:
    secret, address = "hunter2-wrong", "ada@engines.example"
    client = client_of(standin, secret=secret)
    soql = f"SELECT Id FROM Lead WHERE Email = '{address}'"

    with pytest.raises(LoginRefused) as refused:
        list(client.query(soql))

    told = "".join(traceback.format_exception(refused.value)) + repr(refused.value.__dict__)
    for private in ("hunter2-wrong", "ada@engines.example", "://", "Basic "):
        assert private not in told
    assert refused.value.__context__ is None


def test_usage_and_server_time_are_read_from_every_answer(
    standin: StandIn, clock: StoppedClock, client_of_salesforce: SalesforceClient
) -> None:
    list(client_of_salesforce.query("SELECT Id FROM Lead"))

    assert (client_of_salesforce.usage.used, client_of_salesforce.usage.allowed) == (1, 15_000)
    assert client_of_salesforce.answered_at == clock.now
    assert (
        clock.now - timedelta(seconds=5) < client_of_salesforce.began_at <= clock.now - timedelta(seconds=1)
    )


def test_the_version_is_ours_not_the_library_s(
    standin: StandIn, client_of_salesforce: SalesforceClient
) -> None:
    assert client_of_salesforce.describe("Lead")["name"] == "Lead"

    assert standin.traffic[-1].path == "/services/data/v68.0/sobjects/Lead/describe"


@pytest.mark.django_db
def test_the_settings_name_the_org(standin: StandIn, settings) -> None:
    settings.SALESFORCE_URL = ""
    assert connected_client() is None

    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = "portal-client", CLIENT_SECRET
    client = connected_client()
    assert client is connected_client()
    [result] = client.upsert_rows("Lead", key=KEY, rows=[{KEY: "p1", **ADA}])
    page = requests.get(record_url(result.salesforce_id), timeout=5)
    assert page.status_code == 200
    assert result.salesforce_id in page.text
