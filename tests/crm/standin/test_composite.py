"""Several calls in one (§2)."""

from typing import Any

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, KEEP_OWNER

LEADS = "/services/data/v68.0/sobjects/Lead"
TASKS = "/services/data/v68.0/sobjects/Task"


def part(name: str, method: str, url: str, body: Any = None, **headers: str) -> dict[str, Any]:
    return {"referenceId": name, "method": method, "url": url, "body": body, "httpHeaders": headers}


def run(salesforce: Salesforce, *parts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    body = {"compositeRequest": list(parts), **more}
    return salesforce.restful("composite", method="POST", json=body)["compositeResponse"]


def test_a_part_uses_what_an_earlier_one_answered(standin: StandIn, salesforce: Salesforce) -> None:
    used = standin.usage.used

    lead, task, read = run(
        salesforce,
        part("lead", "POST", LEADS, ADA),
        part("task", "POST", TASKS, {"Subject": "Call lead @{lead.id}", "WhoId": "@{lead.id}"}),
        part("read", "GET", f"{LEADS}/@{{lead.id}}?fields=Name"),
    )

    assert [lead["httpStatusCode"], task["httpStatusCode"], read["httpStatusCode"]] == [201, 201, 200]
    assert (read["referenceId"], read["body"]["Name"]) == ("read", "Ada Byron")
    assert standin.usage.used == used + 1
    made = salesforce.Task.get(task["body"]["id"])
    assert (made["WhoId"], made["Subject"]) == (lead["body"]["id"], f"Call lead {lead['body']['id']}")


def test_headers_count_for_the_part_that_has_them(standin: StandIn, salesforce: Salesforce) -> None:
    """The outer call's Sforce-Auto-Assign does not reach the parts: the assignment rule runs for them."""
    owned = {**ADA, "OwnerId": standin.org.sales_user_id}
    body = {
        "compositeRequest": [
            part("with", "POST", LEADS, owned, **KEEP_OWNER),
            part("without", "POST", LEADS, owned),
        ]
    }

    answers = salesforce.restful("composite", method="POST", json=body, headers=KEEP_OWNER)[
        "compositeResponse"
    ]

    owners = [salesforce.Lead.get(answer["body"]["id"])["OwnerId"] for answer in answers]
    assert owners == [standin.org.sales_user_id, standin.org.queue_id]


def test_a_failed_part_has_its_error_and_the_others_stay(salesforce: Salesforce) -> None:
    good, bad, after = run(
        salesforce,
        part("good", "POST", LEADS, ADA),
        part("bad", "POST", LEADS, {"LastName": "x"}),
        part("after", "POST", TASKS, {"Subject": "x", "WhoId": "@{bad.id}"}),
    )

    assert bad["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert after["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert salesforce.Lead.get(good["body"]["id"])["LastName"] == "Byron"


def test_all_or_none_undoes_the_others(salesforce: Salesforce) -> None:
    good, bad = run(
        salesforce,
        part("good", "POST", LEADS, ADA),
        part("bad", "POST", LEADS, {"LastName": "x"}),
        allOrNone=True,
    )

    codes = [good["body"][0]["errorCode"], bad["body"][0]["errorCode"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING"]
    assert salesforce.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


@pytest.mark.parametrize(
    "parts",
    [
        [part(f"p{n}", "POST", LEADS, ADA) for n in range(26)],
        [part(f"p{n}", "GET", "/services/data/v68.0/query?q=x") for n in range(6)],
        [part("same", "POST", LEADS, ADA), part("same", "POST", LEADS, ADA)],
        [part("1", "POST", LEADS, ADA)],
        [part("p", "POST", "/services/oauth2/token", {})],
        [part("p", "POST", LEADS, ADA, Authorization="Bearer stolen")],
    ],
    ids=["26 parts", "6 queries", "a name twice", "a wrong name", "another url", "an outer header"],
)
def test_what_is_too_much_or_wrong_is_refused_as_a_whole(
    salesforce: Salesforce, parts: list[dict[str, Any]]
) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_INPUT"):
        run(salesforce, *parts)
