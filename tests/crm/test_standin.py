"""The stand-in against the facts of SALESFORCE.md, driven by simple-salesforce as it comes from PyPI."""

from collections.abc import Iterator

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest
from simple_salesforce.exceptions import (
    SalesforceAuthenticationFailed,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)

from crm.client import Transport
from crm.standin.faults import Fault
from crm.standin.schema import LEAD, USER
from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock

KEEP_OWNER = {"Sforce-Auto-Assign": "FALSE"}
ADA = {"LastName": "Byron", "FirstName": "Ada", "Company": "Engines", "Email": "ada@engines.example"}


def session_to(standin: StandIn) -> requests.Session:
    session = requests.Session()
    session.mount("https://", Transport(standin.base_url, read_seconds=5.0))
    return session


def log_in(standin: StandIn, version: str = "68.0", secret: str = CLIENT_SECRET) -> Salesforce:
    return Salesforce(
        consumer_key=CLIENT_ID,
        consumer_secret=secret,
        domain="handoff-standin.my",
        version=version,
        session=session_to(standin),
    )


@pytest.fixture
def salesforce(standin: StandIn) -> Salesforce:
    return log_in(standin)


def lead_rows(count: int, **more: object) -> list[dict[str, object]]:
    return [
        {
            "attributes": {"type": "Lead"},
            "Portal_Lead_Id__c": f"p{number}",
            "LastName": f"Lead {number}",
            "Company": "Engines",
            **more,
        }
        for number in range(count)
    ]


def upsert_all(
    salesforce: Salesforce, rows: list[dict[str, object]], **more: object
) -> list[dict[str, object]]:
    return salesforce.restful(
        "composite/sobjects/Lead/Portal_Lead_Id__c",
        method="PATCH",
        json={"records": rows, **more},
        headers=KEEP_OWNER,
    )


class TestSingleRecords:
    def test_create_answers_201_with_an_18_character_id(self, salesforce: Salesforce) -> None:
        created = salesforce.Lead.create(ADA)

        assert (created["success"], created["errors"]) == (True, [])
        assert created["id"].startswith("00Q")
        assert len(created["id"]) == 18
        assert salesforce.Lead.get(created["id"][:15])["Name"] == "Ada Byron"

    def test_update_and_delete_answer_204(self, salesforce: Salesforce) -> None:
        lead_id = salesforce.Lead.create(ADA)["id"]

        assert salesforce.Lead.update(lead_id, {"Title": "Countess"}) == 204
        assert salesforce.Lead.get(lead_id)["Title"] == "Countess"
        assert salesforce.Lead.delete(lead_id) == 204
        with pytest.raises(SalesforceResourceNotFound):
            salesforce.Lead.get(lead_id)

    def test_writing_a_deleted_or_unknown_record_says_which(self, salesforce: Salesforce) -> None:
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
        self, salesforce: Salesforce, changes: dict[str, object], code: str, fields: list[str]
    ) -> None:
        with pytest.raises(SalesforceMalformedRequest) as refused:
            salesforce.Lead.create({**ADA, **changes})

        assert refused.value.content[0]["errorCode"] == code
        assert refused.value.content[0]["fields"] == fields

    def test_an_inactive_owner_is_refused(self, standin: StandIn, salesforce: Salesforce) -> None:
        user_id = standin.org.add_user("Gone", "Away", "gone@standin.example")
        salesforce.User.update(user_id, {"IsActive": False})

        with pytest.raises(SalesforceMalformedRequest, match="INACTIVE_OWNER_OR_USER"):
            salesforce.Lead.create({**ADA, "OwnerId": user_id}, headers=KEEP_OWNER)

    def test_a_lead_is_not_set_to_a_converted_status(self, salesforce: Salesforce) -> None:
        lead_id = salesforce.Lead.create(ADA)["id"]

        with pytest.raises(SalesforceMalformedRequest, match="FIELD_INTEGRITY_EXCEPTION"):
            salesforce.Lead.update(lead_id, {"Status": "Closed - Converted"})


class TestUpsert:
    def test_creates_with_201_and_updates_with_200(self, salesforce: Salesforce) -> None:
        first = salesforce.Lead.upsert("Portal_Lead_Id__c/p1", ADA, raw_response=True)
        second = salesforce.Lead.upsert("Portal_Lead_Id__c/P1", {"Title": "Dr"}, raw_response=True)

        assert (first.status_code, first.json()["created"]) == (201, True)
        assert (second.status_code, second.json()["created"]) == (200, False)
        assert first.json()["id"] == second.json()["id"]  # matched whatever the case

    def test_old_versions_answer_an_update_with_204(self, standin: StandIn) -> None:
        old = log_in(standin, version="45.0")
        old.Lead.upsert("Portal_Lead_Id__c/p1", ADA)

        assert old.Lead.upsert("Portal_Lead_Id__c/p1", {"Title": "Dr"}) == 204

    def test_quoted_external_ids_reach_the_record_they_name(self, salesforce: Salesforce) -> None:
        salesforce.Lead.upsert("Portal_Lead_Id__c/a%2Fb%3Fc%23d", ADA)

        found = salesforce.query("SELECT Portal_Lead_Id__c FROM Lead")["records"]
        assert [record["Portal_Lead_Id__c"] for record in found] == ["a/b?c#d"]

    def test_several_matches_answer_300_and_write_nothing(self, salesforce: Salesforce) -> None:
        first, second = salesforce.Lead.create(ADA)["id"], salesforce.Lead.create(ADA)["id"]

        with pytest.raises(SalesforceMoreThanOneRecord) as many:
            salesforce.Lead.upsert("Email/ada@engines.example", {"Title": "Dr"})

        assert [url.rsplit("/", 1)[1] for url in many.value.content] == [first, second]
        assert salesforce.Lead.get(first)["Title"] is None

    def test_a_field_that_is_no_key_is_not_found(self, salesforce: Salesforce) -> None:
        with pytest.raises(SalesforceResourceNotFound, match="requested resource does not exist"):
            salesforce.Lead.upsert("Company/Engines", ADA)

    def test_the_key_may_not_be_repeated_in_the_body(self, salesforce: Salesforce) -> None:
        with pytest.raises(SalesforceMalformedRequest, match="should not be specified"):
            salesforce.Lead.upsert("Portal_Lead_Id__c/p1", {**ADA, "Portal_Lead_Id__c": "p1"})


class TestCollections:
    def test_results_come_in_the_order_of_the_rows(self, salesforce: Salesforce) -> None:
        upsert_all(salesforce, lead_rows(3))
        again = upsert_all(salesforce, list(reversed(lead_rows(4))))

        assert [row["created"] for row in again] == [True, False, False, False]
        numbers = [salesforce.Lead.get(row["id"])["Portal_Lead_Id__c"] for row in again]
        assert numbers == ["p3", "p2", "p1", "p0"]

    def test_a_wrong_row_fails_alone_with_a_status_code(self, salesforce: Salesforce) -> None:
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

    def test_all_or_none_rolls_the_innocent_back(self, salesforce: Salesforce) -> None:
        rows = lead_rows(2)
        rows[1]["Company"] = None

        results = upsert_all(salesforce, rows, allOrNone=True)

        codes = [row["errors"][0]["statusCode"] for row in results]
        assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
        assert salesforce.query("SELECT COUNT() FROM Lead")["totalSize"] == 0

    def test_the_same_id_twice_fails_both_rows(self, salesforce: Salesforce) -> None:
        rows = lead_rows(3)
        rows[2]["Portal_Lead_Id__c"] = "P0"

        results = upsert_all(salesforce, rows)

        assert [row["success"] for row in results] == [False, True, False]
        assert results[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"

    def test_takes_two_hundred_rows_and_no_more(self, standin: StandIn, salesforce: Salesforce) -> None:
        used = standin.usage.used

        assert all(row["success"] for row in upsert_all(salesforce, lead_rows(200)))
        assert standin.usage.used == used + 1
        with pytest.raises(SalesforceMalformedRequest, match="EXCEEDED_ID_LIMIT"):
            upsert_all(salesforce, lead_rows(201))


class TestOwnership:
    def test_the_assignment_rule_takes_the_owner_away_unless_told_not_to(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        owner = standin.org.sales_user_id
        kept = salesforce.Lead.create({**ADA, "OwnerId": owner}, headers=KEEP_OWNER)["id"]
        stolen = salesforce.Lead.create({**ADA, "OwnerId": owner})["id"]

        assert salesforce.Lead.get(kept)["OwnerId"] == owner
        assert salesforce.Lead.get(stolen)["OwnerId"] == standin.org.queue_id

        salesforce.Lead.update(kept, {"Title": "Dr"})
        assert salesforce.Lead.get(kept)["OwnerId"] == standin.org.queue_id

    def test_the_token_s_user_is_the_last_modifier(self, standin: StandIn, salesforce: Salesforce) -> None:
        lead_id = salesforce.Lead.create(ADA)["id"]

        assert salesforce.Lead.get(lead_id)["LastModifiedById"] == standin.org.integration_user_id


class TestQueries:
    def test_pages_are_followed_by_their_cursor(self, clock: StoppedClock) -> None:
        with StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock, page_size=2) as standin:
            salesforce = log_in(standin)
            upsert_all(salesforce, lead_rows(5))

            first = salesforce.query("SELECT Portal_Lead_Id__c FROM Lead ORDER BY Id")
            every = salesforce.query_all("SELECT Portal_Lead_Id__c FROM Lead ORDER BY Id")

        assert (first["totalSize"], first["done"], len(first["records"])) == (5, False, 2)
        assert [record["Portal_Lead_Id__c"] for record in every["records"]] == ["p0", "p1", "p2", "p3", "p4"]

    def test_a_cursor_does_not_survive_a_restart(self, salesforce: Salesforce) -> None:
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
        ],
    )
    def test_conditions(self, salesforce: Salesforce, where: str, found: list[str]) -> None:
        rows = lead_rows(3)
        rows[1]["Portal_Score__c"], rows[2]["Portal_Score__c"] = 5, 50
        upsert_all(salesforce, rows)

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
            ('SELECT Id FROM Lead WHERE Id = "x"', "MALFORMED_QUERY"),
        ],
    )
    def test_wrong_queries_are_refused(self, salesforce: Salesforce, query: str, code: str) -> None:
        with pytest.raises(SalesforceMalformedRequest, match=code):
            salesforce.query(query)

    def test_owners_are_people_or_queues(self, standin: StandIn, salesforce: Salesforce) -> None:
        salesforce.Lead.create(ADA)
        salesforce.Lead.create({**ADA, "OwnerId": standin.org.sales_user_id}, headers=KEEP_OWNER)

        records = salesforce.query("SELECT Owner.Name, Owner.Type FROM Lead ORDER BY Id")["records"]

        owners = [(record["Owner"]["Name"], record["Owner"]["Type"]) for record in records]
        assert owners == [("Web leads", "Queue"), ("Sam Seller", "User")]

    def test_deleted_records_are_seen_by_query_all_only(self, salesforce: Salesforce) -> None:
        lead_id = salesforce.Lead.create(ADA)["id"]
        salesforce.Lead.delete(lead_id)

        assert salesforce.query("SELECT Id FROM Lead")["records"] == []
        found = salesforce.query("SELECT Id, IsDeleted FROM Lead", include_deleted=True)["records"]
        assert [(record["Id"], record["IsDeleted"]) for record in found] == [(lead_id, True)]


class TestTime:
    def test_stamps_are_second_precise_with_an_offset_without_colon(
        self, clock: StoppedClock, salesforce: Salesforce
    ) -> None:
        clock.forward(milliseconds=750)

        lead = salesforce.Lead.get(salesforce.Lead.create(ADA)["id"])

        assert lead["SystemModstamp"] == "2026-03-03T12:00:00.000+0000"

    def test_a_late_commit_carries_an_old_stamp(
        self, standin: StandIn, clock: StoppedClock, salesforce: Salesforce
    ) -> None:
        clock.forward(minutes=1)
        standin.org.change_setup(late_commit_seconds=30)

        lead = salesforce.Lead.get(salesforce.Lead.create(ADA)["id"])

        assert lead["SystemModstamp"] == "2026-03-03T12:00:30.000+0000"


class TestSessions:
    def test_wrong_credentials_are_refused_in_oauth_s_shape(self, standin: StandIn) -> None:
        with pytest.raises(SalesforceAuthenticationFailed) as refused:
            log_in(standin, secret="guess")

        assert refused.value.code == "invalid_client"

    @pytest.mark.parametrize("grant", ["password", "refresh_token", ""])
    def test_only_client_credentials_are_granted(self, standin: StandIn, grant: str) -> None:
        answer = requests.post(f"{standin.base_url}/services/oauth2/token", {"grant_type": grant}, timeout=5)

        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")

    def test_a_grant_says_nothing_about_its_end(self, standin: StandIn) -> None:
        answer = requests.post(
            f"{standin.base_url}/services/oauth2/token",
            {"grant_type": "client_credentials"},
            auth=(CLIENT_ID, CLIENT_SECRET),
            timeout=5,
        ).json()

        assert set(answer) == {"access_token", "scope", "instance_url", "id", "token_type"}

    def test_tokens_expire_and_can_be_revoked(
        self, standin: StandIn, clock: StoppedClock, salesforce: Salesforce
    ) -> None:
        direct = Salesforce(
            session_id=salesforce.session_id,
            instance=salesforce.sf_instance,
            version="68.0",
            session=salesforce.session,
        )
        direct.Lead.create(ADA)
        clock.forward(hours=2)

        with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
            direct.Lead.create(ADA)

        fresh = log_in(standin)
        requests.post(f"{standin.base_url}/services/oauth2/revoke", {"token": fresh.session_id}, timeout=5)
        revoked = Salesforce(
            session_id=fresh.session_id,
            instance=fresh.sf_instance,
            version="68.0",
            session=fresh.session,
        )
        with pytest.raises(SalesforceExpiredSession):
            revoked.query("SELECT Id FROM Lead")


class TestLimits:
    def test_every_answer_tells_the_usage_with_the_app_behind_it(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        salesforce.query("SELECT Id FROM Lead")

        assert standin.usage.header == (
            "api-usage=1/15000; per-app-api-usage=1/15000(appName=handoff-portal)"
        )
        assert salesforce.api_usage["per-app-api-usage"].name == "handoff-portal"

    def test_a_spent_day_answers_403_until_the_next(self, clock: StoppedClock) -> None:
        with StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=clock, daily_limit=1) as standin:
            salesforce = log_in(standin)
            salesforce.Lead.create(ADA)
            with pytest.raises(SalesforceRefusedRequest, match="TotalRequests Limit exceeded"):
                salesforce.Lead.create(ADA)

            clock.forward(days=1)
            assert log_in(standin).Lead.create(ADA)["success"]


class TestFaults:
    def test_an_error_on_order_strikes_the_nth_call_of_its_operation(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        standin.faults.add(Fault("error", "create", nth=2, status=500, code="UNABLE_TO_LOCK_ROW"))

        salesforce.query("SELECT Id FROM Lead")
        salesforce.Lead.create(ADA)
        with pytest.raises(SalesforceGeneralError, match="UNABLE_TO_LOCK_ROW"):
            salesforce.Lead.create(ADA)
        salesforce.Lead.create(ADA)

        assert standin.faults.waiting() == []

    def test_maintenance_is_html(self, standin: StandIn, salesforce: Salesforce) -> None:
        standin.faults.add(Fault("html", status=503))

        with pytest.raises(SalesforceGeneralError) as refused:
            salesforce.query("SELECT Id FROM Lead")

        assert refused.value.status == 503
        assert "<html>" in refused.value.content

    def test_a_reset_before_the_work_leaves_nothing_and_one_after_leaves_the_record(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        standin.faults.add(Fault("reset", "create"))
        with pytest.raises(requests.ConnectionError):
            salesforce.Lead.create(ADA)
        assert standin.store.all(LEAD.name) == []

        standin.faults.add(Fault("reset_after", "create"))
        with pytest.raises(requests.ConnectionError):
            salesforce.Lead.create(ADA)
        assert len(standin.store.all(LEAD.name)) == 1

    def test_a_slow_answer_outlasts_an_impatient_client(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        standin.faults.add(Fault("slow", "describe", seconds=60))
        salesforce.session.mount("https://", Transport(standin.base_url, read_seconds=0.05))

        with pytest.raises(requests.ReadTimeout):
            salesforce.Lead.describe()

    def test_faults_are_ordered_over_http(self, standin: StandIn) -> None:
        url = f"{standin.base_url}/__standin__/faults"

        taken = requests.post(url, json={"kind": "slow", "operation": "query", "seconds": 0.1}, timeout=5)
        refused = requests.post(url, json={"kind": "earthquake"}, timeout=5)

        assert (taken.status_code, taken.json()[0]["operation"]) == (201, "query")
        assert refused.status_code == 400
        assert refused.json()[0]["message"].startswith("kind must be one of: error, html")
        assert requests.delete(url, timeout=5).status_code == 204
        assert requests.get(url, timeout=5).json() == []


class TestMetadata:
    def test_describe_tells_type_length_and_picklist(self, salesforce: Salesforce) -> None:
        fields = {field["name"]: field for field in salesforce.Lead.describe()["fields"]}

        assert (fields["LastName"]["length"], fields["LastName"]["nillable"]) == (80, False)
        assert fields["Portal_Lead_Id__c"]["externalId"]
        assert fields["IsConverted"]["updateable"] is False
        assert fields["Status"]["picklistValues"][0]["value"] == "Open - Not Contacted"

    def test_statuses_and_queues_are_records(self, salesforce: Salesforce) -> None:
        statuses = salesforce.query("SELECT MasterLabel FROM LeadStatus WHERE IsConverted = true")
        queues = salesforce.query("SELECT Name FROM Group WHERE Type = 'Queue'")

        assert [record["MasterLabel"] for record in statuses["records"]] == ["Closed - Converted"]
        assert [record["Name"] for record in queues["records"]] == ["Web leads"]


class TestPersistence:
    @pytest.fixture
    def reopened(self, tmp_path, clock: StoppedClock) -> Iterator[tuple[str, StandIn, Salesforce]]:
        settings = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "clock": clock,
            "state": tmp_path / "state.sqlite3",
        }
        with StandIn(**settings) as first:
            session = log_in(first)
            lead_id = session.Lead.create(ADA)["id"]
        with StandIn(**settings) as second:
            session.session.mount("https://", Transport(second.base_url, read_seconds=5.0))
            yield lead_id, second, session

    def test_a_restart_forgets_neither_records_nor_sessions(
        self, reopened: tuple[str, StandIn, Salesforce]
    ) -> None:
        lead_id, standin, salesforce = reopened

        assert salesforce.Lead.get(lead_id)["Email"] == "ada@engines.example"
        assert salesforce.Lead.create(ADA)["id"] != lead_id
        assert len(standin.store.all(USER.name)) == 4


class TestPage:
    def test_shows_leads_tasks_and_traffic_without_inline_script_or_style(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        lead_id = salesforce.Lead.create({**ADA, "Title": "<script>alert(1)</script>"})["id"]
        salesforce.Task.create({"Subject": "Call Ada", "WhoId": lead_id, "Description": "Asked for a demo"})

        answer = requests.get(standin.base_url, timeout=5)

        assert answer.status_code == 200
        for words in ("Ada Byron", "Engines", "Call Ada", "Asked for a demo", "/sobjects/Lead/"):
            assert words in answer.text
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert requests.get(f"{standin.base_url}/page.css", timeout=5).status_code == 200

    def test_a_lead_is_changed_as_a_salesforce_user_would(
        self, standin: StandIn, salesforce: Salesforce
    ) -> None:
        lead_id = salesforce.Lead.create(ADA, headers=KEEP_OWNER)["id"]

        answer = requests.post(
            f"{standin.base_url}/leads",
            {"id": lead_id, "status": "Working - Contacted", "owner": standin.org.sales_user_id},
            timeout=5,
        )

        lead = salesforce.Lead.get(lead_id)
        assert (lead["Status"], lead["OwnerId"]) == ("Working - Contacted", standin.org.sales_user_id)
        assert lead["LastModifiedById"] == standin.org.sales_user_id
        assert "Saved Ada Byron" in answer.text

    def test_another_site_cannot_change_a_lead(self, standin: StandIn, salesforce: Salesforce) -> None:
        lead_id = salesforce.Lead.create(ADA)["id"]

        answer = requests.post(
            f"{standin.base_url}/leads",
            {"id": lead_id, "status": "Working - Contacted"},
            headers={"Origin": "https://elsewhere.example"},
            timeout=5,
        )

        assert answer.status_code == 403
        assert salesforce.Lead.get(lead_id)["Status"] == "Open - Not Contacted"

    def test_a_vanished_lead_is_said_not_crashed_on(self, standin: StandIn) -> None:
        answer = requests.post(f"{standin.base_url}/leads", {"id": "00Q"}, timeout=5)

        assert answer.status_code == 404
        assert "There is no such lead any more" in answer.text
