"""The session: what simple-salesforce gets wrong must not come through (SALESFORCE.md §10)."""

import traceback
from datetime import timedelta

import pytest
import requests

from crm.client import SalesforceClient, connected_client, record_url
from crm.problems import LoginRefused, QuotaSpent, RequestRefused, SalesforceUnavailable
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
    client = client_of(standin, timeout_seconds=1)

    with pytest.raises(SalesforceUnavailable) as given_up:
        list(client.query("SELECT Id FROM Lead"))

    assert given_up.value.problem.message == "ReadTimeout"


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
    assert requests.get(record_url(result.salesforce_id), timeout=5).url.endswith(
        f"#record-{result.salesforce_id}"
    )
