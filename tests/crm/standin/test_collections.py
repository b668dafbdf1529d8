"""Up to 200 records in one call (§2)."""

from typing import Any

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, KEEP_OWNER, code_of, lead_rows, upsert_all


def test_results_come_in_the_order_of_the_rows(salesforce: Salesforce) -> None:
    upsert_all(salesforce, lead_rows(3))
    again = upsert_all(salesforce, list(reversed(lead_rows(4))))

    assert [row["created"] for row in again] == [True, False, False, False]
    numbers = [salesforce.Lead.get(row["id"])["Portal_Lead_Id__c"] for row in again]
    assert numbers == ["p3", "p2", "p1", "p0"]


def test_a_wrong_row_fails_alone_with_a_status_code(salesforce: Salesforce) -> None:
    rows = lead_rows(3)
    rows[1]["LastName"] = None

    results = upsert_all(salesforce, rows)

    assert [row["success"] for row in results] == [True, False, True]
    assert results[1]["errors"] == [
        {
            "statusCode": "REQUIRED_FIELD_MISSING",
            "message": "Required fields are missing: [LastName]",
            "fields": ["LastName"],
        }
    ]


def test_all_or_none_rolls_the_innocent_back(salesforce: Salesforce) -> None:
    rows = lead_rows(2)
    rows[1]["Company"] = None

    results = upsert_all(salesforce, rows, allOrNone=True)

    codes = [row["errors"][0]["statusCode"] for row in results]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert salesforce.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


def test_the_same_id_twice_fails_both_rows(salesforce: Salesforce) -> None:
    rows = lead_rows(3)
    rows[2]["Portal_Lead_Id__c"] = "P0"

    results = upsert_all(salesforce, rows)

    assert [row["success"] for row in results] == [False, True, False]
    assert results[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_takes_two_hundred_rows_and_no_more(standin: StandIn, salesforce: Salesforce) -> None:
    used = standin.usage.used

    assert all(row["success"] for row in upsert_all(salesforce, lead_rows(200)))
    assert standin.usage.used == used + 1
    with pytest.raises(SalesforceMalformedRequest, match="EXCEEDED_ID_LIMIT"):
        upsert_all(salesforce, lead_rows(201))


def change(salesforce: Salesforce, method: str, **more: Any) -> list[dict[str, Any]]:
    return salesforce.restful("composite/sobjects", method=method, headers=KEEP_OWNER, **more)


def test_records_are_created_updated_read_and_deleted_by_id(salesforce: Salesforce) -> None:
    rows = [{"attributes": {"type": "Lead"}, **ADA, "Email": f"ada{n}@engines.example"} for n in range(2)]
    ids = [row["id"] for row in change(salesforce, "POST", json={"records": rows})]

    changes = [
        {"attributes": {"type": "Lead"}, "id": one, "Title": "Dr"} for one in [*ids, "00QHp0000000000AAA"]
    ]
    updated = change(salesforce, "PATCH", json={"records": changes})
    unknown = "00QHp0000000000AAA"
    read = salesforce.restful(
        "composite/sobjects/Lead", params={"ids": ",".join([*ids, unknown]), "fields": "Title"}
    )
    posted = salesforce.restful(
        "composite/sobjects/Lead", method="POST", json={"ids": ids, "fields": ["Email"]}
    )
    deleted = change(salesforce, "DELETE", params={"ids": ",".join([ids[0], ids[0], ids[1]])})

    assert [row["success"] for row in updated] == [True, True, False]
    assert code_of(updated[2]) == "INVALID_CROSS_REFERENCE_KEY"
    assert [row and row["Title"] for row in read] == ["Dr", "Dr", None]
    assert [row["Email"] for row in posted] == ["ada0@engines.example", "ada1@engines.example"]
    assert [row["success"] for row in deleted] == [True, False, True]
    assert code_of(deleted[1]) == "ENTITY_IS_DELETED"


def test_a_deleted_record_is_a_row_s_error(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    salesforce.Lead.delete(lead_id)

    row = {"attributes": {"type": "Lead"}, "Id": lead_id, "Title": "x"}
    [result] = change(salesforce, "PATCH", json={"records": [row]})

    assert code_of(result) == "ENTITY_IS_DELETED"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"LastName": "x"}, "INVALID_INPUT"),
        ({"attributes": {"type": "Task"}, "Subject": "x"}, "INVALID_INPUT"),
        (
            {"attributes": {"type": "Lead"}, "Portal_Lead_Id__c": "p", "Portal_Score__c": "many"},
            "JSON_PARSER_ERROR",
        ),
    ],
    ids=["without a type", "of another type", "with an unreadable value"],
)
def test_a_malformed_row_spoils_the_call(salesforce: Salesforce, row: dict[str, Any], code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest, match=code):
        upsert_all(salesforce, [*lead_rows(1), row])

    assert salesforce.query("SELECT COUNT() FROM Lead")["totalSize"] == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"Portal_Lead_Id__c": ""}, "MISSING_ARGUMENT"), ({"Id": "00Q"}, "INVALID_FIELD")],
    ids=["no external id", "an id beside it"],
)
def test_an_upsert_takes_external_ids_only(
    salesforce: Salesforce, changes: dict[str, Any], code: str
) -> None:
    [row] = lead_rows(1)

    [result] = upsert_all(salesforce, [{**row, **changes}])

    assert code_of(result) == code
