"""Upsert by an external id (§1)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceMoreThanOneRecord, SalesforceResourceNotFound

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, log_in


def test_creates_with_201_and_updates_with_200(salesforce: Salesforce) -> None:
    first = salesforce.Lead.upsert("Portal_Lead_Id__c/p1", ADA, raw_response=True)
    second = salesforce.Lead.upsert("Portal_Lead_Id__c/P1", {"Title": "Dr"}, raw_response=True)

    assert (first.status_code, first.json()["created"]) == (201, True)
    assert (second.status_code, second.json()["created"]) == (200, False)
    assert first.json()["id"] == second.json()["id"]  # matched whatever the case


def test_old_versions_answer_an_update_with_204(standin: StandIn) -> None:
    old = log_in(standin, version="45.0")
    old.Lead.upsert("Portal_Lead_Id__c/p1", ADA)

    assert old.Lead.upsert("Portal_Lead_Id__c/p1", {"Title": "Dr"}) == 204


def test_quoted_external_ids_reach_the_record_they_name(salesforce: Salesforce) -> None:
    salesforce.Lead.upsert("Portal_Lead_Id__c/a%2Fb%3Fc%23d", ADA)

    found = salesforce.query("SELECT Portal_Lead_Id__c FROM Lead")["records"]
    assert [record["Portal_Lead_Id__c"] for record in found] == ["a/b?c#d"]


def test_several_matches_answer_300_and_write_nothing(salesforce: Salesforce) -> None:
    first, second = salesforce.Lead.create(ADA)["id"], salesforce.Lead.create(ADA)["id"]

    with pytest.raises(SalesforceMoreThanOneRecord) as many:
        salesforce.Lead.upsert("Email/ada@engines.example", {"Title": "Dr"})

    assert [url.rsplit("/", 1)[1] for url in many.value.content] == [first, second]
    assert salesforce.Lead.get(first)["Title"] is None


def test_a_field_that_is_no_key_is_not_found(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceResourceNotFound, match="requested resource does not exist"):
        salesforce.Lead.upsert("Company/Engines", ADA)


def test_the_key_may_not_be_repeated_in_the_body(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="should not be specified"):
        salesforce.Lead.upsert("Portal_Lead_Id__c/p1", {**ADA, "Portal_Lead_Id__c": "p1"})


def test_of_many_at_once_one_creates(standin: StandIn, salesforce: Salesforce) -> None:
    def upsert(title: str) -> bool:
        answer = requests.patch(
            f"{standin.base_url}/services/data/v68.0/sobjects/Lead/Portal_Lead_Id__c/p1",
            json={**ADA, "Title": title},
            headers={"Authorization": f"Bearer {salesforce.session_id}"},
            timeout=5,
        )
        return answer.json()["created"]

    with ThreadPoolExecutor(8) as pool:
        created = list(pool.map(upsert, "abcdefgh"))

    assert sorted(created) == [False] * 7 + [True]
    assert salesforce.query("SELECT COUNT() FROM Lead")["totalSize"] == 1


def test_update_only_never_creates(salesforce: Salesforce) -> None:
    path = "sobjects/Lead/Portal_Lead_Id__c/p1"
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.restful(path, params={"updateOnly": "true"}, method="PATCH", json=ADA)

    salesforce.restful(path, method="PATCH", json=ADA)
    updated = salesforce.restful(path, params={"updateOnly": "true"}, method="PATCH", json={"Title": "Dr"})
    assert updated["created"] is False


def test_a_unique_field_that_another_has_names_the_other(salesforce: Salesforce) -> None:
    other = salesforce.Lead.upsert("Portal_Lead_Id__c/p1", ADA, raw_response=True).json()["id"]

    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.Lead.create({**ADA, "Portal_Lead_Id__c": "P1"})

    error = refused.value.content[0]
    assert error["errorCode"] == "DUPLICATE_VALUE"
    assert error["message"] == (
        f"duplicate value found: Portal_Lead_Id__c duplicates value on record with id: {other}"
    )


def test_the_subtype_of_a_task_is_set_once(salesforce: Salesforce) -> None:
    call = {"Subject": "Called Ada", "TaskSubtype": "Call"}
    salesforce.Task.upsert("Portal_Task_Id__c/t1", call)

    with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
        salesforce.Task.upsert("Portal_Task_Id__c/t1", call)
