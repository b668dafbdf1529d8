"""Converting and merging, which no REST call does, and what it does to the API (§8)."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceResourceNotFound

from crm.standin.conversion import Converted, convert_lead, merge_leads
from crm.standin.errors import ApiError
from crm.standin.org import Caller
from crm.standin.schema import LEAD, OPPORTUNITY
from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.crm.standin.conftest import ADA, KEEP_OWNER, code_of, lead_rows, upsert_all
from tests.factories import NOON


@pytest.fixture
def lead_id(salesforce: Salesforce) -> str:
    ada = {**ADA, "Website": "https://engines.example", "Title": "Countess"}
    return salesforce.Lead.upsert("Portal_Lead_Id__c/p1", ada, headers=KEEP_OWNER, raw_response=True).json()[
        "id"
    ]


class TestConversion:
    @pytest.fixture
    def task_id(self, salesforce: Salesforce, lead_id: str) -> str:
        return salesforce.Task.create({"Subject": "Call Ada", "WhoId": lead_id})["id"]

    @pytest.fixture
    def converted(self, standin: StandIn, lead_id: str, task_id: str, sam: Caller) -> Converted:
        return convert_lead(standin.org, lead_id, by=sam.user_id, amount=12_000.0)

    def test_makes_an_account_a_contact_and_a_deal(
        self, salesforce: Salesforce, converted: Converted, lead_id: str
    ) -> None:
        lead = salesforce.Lead.get(lead_id)
        contact = salesforce.Contact.get(converted.contact_id)
        deal = salesforce.Opportunity.get(converted.opportunity_id)

        assert (lead["IsConverted"], lead["Status"]) == (True, "Closed - Converted")
        assert lead["ConvertedDate"] == "2026-03-03"
        assert lead["ConvertedOpportunityId"] == converted.opportunity_id
        assert salesforce.Account.get(converted.account_id)["Website"] == "https://engines.example"
        assert (contact["Name"], contact["Title"]) == ("Ada Byron", "Countess")
        assert (deal["StageName"], deal["Amount"], deal["IsClosed"]) == ("Prospecting", 12_000.0, False)

    def test_moves_the_tasks_to_the_contact(
        self, salesforce: Salesforce, converted: Converted, task_id: str
    ) -> None:
        task = salesforce.Task.get(task_id)

        assert (task["WhoId"], task["WhatId"]) == (converted.contact_id, converted.opportunity_id)

    def test_makes_the_lead_read_only_in_every_way(
        self, salesforce: Salesforce, converted: Converted, lead_id: str
    ) -> None:
        code = "CANNOT_UPDATE_CONVERTED_LEAD"
        with pytest.raises(SalesforceMalformedRequest, match=code):
            salesforce.Lead.update(lead_id, {"Title": "x"})
        with pytest.raises(SalesforceMalformedRequest, match=code):
            salesforce.Lead.upsert("Portal_Lead_Id__c/p1", {"Title": "x"})
        with pytest.raises(SalesforceMalformedRequest, match=code):
            salesforce.Task.create({"Subject": "x", "WhoId": lead_id})
        [row, other] = upsert_all(salesforce, [{**row, "Title": "x"} for row in reversed(lead_rows(2))])
        assert (code_of(row), other["success"]) == (code, True)
        assert salesforce.Task.create({"Subject": "x", "WhoId": converted.contact_id})["success"]

    def test_lets_some_profiles_write_to_a_dead_record(
        self, standin: StandIn, salesforce: Salesforce, converted: Converted, lead_id: str
    ) -> None:
        standin.org.change_setup(edits_converted_leads=True)

        assert salesforce.Lead.update(lead_id, {"Title": "Lost"}) == 204
        assert salesforce.Contact.get(converted.contact_id)["Title"] == "Countess"

    def test_the_deal_s_stage_says_whether_it_is_won(
        self, standin: StandIn, salesforce: Salesforce, converted: Converted, sam: Caller
    ) -> None:
        assert converted.opportunity_id
        standin.org.update(OPPORTUNITY, converted.opportunity_id, {"StageName": "Closed Won"}, caller=sam)

        [lead] = salesforce.query(
            "SELECT ConvertedOpportunity.StageName, ConvertedOpportunity.IsWon FROM Lead "
            "WHERE IsConverted = true"
        )["records"]
        [deal] = salesforce.query(
            "SELECT IsClosed, IsWon, Probability FROM Opportunity WHERE Id IN "
            "(SELECT ConvertedOpportunityId FROM Lead WHERE Portal_Lead_Id__c != null)"
        )["records"]
        assert (lead["ConvertedOpportunity"]["StageName"], lead["ConvertedOpportunity"]["IsWon"]) == (
            "Closed Won",
            True,
        )
        assert (deal["IsClosed"], deal["IsWon"], deal["Probability"]) == (True, True, 100)


def test_a_queue_s_lead_needs_an_owner_to_be_converted(
    standin: StandIn, salesforce: Salesforce, sam: Caller
) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]

    with pytest.raises(ApiError, match="Name an owner"):
        convert_lead(standin.org, lead_id, by=sam.user_id)

    converted = convert_lead(
        standin.org, lead_id, by=sam.user_id, owner_id=sam.user_id, with_opportunity=False
    )
    assert converted.opportunity_id is None


class TestMerge:
    @pytest.fixture
    def winner_id(self, salesforce: Salesforce) -> str:
        return salesforce.Lead.upsert("Portal_Lead_Id__c/p2", ADA, raw_response=True).json()["id"]

    def test_deletes_the_loser_which_points_to_the_winner(
        self,
        standin: StandIn,
        salesforce: Salesforce,
        clock: StoppedClock,
        sam: Caller,
        lead_id: str,
        winner_id: str,
    ) -> None:
        task_id = salesforce.Task.create({"Subject": "Call Ada", "WhoId": lead_id})["id"]
        clock.forward(minutes=5)

        merge_leads(standin.org, winner_id, [lead_id], by=sam.user_id, values={"Title": "Countess"})

        [loser] = salesforce.query(
            f"SELECT IsDeleted, MasterRecordId, Portal_Lead_Id__c FROM Lead WHERE Id = '{lead_id}'",
            include_deleted=True,
        )["records"]
        winner = salesforce.Lead.get(winner_id)
        assert (loser["IsDeleted"], loser["MasterRecordId"], loser["Portal_Lead_Id__c"]) == (
            True,
            winner_id,
            "p1",
        )
        assert (winner["Portal_Lead_Id__c"], winner["Title"]) == ("p2", "Countess")
        assert salesforce.Task.get(task_id)["WhoId"] == winner_id
        vanished = salesforce.Lead.deleted(NOON, clock.now + timedelta(minutes=1))["deletedRecords"]
        assert [one["id"] for one in vanished] == [lead_id]

    def test_makes_the_loser_s_key_free_for_a_double(
        self, standin: StandIn, salesforce: Salesforce, sam: Caller, lead_id: str, winner_id: str
    ) -> None:
        """The trap that a client must not step into: by its id the loser is deleted, by its key it is new."""
        merge_leads(standin.org, winner_id, [lead_id], by=sam.user_id)

        with pytest.raises(SalesforceResourceNotFound, match="ENTITY_IS_DELETED"):
            salesforce.Lead.update(lead_id, {"Title": "x"})
        [again] = upsert_all(salesforce, [{**lead_rows(2)[1]}])
        assert again["created"] is True

    def test_cannot_be_undone_and_merges_three_at_most(
        self, standin: StandIn, sam: Caller, lead_id: str, winner_id: str
    ) -> None:
        with pytest.raises(ApiError, match="one or two"):
            merge_leads(standin.org, winner_id, [lead_id, "a", "b"], by=sam.user_id)
        merge_leads(standin.org, winner_id, [lead_id], by=sam.user_id)

        with pytest.raises(ApiError, match="UNDELETE_FAILED"):
            standin.org.undelete(LEAD, lead_id, caller=sam)


def test_both_are_done_by_hand_over_http(
    salesforce: Salesforce, by_hand: Callable[..., requests.Response], lead_id: str
) -> None:
    winner, loser = (row["id"] for row in upsert_all(salesforce, lead_rows(4)[2:]))

    converted = by_hand("POST", f"leads/{lead_id}/convert", {"opportunity_name": "Big", "amount": 5})
    merged = by_hand("POST", f"leads/{winner}/merge", {"losers": [loser]})
    again = by_hand("POST", f"leads/{lead_id}/convert")

    assert (converted.status_code, merged.status_code, again.status_code) == (200, 204, 400)
    assert salesforce.Opportunity.get(converted.json()["opportunity_id"])["Name"] == "Big"
    assert again.json()[0]["errorCode"] == "CANNOT_UPDATE_CONVERTED_LEAD"


class TestHistory:
    def test_tells_who_changed_a_tracked_field_and_when(
        self, standin: StandIn, salesforce: Salesforce, clock: StoppedClock, sam: Caller, lead_id: str
    ) -> None:
        clock.forward(minutes=1)
        changes = {"Status": "Working - Contacted", "OwnerId": sam.user_id, "Title": "Untracked"}
        standin.org.update(LEAD, lead_id, changes, caller=sam)

        rows = salesforce.query(
            "SELECT Field, OldValue, NewValue, CreatedDate, CreatedById FROM LeadHistory "
            f"WHERE LeadId = '{lead_id}' AND CreatedDate > 2026-03-03T12:00:00Z ORDER BY Id"
        )["records"]

        integration = standin.org.integration_user_id
        assert [(row["Field"], row["OldValue"], row["NewValue"]) for row in rows] == [
            ("Status", "Open - Not Contacted", "Working - Contacted"),
            ("Owner", integration, sam.user_id),
            ("Owner", "Portal Integration", "Sam Seller"),
        ]
        assert {(row["CreatedById"], row["CreatedDate"]) for row in rows} == {
            (sam.user_id, "2026-03-03T12:01:00.000+0000")
        }

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("SELECT Id FROM LeadHistory WHERE SystemModstamp > 2026-03-03T12:00:00Z", "INVALID_FIELD"),
            ("SELECT Id FROM LeadHistory", "INVALID_TYPE"),
        ],
    )
    def test_has_no_stamp_and_is_not_there_without_tracking(
        self, standin: StandIn, salesforce: Salesforce, query: str, code: str
    ) -> None:
        if code == "INVALID_TYPE":
            standin.org.change_setup(tracked_fields=[])

        with pytest.raises(SalesforceMalformedRequest, match=code):
            salesforce.query(query)
