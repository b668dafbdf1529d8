"""One record at a time (§1)."""

from email.utils import format_datetime

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceGeneralError, SalesforceResourceNotFound

from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.crm.standin.conftest import ADA, KEEP_OWNER


def test_create_answers_201_with_an_18_character_id(salesforce: Salesforce) -> None:
    created = salesforce.Lead.create(ADA)

    assert (created["success"], created["errors"]) == (True, [])
    assert created["id"].startswith("00Q")
    assert len(created["id"]) == 18
    assert salesforce.Lead.get(created["id"][:15])["Name"] == "Ada Byron"


def test_update_and_delete_answer_204(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]

    assert salesforce.Lead.update(lead_id, {"Title": "Countess"}) == 204
    assert salesforce.Lead.get(lead_id)["Title"] == "Countess"
    assert salesforce.Lead.delete(lead_id) == 204
    with pytest.raises(SalesforceResourceNotFound):
        salesforce.Lead.get(lead_id)


def test_writing_a_deleted_or_unknown_record_says_which(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    salesforce.Lead.delete(lead_id)

    with pytest.raises(SalesforceResourceNotFound) as deleted:
        salesforce.Lead.update(lead_id, {"Title": "x"})
    with pytest.raises(SalesforceResourceNotFound) as unknown:
        salesforce.Lead.update("00QHp0000000000AAA", {"Title": "x"})

    assert deleted.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert unknown.value.content[0]["errorCode"] == "INVALID_CROSS_REFERENCE_KEY"


@pytest.mark.parametrize(
    ("changes", "code", "fields"),
    [
        ({"LastName": None}, "REQUIRED_FIELD_MISSING", ["LastName"]),
        ({"Company": ""}, "REQUIRED_FIELD_MISSING", ["Company"]),
        ({"LastName": "x" * 81}, "STRING_TOO_LONG", ["LastName"]),
        ({"Email": "not an address"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
        ({"Status": "Hot"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status"]),
        ({"Shoe_Size__c": 38}, "INVALID_FIELD", ["Shoe_Size__c"]),
        (
            {"ConvertedOpportunityId": "006"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["ConvertedOpportunityId"],
        ),
        ({"Portal_Score__c": "many"}, "JSON_PARSER_ERROR", ["Portal_Score__c"]),
        ({"OwnerId": "005Hp0000000zzzAAA"}, "INVALID_CROSS_REFERENCE_KEY", ["OwnerId"]),
    ],
)
def test_wrong_values_are_refused_by_code_and_field(
    salesforce: Salesforce, changes: dict[str, object], code: str, fields: list[str]
) -> None:
    with pytest.raises(SalesforceMalformedRequest) as refused:
        salesforce.Lead.create({**ADA, **changes})

    assert refused.value.content[0]["errorCode"] == code
    assert refused.value.content[0]["fields"] == fields


def test_an_inactive_owner_is_refused(standin: StandIn, salesforce: Salesforce) -> None:
    user_id = standin.org.add_user("Gone", "Away", "gone@standin.example")
    salesforce.User.update(user_id, {"IsActive": False})

    with pytest.raises(SalesforceMalformedRequest, match="INACTIVE_OWNER_OR_USER"):
        salesforce.Lead.create({**ADA, "OwnerId": user_id}, headers=KEEP_OWNER)


def test_a_lead_is_not_set_to_a_converted_status(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]

    with pytest.raises(SalesforceMalformedRequest, match="FIELD_INTEGRITY_EXCEPTION"):
        salesforce.Lead.update(lead_id, {"Status": "Closed - Converted"})


def test_text_is_trimmed_and_empty_text_is_null(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create({**ADA, "Title": "  Countess ", "City": "   "})["id"]

    lead = salesforce.Lead.get(lead_id)
    assert (lead["Title"], lead["City"]) == ("Countess", None)


def test_one_reads_only_the_fields_asked_for(salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]

    lead = salesforce.restful(f"sobjects/Lead/{lead_id}", params={"fields": "Email,Company"})

    assert set(lead) == {"attributes", "Email", "Company"}
    assert lead["attributes"]["url"] == f"/services/data/v68.0/sobjects/Lead/{lead_id}"


def test_id_as_the_external_id_is_a_plain_create(salesforce: Salesforce) -> None:
    created = salesforce.restful("sobjects/Lead/Id", method="POST", json=ADA)

    assert created["success"]


def test_ids_of_15_characters_are_stored_and_told_with_18(standin: StandIn, salesforce: Salesforce) -> None:
    owner_id = standin.org.sales_user_id
    lead_id = salesforce.Lead.create({**ADA, "OwnerId": owner_id[:15]}, headers=KEEP_OWNER)["id"]

    found = salesforce.query(f"SELECT OwnerId FROM Lead WHERE Id = '{lead_id[:15]}'")["records"]
    row = {"attributes": {"type": "Lead"}, "id": lead_id[:15], "Title": "Dr"}
    [updated] = salesforce.restful("composite/sobjects", method="PATCH", json={"records": [row]})

    assert [record["OwnerId"] for record in found] == [owner_id]
    assert updated["id"] == lead_id


class TestConditions:
    """Lost updates are prevented by LastModifiedDate, to the second; ETags are for accounts only."""

    @pytest.fixture
    def lead_id(self, salesforce: Salesforce) -> str:
        return salesforce.Lead.create(ADA)["id"]

    def test_an_update_of_what_changed_meanwhile_is_refused(
        self, salesforce: Salesforce, clock: StoppedClock, lead_id: str
    ) -> None:
        read_at = format_datetime(clock.now, usegmt=True)
        clock.forward(seconds=1)
        salesforce.Lead.update(lead_id, {"Title": "Theirs"}, headers=KEEP_OWNER)

        with pytest.raises(SalesforceGeneralError) as refused:
            salesforce.Lead.update(lead_id, {"Title": "Ours"}, headers={"If-Unmodified-Since": read_at})

        assert refused.value.status == 412
        assert salesforce.Lead.get(lead_id)["Title"] == "Theirs"

    def test_an_update_of_what_is_unchanged_goes_through(
        self, salesforce: Salesforce, clock: StoppedClock, lead_id: str
    ) -> None:
        headers = {"If-Unmodified-Since": format_datetime(clock.now, usegmt=True)}

        assert salesforce.Lead.update(lead_id, {"Title": "Ours"}, headers=headers) == 204

    def test_a_wrong_time_is_refused(self, salesforce: Salesforce, lead_id: str) -> None:
        with pytest.raises(SalesforceMalformedRequest):
            salesforce.Lead.update(lead_id, {"Title": "x"}, headers={"If-Unmodified-Since": "yesterday"})

    def test_an_unchanged_record_is_not_read_again(
        self, standin: StandIn, salesforce: Salesforce, clock: StoppedClock, lead_id: str
    ) -> None:
        since = {"If-Modified-Since": format_datetime(clock.now, usegmt=True)}

        answer = requests.get(
            f"{standin.base_url}/services/data/v68.0/sobjects/Lead/{lead_id}",
            headers={**since, "Authorization": f"Bearer {salesforce.session_id}"},
            timeout=5,
        )

        assert (answer.status_code, answer.content) == (304, b"")
