"""Rules of the org that decide over a write: assignment, duplicates, validation, rights (§5, §8)."""

from typing import Any

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import SalesforceRefusedRequest

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA, KEEP_OWNER, code_of, lead_rows, upsert_all


def test_the_assignment_rule_takes_the_owner_away_unless_told_not_to(
    standin: StandIn, salesforce: Salesforce
) -> None:
    owner = standin.org.sales_user_id
    kept = salesforce.Lead.create({**ADA, "OwnerId": owner}, headers=KEEP_OWNER)["id"]
    stolen = salesforce.Lead.create({**ADA, "OwnerId": owner})["id"]

    assert salesforce.Lead.get(kept)["OwnerId"] == owner
    assert salesforce.Lead.get(stolen)["OwnerId"] == standin.org.queue_id

    salesforce.Lead.update(kept, {"Title": "Dr"})
    assert salesforce.Lead.get(kept)["OwnerId"] == standin.org.queue_id


def test_the_token_s_user_is_the_last_modifier(standin: StandIn, salesforce: Salesforce) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]

    assert salesforce.Lead.get(lead_id)["LastModifiedById"] == standin.org.integration_user_id


def test_an_inactive_rule_leaves_the_owner_alone(standin: StandIn, salesforce: Salesforce) -> None:
    standin.org.change_setup(assignment_rule=False)

    lead_id = salesforce.Lead.create({**ADA, "OwnerId": standin.org.sales_user_id})["id"]

    assert salesforce.Lead.get(lead_id)["OwnerId"] == standin.org.sales_user_id
    rules = salesforce.query("SELECT Active FROM AssignmentRule WHERE SobjectType = 'Lead'")["records"]
    assert [rule["Active"] for rule in rules] == [False]


def test_a_queue_owns_only_what_it_is_for(standin: StandIn, salesforce: Salesforce) -> None:
    cases, leads = standin.org.add_queue("Cases", of="Case"), standin.org.add_queue("Hot leads")

    with pytest.raises(SalesforceMalformedRequest, match="Queue not associated with this SObject type"):
        salesforce.Lead.create({**ADA, "OwnerId": cases}, headers=KEEP_OWNER)
    assert salesforce.Lead.create({**ADA, "OwnerId": leads}, headers=KEEP_OWNER)["success"]


def test_an_owner_who_became_inactive_hinders_no_other_change(
    standin: StandIn, salesforce: Salesforce
) -> None:
    user_id = standin.org.add_user("Gone", "Away", "gone@standin.example")
    lead_id = salesforce.Lead.create({**ADA, "OwnerId": user_id}, headers=KEEP_OWNER)["id"]
    salesforce.User.update(user_id, {"IsActive": False})

    unchanged = {"Title": "Dr", "OwnerId": user_id}
    assert salesforce.Lead.update(lead_id, unchanged, headers=KEEP_OWNER) == 204


class TestDuplicateRule:
    ALLOW = {
        "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=true; runAsCurrentUser=true"
    }

    @pytest.fixture
    def there(self, standin: StandIn, salesforce: Salesforce) -> str:
        standin.org.change_setup(duplicate_rule="alert")
        return salesforce.Lead.create(ADA)["id"]

    def test_an_alert_names_the_matches_under_a_misspelt_key(
        self, salesforce: Salesforce, there: str
    ) -> None:
        with pytest.raises(SalesforceMalformedRequest) as refused:
            salesforce.Lead.create({**ADA, "Email": "ADA@engines.example"})

        [error] = refused.value.content
        assert error["errorCode"] == "DUPLICATES_DETECTED"
        found = error["duplicateResut"]
        assert (found["allowSave"], found["duplicateRuleEntityType"]) == (True, "Lead")
        [match] = found["matchResults"][0]["matchRecords"]
        assert match["record"]["Id"] == there
        assert "Email" not in match["record"]

    def test_the_key_is_spelt_right_where_it_was_mended(
        self, standin: StandIn, salesforce: Salesforce, there: str
    ) -> None:
        standin.org.change_setup(duplicate_key="duplicateResult")

        [row] = upsert_all(salesforce, [{**lead_rows(1)[0], "Email": ADA["Email"]}])

        assert code_of(row) == "DUPLICATES_DETECTED"
        assert row["errors"][0]["duplicateResult"]["matchResults"][0]["size"] == 1

    def test_the_header_saves_in_spite_of_an_alert_and_never_of_a_block(
        self, standin: StandIn, salesforce: Salesforce, there: str
    ) -> None:
        assert salesforce.Lead.create(ADA, headers=self.ALLOW)["success"]

        standin.org.change_setup(duplicate_rule="block")
        with pytest.raises(SalesforceMalformedRequest) as refused:
            salesforce.Lead.create(ADA, headers=self.ALLOW)
        found = refused.value.content[0]["duplicateResut"]
        assert found["allowSave"] is False
        assert found["matchResults"][0]["matchRecords"][0]["record"]["Email"] == ADA["Email"]

    def test_a_record_is_no_duplicate_of_itself(self, salesforce: Salesforce, there: str) -> None:
        assert salesforce.Lead.update(there, {"Email": "Ada@engines.example", "Title": "Dr"}) == 204


class TestValidation:
    RULE = {"field": "Lead.Phone", "pattern": r"(\+[0-9 ]+)?", "message": "Phone needs a country code."}

    def test_a_rule_of_the_org_refuses_in_its_own_words(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        standin.org.change_setup(validation_rules=[self.RULE])

        good, bad = upsert_all(
            salesforce,
            [{**row, "Phone": phone} for row, phone in zip(lead_rows(2), ("+49 1", "0170"), strict=True)],
        )

        assert good["success"]
        assert code_of(bad) == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        assert bad["errors"][0]["message"] == "Phone needs a country code."

    def test_a_rule_looks_at_the_record_as_it_would_become(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        lead_id = salesforce.Lead.create({**ADA, "Phone": "0170"})["id"]
        standin.org.change_setup(validation_rules=[self.RULE])

        with pytest.raises(SalesforceMalformedRequest, match="FIELD_CUSTOM_VALIDATION_EXCEPTION"):
            salesforce.Lead.update(lead_id, {"Title": "Dr"})

    def test_a_picklist_can_be_restricted(self, standin: StandIn, salesforce: Salesforce) -> None:
        assert salesforce.Lead.create({**ADA, "LeadSource": "Trade fair"})["success"]
        standin.org.change_setup(picklists={"Lead.LeadSource": ["Web"]})

        with pytest.raises(SalesforceMalformedRequest, match="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"):
            salesforce.Lead.create({**ADA, "LeadSource": "Trade fair"})
        described = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}["LeadSource"]
        assert (described["restrictedPicklist"], len(described["picklistValues"])) == (True, 1)


class TestRights:
    """A field that was deployed and granted to nobody is the commonest cause of "No such column" (§13)."""

    def test_a_hidden_field_is_not_there(self, standin: StandIn, salesforce: Salesforce) -> None:
        standin.org.change_setup(hidden_fields=["Lead.Portal_Score__c"])
        lead_id = salesforce.Lead.create(ADA)["id"]

        names = {field["name"] for field in salesforce.Lead.describe()["fields"]}
        assert "Portal_Score__c" not in names | set(salesforce.Lead.get(lead_id))
        with pytest.raises(SalesforceMalformedRequest, match="No such column 'Portal_Score__c'"):
            salesforce.Lead.update(lead_id, {"Portal_Score__c": 5})
        with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD"):
            salesforce.query("SELECT Portal_Score__c FROM Lead")

    def test_a_read_only_field_is_read_and_not_written(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        standin.org.change_setup(read_only_fields=["Lead.Title"])

        with pytest.raises(SalesforceMalformedRequest, match="INVALID_FIELD_FOR_INSERT_UPDATE"):
            salesforce.Lead.create({**ADA, "Title": "Dr"})
        fields = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}
        assert fields["Title"]["updateable"] is False

    def test_a_read_only_object_takes_no_record(self, standin: StandIn, salesforce: Salesforce) -> None:
        standin.org.change_setup(read_only_objects=["Task"])

        with pytest.raises(SalesforceRefusedRequest, match="INSUFFICIENT_ACCESS_OR_READONLY"):
            salesforce.Task.create({"Subject": "x"})
        assert salesforce.Task.describe()["createable"] is False


def test_a_campaign_has_each_member_once(salesforce: Salesforce) -> None:
    campaign = salesforce.Campaign.create({"Name": "Spring fair"})["id"]
    member = {"CampaignId": campaign, "LeadId": salesforce.Lead.create(ADA)["id"]}

    assert salesforce.CampaignMember.create(member)["success"]
    with pytest.raises(SalesforceMalformedRequest, match="Already a campaign member"):
        salesforce.CampaignMember.create(member)


@pytest.mark.parametrize(
    "changes",
    [
        {"assignment": True},
        {"duplicate_rule": "sometimes"},
        {"assignment_rule": 1},
        {"hidden_fields": ["Lead.Shoe__c"]},
        {"read_only_objects": ["Shoe"]},
        {"late_commit_share": 2},
        {"validation_rules": [{"field": "Lead.Phone", "pattern": "(", "message": "x"}]},
        {"tracked_fields": ["Status"] * 21},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_wrong_switch_is_refused_and_changes_nothing(standin: StandIn, changes: dict[str, Any]) -> None:
    before = standin.org.setup

    with pytest.raises(ValueError, match=r"\.$"):
        standin.org.change_setup(**changes)

    assert standin.org.setup == before
