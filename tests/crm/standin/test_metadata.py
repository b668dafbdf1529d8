"""What the org tells about itself (§8, §13)."""

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceResourceNotFound

from crm.standin.server import StandIn
from tests.crm.standin.conftest import log_in


def test_describe_tells_type_length_and_picklist(salesforce: Salesforce) -> None:
    fields = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}

    assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
    assert fields["Portal_Lead_Id__c"]["externalId"]
    assert fields["IsConverted"]["updateable"] is False
    assert fields["Status"]["picklistValues"][0]["value"] == "Open - Not Contacted"


def test_statuses_and_queues_are_records(salesforce: Salesforce) -> None:
    statuses = salesforce.query("SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true")
    queues = salesforce.query("SELECT Name FROM Group WHERE Type = 'Queue'")

    assert [record["MasterLabel"] for record in statuses["records"]] == ["Closed - Converted"]
    assert [record["Name"] for record in queues["records"]] == ["Web leads"]


def test_queues_say_which_records_they_may_own(standin: StandIn, salesforce: Salesforce) -> None:
    queues = salesforce.query("SELECT QueueId, Queue.Name FROM QueueSobject WHERE SobjectType = 'Lead'")[
        "records"
    ]

    assert [(queue["QueueId"], queue["Queue"]["Name"]) for queue in queues] == [
        (standin.org.queue_id, "Web leads")
    ]


def test_stages_say_what_they_mean(salesforce: Salesforce) -> None:
    won = salesforce.query("SELECT MasterLabel FROM OpportunityStage WHERE IsClosed = true AND IsWon = true")

    assert [record["MasterLabel"] for record in won["records"]] == ["Closed Won"]


def test_links_are_described_with_what_they_lead_to(salesforce: Salesforce) -> None:
    fields = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}

    assert fields["OwnerId"]["referenceTo"] == ["User", "Group"]
    assert fields["OwnerId"]["relationshipName"] == "Owner"


def test_objects_are_listed(salesforce: Salesforce) -> None:
    names = {sobject["name"] for sobject in salesforce.describe()["sobjects"]}

    assert {"Lead", "Task", "Account", "Contact", "Opportunity", "LeadHistory"} <= names


def test_versions_are_listed_to_anybody(standin: StandIn) -> None:
    versions = requests.get(f"{standin.base_url}/services/data", timeout=5).json()

    assert (versions[0]["version"], versions[-1]["version"]) == ("31.0", "68.0")


@pytest.mark.parametrize(
    ("version", "error", "status"),
    [("30.0", SalesforceGeneralError, 410), ("69.0", SalesforceResourceNotFound, 404)],
)
def test_retired_and_future_versions_are_not_served(
    standin: StandIn, version: str, error: type[Exception], status: int
) -> None:
    with pytest.raises(error) as refused:
        log_in(standin, version=version).query("SELECT Id FROM Lead")

    assert refused.value.status == status
