"""The stand-in's own pages: what they show, and what their forms do as a person in Salesforce would."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests

from crm.standin.faults import Fault
from crm.standin.org import Caller
from crm.standin.schema import CONTACT, LEAD, OPPORTUNITY, TASK
from crm.standin.server import StandIn
from crm.standin.traffic import BODY_KEPT
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET

ADA = {
    "FirstName": "Ada",
    "LastName": "Byron",
    "Company": "Engines",
    "Email": "ada@engines.example",
    "Portal_Lead_Id__c": "p1",
    "Portal_Handoff_Status__c": "offered",
}


class Visitor:
    """Looks at the pages and sends their forms; an answer's words are those of the page that is shown."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.session.get(self.base_url + path, headers=headers, timeout=5)

    def send(self, path: str, *, origin: str = "", **form: object) -> requests.Response:
        headers = {"Origin": origin} if origin else {}
        return self.session.post(self.base_url + path, form, headers=headers, timeout=5)


@pytest.fixture
def visitor(standin: StandIn) -> Iterator[Visitor]:
    visitor = Visitor(standin.base_url)
    yield visitor
    visitor.session.close()


def add_lead(standin: StandIn, **more: object) -> str:
    caller = Caller(standin.org.integration_user_id, auto_assign=False)
    return standin.org.create(LEAD, {**ADA, **more}, caller=caller)


def call_api(standin: StandIn, path: str, **json: object) -> requests.Response:
    """A call of the portal's, with a token of its own."""
    grant = requests.post(
        f"{standin.base_url}/services/oauth2/token",
        {"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
        timeout=5,
    )
    return requests.post(
        f"{standin.base_url}/services/data/v68.0/{path}",
        json=json,
        headers={"Authorization": f"Bearer {grant.json()['access_token']}", "Sforce-Auto-Assign": "FALSE"},
        timeout=5,
    )


# --- what is shown ---


def test_lists_show_each_record_and_lead_to_its_page(standin: StandIn, visitor: Visitor) -> None:
    lead_id = add_lead(standin, Title="<script>alert(1)</script>")

    front, tasks = visitor.get("/"), visitor.get("/records/Task/")

    assert f'<a href="/{lead_id}">Ada Byron</a>' in front.text
    assert "offered" in front.text
    assert "Nothing has arrived yet" in tasks.text


def test_a_list_is_searched_and_leafed_through(standin: StandIn, visitor: Visitor) -> None:
    with standin.store.transaction():
        for number in range(60):
            add_lead(standin, LastName=f"Byron {number}", Email=None, Portal_Lead_Id__c=f"p{number}")

    assert "1–50 of 60" in visitor.get("/").text
    assert "51–60 of 60" in visitor.get("/?page=2").text
    assert "1–1 of 1" in visitor.get("/?q=bYRON 42").text
    # A wildcard of SQL is a character like any other.
    assert "Nothing matches" in visitor.get("/?q=Byron%_").text


def test_a_record_shows_its_fields_what_it_names_and_what_belongs_to_it(
    standin: StandIn, visitor: Visitor
) -> None:
    lead_id = add_lead(standin)
    task = {"Subject": "Call Ada", "WhoId": lead_id, "Description": "First\nSecond"}
    task_id = standin.org.create(TASK, task, caller=Caller(standin.org.sales_user_id))

    lead, called = visitor.get(f"/{lead_id}").text, visitor.get(f"/{task_id[:15]}").text

    assert "Portal Integration</a>" in lead
    assert f'<a href="/{task_id}">Call Ada</a>' in lead
    assert "Empty: " in lead
    assert f'<a href="/{lead_id}">Ada Byron</a>' in called
    assert "First<br>Second" in called


@pytest.mark.parametrize(
    "path", ["/", "/records/Lead/", "/calls/", "/calls/1/", "/jobs/", "/workshop/", "/{lead}"]
)
def test_pages_hold_no_script_and_load_nothing_from_elsewhere(
    standin: StandIn, visitor: Visitor, path: str
) -> None:
    lead_id = add_lead(standin, Title="<script>alert(1)</script>")
    call_api(standin, "sobjects/Lead/", LastName="<script>alert(1)</script>", Company="Engines")

    answer = visitor.get(path.format(lead=lead_id))

    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
    )


@pytest.mark.parametrize("path", ["/records/Shoe/", "/00QHp0000000009MAA", "/calls/9/", "/nowhere"])
def test_what_is_not_there_is_said(visitor: Visitor, path: str) -> None:
    answer = visitor.get(path)

    assert answer.status_code == 404
    assert "Nothing here" in answer.text


# --- what forms do ---


def test_an_edit_writes_what_differs_as_a_person_and_runs_no_assignment_rule(
    standin: StandIn, visitor: Visitor
) -> None:
    lead_id = add_lead(standin)

    answer = visitor.send(
        f"/{lead_id}/edit",
        LastName="Lovelace",
        NumberOfEmployees="12",
        Status="Working - Contacted",
        OwnerId=standin.org.sales_user_id,
        boxes="1",
        HasOptedOutOfEmail="1",
    )

    lead = standin.org.get(LEAD, lead_id)
    assert "Saved." in answer.text
    assert (lead["Name"], lead["NumberOfEmployees"]) == ("Ada Lovelace", 12)
    assert lead["HasOptedOutOfEmail"] is True
    assert lead["Company"] == "Engines"
    assert lead["OwnerId"] == lead["LastModifiedById"] == standin.org.sales_user_id


def test_an_edit_that_changes_nothing_writes_nothing(standin: StandIn, visitor: Visitor) -> None:
    lead_id = add_lead(standin)
    before = standin.org.get(LEAD, lead_id)

    answer = visitor.send(f"/{lead_id}/edit", LastName="Byron", Phone="", boxes="1")

    assert "Nothing was changed." in answer.text
    assert standin.org.get(LEAD, lead_id) == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"LastName": ""}, "Required fields are missing: [LastName]"),
        ({"Email": "ada"}, "invalid email address"),
        ({"NumberOfEmployees": "many"}, "Number of employees must be a number."),
        ({"Status": "Closed - Converted"}, "a lead is converted"),
    ],
    ids=["required", "email", "number", "converted"],
)
def test_what_salesforce_would_refuse_is_refused_in_words(
    standin: StandIn, visitor: Visitor, form: dict[str, str], words: str
) -> None:
    lead_id = add_lead(standin)

    answer = visitor.send(f"/{lead_id}/edit", **form)

    assert answer.status_code == 400
    assert "Not done: " in answer.text
    assert words in answer.text
    assert standin.org.get(LEAD, lead_id)["Name"] == "Ada Byron"


def test_another_site_cannot_send_a_form(standin: StandIn, visitor: Visitor) -> None:
    lead_id = add_lead(standin)

    answer = visitor.send(f"/{lead_id}/delete", origin="https://elsewhere.example")

    assert answer.status_code == 403
    assert standin.org.get(LEAD, lead_id)["IsDeleted"] is False


def test_a_lead_is_converted_and_can_no_longer_be_changed(standin: StandIn, visitor: Visitor) -> None:
    lead_id = add_lead(standin)

    answer = visitor.send(
        f"/{lead_id}/convert", owner=standin.org.sales_user_id, opportunity="1", name="Engine", amount="1200"
    )
    again = visitor.send(f"/{lead_id}/convert", owner=standin.org.sales_user_id)

    (deal,), (contact,) = standin.store.all(OPPORTUNITY.name), standin.store.all(CONTACT.name)
    assert "Converted. " in answer.text
    assert f'<a href="/{contact["Id"]}">Ada Byron</a>' in answer.text
    assert (deal["Name"], deal["Amount"], deal["OwnerId"]) == ("Engine", 1200, standin.org.sales_user_id)
    assert f'action="/{lead_id}/edit"' not in answer.text
    assert again.status_code == 400
    assert "cannot reference converted lead" in again.text


def test_leads_are_merged_and_the_one_that_went_points_to_the_other(
    standin: StandIn, visitor: Visitor
) -> None:
    kept, gone = add_lead(standin), add_lead(standin, Portal_Lead_Id__c="p2", Email=None)

    offered = visitor.get(f"/{kept}").text
    answer = visitor.send(f"/{kept}/merge", other=gone)

    assert f'<option value="{gone}">' in offered
    assert "Merged." in answer.text
    assert f'Merged into <a href="/{kept}">' in visitor.get(f"/{gone}").text
    assert "Ada Byron" in visitor.get("/records/Lead/?bin=1").text


def test_a_record_goes_to_the_recycle_bin_and_comes_back(standin: StandIn, visitor: Visitor) -> None:
    lead_id = add_lead(standin)

    deleted = visitor.send(f"/{lead_id}/delete")
    assert "In the recycle bin." in deleted.text
    assert standin.store.all(LEAD.name) == []

    undeleted = visitor.send(f"/{lead_id}/undelete")
    assert "Taken out of the recycle bin." in undeleted.text
    assert [lead["Id"] for lead in standin.store.all(LEAD.name)] == [lead_id]


# --- calls ---


def test_a_call_is_shown_with_what_it_asked_and_was_told(standin: StandIn, visitor: Visitor) -> None:
    call_api(standin, "sobjects/Lead/", LastName="Byron")

    calls, call = visitor.get("/calls/").text, visitor.get("/calls/2/").text

    assert "POST /services/data/v68.0/sobjects/Lead/" in calls
    assert "&quot;LastName&quot;: &quot;Byron&quot;" in call
    assert "REQUIRED_FIELD_MISSING" in call
    assert "sforce-auto-assign" in call


def test_no_token_and_no_secret_is_shown(standin: StandIn, visitor: Visitor) -> None:
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    token = requests.post(f"{standin.base_url}/services/oauth2/token", form, timeout=5).json()["access_token"]

    shown = visitor.get("/calls/1/").text + visitor.get("/calls/").text

    assert "client_credentials" in shown
    assert token not in shown
    assert CLIENT_SECRET not in shown


def test_calls_that_failed_are_found_among_the_others(standin: StandIn, visitor: Visitor) -> None:
    call_api(standin, "sobjects/Lead/", **ADA)
    standin.faults.add(Fault("reset_after", "create"))
    with pytest.raises(requests.ConnectionError):
        call_api(standin, "sobjects/Lead/", LastName="Lovelace", Company="Engines")

    failed, lost = visitor.get("/calls/?failed=1").text, visitor.get("/calls/4/").text

    assert "1 of the last 4" in failed
    assert "reset_after" in failed
    assert "This was done and written, but the answer never left." in lost
    assert "4 of the last 4" not in visitor.get("/calls/?operation=token").text


def test_only_the_beginning_of_a_long_body_is_kept(standin: StandIn, visitor: Visitor) -> None:
    call_api(standin, "sobjects/Lead/", LastName="Byron", Description="long " * BODY_KEPT)

    assert "the rest is not kept" in visitor.get("/calls/2/").text
    assert len(standin.traffic[-1].sent) == BODY_KEPT


# --- jobs ---


def test_a_job_shows_how_far_it_is_and_which_rows_failed(standin: StandIn, visitor: Visitor) -> None:
    assert "Jobs are held" in visitor.send("/jobs/hold").text
    job = call_api(
        standin, "jobs/ingest", object="Lead", operation="upsert", externalIdFieldName="Portal_Lead_Id__c"
    ).json()["id"]
    # The rows as the runner finds them, once the file has come in.
    standin.ingest.shelf.put_file(job, b"Portal_Lead_Id__c,LastName,Company\np1,Byron,Engines\np2,King,\n")
    standin.ingest.shelf.save(standin.ingest.shelf.info(job), state="UploadComplete")
    standin.ingest.runner.begin(job)
    held = visitor.get("/jobs/").text

    visitor.send("/jobs/go-on")
    standin.ingest.runner.finish()

    assert "UploadComplete" in held
    assert "upsert Lead" in held
    shown = visitor.get(f"/jobs/{job}/").text
    assert "1 done, 1 failed, 0 waiting" in shown
    assert "REQUIRED_FIELD_MISSING" in shown
    assert "King" in shown


# --- the workshop ---


def test_a_fault_is_ordered_and_taken_back(standin: StandIn, visitor: Visitor) -> None:
    ordered = visitor.send(
        "/workshop/faults",
        kind="error",
        operation="create",
        code="APEX_ERROR",
        nth="2",
        times="3",
        probability="0.5",
    )
    visitor.send("/workshop/faults", preset="maintenance")

    assert "The fault waits for its call." in ordered.text
    assert "APEX_ERROR" in ordered.text
    first, second = standin.faults.waiting()
    assert (first["nth"], first["times"], first["probability"]) == (2, 3, 0.5)
    assert (second["kind"], second["status"]) == ("html", 503)

    assert "None." in visitor.send("/workshop/faults/clear").text
    assert standin.faults.waiting() == []


@pytest.mark.parametrize(
    ("path", "form", "words"),
    [
        ("faults", {"kind": "earthquake"}, "kind must be one of"),
        ("faults", {"kind": "error", "nth": "soon"}, "nth must be a whole number"),
        ("faults", {"kind": "error", "probability": "2"}, "probability must be a number from 0 to 1."),
        ("faults", {"preset": "earthquake"}, "preset must be one of"),
        ("calls", {"allowed": "-1"}, "Calls a day must be a whole number"),
        ("setup", {"duplicate_rule": "sometimes"}, "duplicate_rule must be one of"),
        ("setup", {"duplicate_rule": "off", "hidden_fields": "Lead.Shoe__c"}, "Lead has no field Shoe__c"),
        ("setup", {"duplicate_rule": "off", "late_commit_seconds": "x"}, "must be a number"),
    ],
    ids=["kind", "nth", "probability", "preset", "calls", "rule", "field", "seconds"],
)
def test_a_wrong_order_is_refused_in_words(
    standin: StandIn, visitor: Visitor, path: str, form: dict[str, str], words: str
) -> None:
    answer = visitor.send(f"/workshop/{path}", **form)

    assert answer.status_code == 400
    assert words in answer.text
    assert standin.faults.waiting() == []


def test_the_allocation_of_calls_is_set_and_spent(standin: StandIn, visitor: Visitor) -> None:
    visitor.send("/workshop/calls", allowed="100", spent="100")

    refused = call_api(standin, "sobjects/Lead/", **ADA)

    assert refused.status_code == 403
    assert refused.json()[0]["message"] == "TotalRequests Limit exceeded."
    assert "100 of 100 API calls today" in visitor.get("/workshop/").text

    visitor.send("/workshop/calls", allowed="100", begin_day="1")
    assert call_api(standin, "sobjects/Lead/", **ADA).status_code == 201


def test_switches_are_set_and_others_left(standin: StandIn, visitor: Visitor) -> None:
    rule = {"field": "Lead.Company", "pattern": ".+", "message": "Name the company."}
    standin.org.change_setup(validation_rules=[rule])

    visitor.send(
        "/workshop/setup",
        duplicate_rule="block",
        tracked_fields="Status\nOwnerId",
        hidden_fields="Lead.Portal_Score__c",
        late_commit_seconds="30",
        late_commit_share="0.5",
    )

    setup = standin.org.setup
    assert (setup.duplicate_rule, setup.assignment_rule, setup.shows_limits) == ("block", False, False)
    assert (setup.tracked_fields, setup.hidden_fields) == (("Status", "OwnerId"), ("Lead.Portal_Score__c",))
    assert standin.org.late_by == timedelta(seconds=30)
    assert len(setup.validation_rules) == 1


def test_sessions_are_ended(standin: StandIn, visitor: Visitor) -> None:
    token = standin.tokens.grant(
        {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
        "",
        instance_url="",
    )["access_token"]

    visitor.send("/workshop/sessions")

    limits = f"{standin.base_url}/services/data/v68.0/limits"
    assert requests.get(limits, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code == 401
