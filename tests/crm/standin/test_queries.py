"""SOQL and its pages (§6)."""

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceGeneralError

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, KEEP_OWNER, lead_rows, upsert_all


def test_pages_are_followed_by_their_cursor(standin: StandIn, salesforce: Salesforce) -> None:
    standin.api.page_size = 2
    upsert_all(salesforce, lead_rows(5))

    first = salesforce.query("SELECT Portal_Lead_Id__c FROM Lead ORDER BY Id")
    every = salesforce.query_all("SELECT Portal_Lead_Id__c FROM Lead ORDER BY Id")

    assert (first["totalSize"], first["done"], len(first["records"])) == (5, False, 2)
    assert [record["Portal_Lead_Id__c"] for record in every["records"]] == ["p0", "p1", "p2", "p3", "p4"]


def test_a_cursor_does_not_survive_a_restart(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_QUERY_LOCATOR"):
        salesforce.query_more("01gHp0000000009MAQ-2000")


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("LastName = 'lead 1'", ["p1"]),
        ("LastName != 'Lead 1' AND Portal_Lead_Id__c != null", ["p0", "p2"]),
        ("LastName IN ('Lead 0', 'Lead 2')", ["p0", "p2"]),
        ("LastName LIKE 'Lead%' AND (Portal_Score__c > 10 OR Portal_Lead_Id__c = 'p0')", ["p0", "p2"]),
        ("NOT Portal_Score__c > 10", ["p1"]),
        ("IsConverted = false AND Owner.Name = 'Portal Integration'", ["p0", "p1", "p2"]),
        ("SystemModstamp >= 2026-03-03T12:00:00Z", ["p0", "p1", "p2"]),
        ("SystemModstamp > 2026-03-03T13:00:00.000+01:00", []),
        ("Company = 'O\\'Brien'", []),
        ("Portal_Lead_Id__c IN ('P0', 'p2')", ["p0", "p2"]),
        ("Portal_Lead_Id__c NOT IN ('p0')", ["p1", "p2"]),
        ("Portal_Lead_Id__c = null", []),
        ("Id IN (SELECT WhoId FROM Task WHERE Subject = 'Call')", ["p1"]),
        ("Id NOT IN (SELECT WhoId FROM Task WHERE Subject = 'Call')", ["p0", "p2"]),
    ],
)
def test_conditions(salesforce: Salesforce, where: str, found: list[str]) -> None:
    rows = lead_rows(3)
    rows[1]["Portal_Score__c"], rows[2]["Portal_Score__c"] = 5, 50
    called = upsert_all(salesforce, rows)[1]
    salesforce.Task.create({"Subject": "Call", "WhoId": called["id"]})

    records = salesforce.query(f"SELECT Portal_Lead_Id__c FROM Lead WHERE {where} ORDER BY Id")["records"]

    assert [record["Portal_Lead_Id__c"] for record in records] == found


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT Id FROM Leads", "INVALID_TYPE"),
        ("SELECT Shoe__c FROM Lead", "INVALID_FIELD"),
        ("SELECT FROM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = 'x' GARBAGE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT many", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead LIMIT 1 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Lead WHERE SystemModstamp > '2026-03-03T12:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE LastName = 1", "INVALID_FIELD"),
        (f"SELECT Id FROM Lead WHERE Portal_Score__c > {10**30}", "NUMBER_OUTSIDE_VALID_RANGE"),
        (f"SELECT Id FROM Lead LIMIT {10**30}", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT Id FROM Lead WHERE Description LIKE 'x%'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Company.Name = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Id IN (SELECT WhoId, Id FROM Task)", "MALFORMED_QUERY"),
        ('SELECT Id FROM Lead WHERE Id = "x"', "MALFORMED_QUERY"),
    ],
)
def test_wrong_queries_are_refused(salesforce: Salesforce, query: str, code: str) -> None:
    with pytest.raises(SalesforceMalformedRequest, match=code):
        salesforce.query(query)


def test_owners_are_people_or_queues(standin: StandIn, salesforce: Salesforce) -> None:
    salesforce.Lead.create(ADA)
    salesforce.Lead.create({**ADA, "OwnerId": standin.org.sales_user_id}, headers=KEEP_OWNER)

    records = salesforce.query("SELECT Owner.Name, Owner.Type FROM Lead ORDER BY Id")["records"]

    owners = [(record["Owner"]["Name"], record["Owner"]["Type"]) for record in records]
    assert owners == [("Web leads", "Queue"), ("Sam Seller", "User")]


def test_deleted_records_are_seen_by_query_all_only(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    salesforce.Lead.delete(lead_id)

    assert salesforce.query("SELECT Id FROM Lead")["records"] == []
    found = salesforce.query("SELECT Id, IsDeleted FROM Lead", include_deleted=True)["records"]
    assert [(record["Id"], record["IsDeleted"]) for record in found] == [(lead_id, True)]


def test_links_are_followed_and_a_link_to_nothing_is_null(standin: StandIn, salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA, headers=KEEP_OWNER)["id"]
    salesforce.Task.create({"Subject": "With", "WhoId": lead_id})
    salesforce.Task.create({"Subject": "Without"})

    with_lead, without = salesforce.query(
        "SELECT Who.Name, Who.Type, CreatedBy.Username, CreatedBy.IsActive FROM Task ORDER BY Subject"
    )["records"]
    [history] = salesforce.query("SELECT Lead.Owner.Name, Lead.Portal_Lead_Id__c FROM LeadHistory")["records"]

    assert (with_lead["Who"]["Name"], with_lead["Who"]["Type"], without["Who"]) == ("Ada Byron", "Lead", None)
    assert with_lead["CreatedBy"]["IsActive"] is True
    assert history["Lead"]["Owner"]["Name"] == "Portal Integration"
    assert history["Lead"]["Portal_Lead_Id__c"] is None


def test_nulls_come_first_unless_told_otherwise(salesforce: Salesforce) -> None:
    rows = lead_rows(3)
    rows[0]["Title"], rows[2]["Title"] = "B", "A"
    upsert_all(salesforce, rows)

    orders = ["Title", "Title DESC", "Title NULLS LAST"]
    found = [salesforce.query(f"SELECT Title FROM Lead ORDER BY {order}")["records"] for order in orders]

    assert [[record["Title"] for record in records] for records in found] == [
        [None, "A", "B"],
        [None, "B", "A"],
        ["A", "B", None],
    ]


def test_a_page_is_as_small_as_wished(salesforce: Salesforce) -> None:
    for batch in range(2):
        upsert_all(
            salesforce, [{**row, "Portal_Lead_Id__c": f"{batch}-{n}"} for n, row in enumerate(lead_rows(150))]
        )

    page = salesforce.query("SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=10"})

    assert (len(page["records"]), page["done"]) == (200, False)


def test_an_endless_address_is_refused(standin: StandIn, salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceGeneralError) as refused:
        salesforce.query(f"SELECT Id FROM Lead WHERE LastName = '{'x' * 17_000}'")

    assert refused.value.status == 414
