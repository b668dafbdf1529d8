"""The connection's steps and its check-list, against a real stand-in."""

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from crm.checking import IT_PASSES, check_connection, read_progress
from crm.client import SalesforceClient
from crm.models import Connection, FieldMapping, Finding, OwnerMapping, StatusMapping
from crm.standin.faults import Fault
from crm.standin.server import StandIn
from crm.tasks import check_connection_task
from leads.models import Lead
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock, client_of

pytestmark = pytest.mark.django_db

GOOD, WARNING, BAD = Finding.Outcome.GOOD, Finding.Outcome.WARNING, Finding.Outcome.BAD


def outcomes(found: list[Finding]) -> dict[str, str]:
    return {finding.key: finding.outcome for finding in found}


class TestCheckList:
    def test_a_sound_org_is_found_in_order(
        self, client_of_salesforce: SalesforceClient, standin: StandIn, clock: StoppedClock, bdr: User
    ) -> None:
        OwnerMapping.objects.create(user=bdr, salesforce_user_id=standin.org.sales_user_id)
        Connection.objects.create(fallback_queue_id=standin.org.queue_id)

        found = check_connection(client_of_salesforce, now=clock.now)

        assert {finding.key: finding.words for finding in found if finding.outcome != GOOD} == {}
        assert read_progress().is_done
        assert [check.key for check, _ in read_progress().checked] == [
            "sign-in", "clock", "limits", "records", "keys", "fields", "statuses", "owners", "queues",
            "assignment", "duplicates", "history",
        ]  # fmt: skip

    def test_what_does_not_fit_is_named_with_its_remedy(
        self, client_of_salesforce: SalesforceClient, clock: StoppedClock, bdr: User
    ) -> None:
        FieldMapping.objects.filter(salesforce_field="Title").update(salesforce_field="Job__c")
        StatusMapping.objects.filter(stage=Lead.Stage.SAL).update(status="Never heard of")
        Connection.objects.create(fallback_queue_id="00GHp0000000099AAA")
        clock.forward(minutes=10)

        found = {one.key: one for one in check_connection(client_of_salesforce, now=clock.now)}
        late = check_connection(client_of_salesforce, now=clock.forward(minutes=-10))

        assert found["fields:Lead.Job__c"].outcome == BAD
        assert found["fields:Lead.Job__c"].remedy
        assert "“Never heard of”" in found[f"statuses:{Lead.Stage.SAL.label}"].words
        assert found["queues:00GHp0000000099AAA"].outcome == BAD
        assert str(bdr) in found["owners:unmapped"].words
        assert outcomes(late)["clock:"] == GOOD

    def test_wrong_credentials_end_it_and_say_what_to_do(self, standin: StandIn, clock: StoppedClock) -> None:
        found = check_connection(client_of(standin, secret="wrong"), now=clock.now)

        assert [(one.key, one.outcome) for one in found] == [("sign-in:", BAD)]
        assert "does not accept the client secret" in found[0].words
        assert read_progress().is_done

    def test_an_allocation_that_is_spent_is_no_fault_of_the_credentials(
        self, client_of_salesforce: SalesforceClient, standin: StandIn, clock: StoppedClock
    ) -> None:
        standin.usage.daily_limit = 0

        sign_in = check_connection(client_of_salesforce, now=clock.now)[-1]

        assert (sign_in.key, sign_in.outcome, sign_in.remedy) == ("sign-in:", BAD, IT_PASSES)
        assert "used up" in sign_in.words

    def test_what_is_not_needed_is_but_worth_a_look_when_refused(
        self, client_of_salesforce: SalesforceClient, standin: StandIn, clock: StoppedClock
    ) -> None:
        standin.faults.add(Fault("error", operation="limits", status=403, code="INSUFFICIENT_ACCESS"))

        found = {one.key: one for one in check_connection(client_of_salesforce, now=clock.now)}

        assert found["limits:"].outcome == WARNING
        assert found["limits:"].remedy == "Grant View Setup and Configuration."
        assert "records:Lead" in found

    def test_a_second_check_takes_the_place_of_the_first(
        self, client_of_salesforce: SalesforceClient, clock: StoppedClock
    ) -> None:
        FieldMapping.objects.filter(salesforce_field="Title").update(salesforce_field="Job__c")
        check_connection(client_of_salesforce, now=clock.now)
        FieldMapping.objects.filter(salesforce_field="Job__c").update(salesforce_field="Title")

        found = check_connection(client_of_salesforce, now=clock.forward(minutes=1))

        assert set(outcomes(list(Finding.objects.all()))) == set(outcomes(found))
        assert "fields:Lead.Job__c" not in outcomes(found)


class TestSteps:
    @pytest.fixture(autouse=True)
    def entered_on_the_page(self, settings) -> None:
        settings.SALESFORCE_URL = ""
        settings.DEMO = True  # takes an address of this machine

    @pytest.fixture
    def operators(self, operator: User) -> Client:
        client = Client()
        client.force_login(operator)
        return client

    def credentials(self, standin: StandIn, way: str = "client_credentials") -> str:
        return f"{reverse('crm:connection_credentials')}?url={standin.base_url}&login={way}"

    def test_lead_to_a_connection_that_is_in_use_at_once(
        self, operators: Client, standin: StandIn, clock: StoppedClock
    ) -> None:
        clock.now = timezone.now()
        step = operators.get(reverse("crm:connection_login"), {"url": standin.base_url})
        assert "Signed token" in step.content.decode()

        saved = operators.post(
            self.credentials(standin), {"client_id": CLIENT_ID, "secret": CLIENT_SECRET}, follow=True
        )
        assert "Asking Salesforce: 0 of 12 done" in saved.content.decode()
        check_connection_task()  # what the worker was asked for
        checked = operators.get(saved.redirect_chain[-1][0], headers={"HX-Request": "true"}).content.decode()

        assert "The exchange works." in checked
        assert "data-poll" not in checked
        assert operators.get(reverse("crm:connection_done")).status_code == 200

    def test_never_show_the_secret_again_and_keep_it_when_left_blank(
        self, operators: Client, standin: StandIn
    ) -> None:
        operators.post(self.credentials(standin), {"client_id": CLIENT_ID, "secret": CLIENT_SECRET})
        sealed = bytes(Connection.objects.get().sealed_secret)

        page = operators.get(self.credentials(standin)).content.decode()
        operators.post(self.credentials(standin), {"client_id": CLIENT_ID, "secret": ""})
        other_way = operators.post(self.credentials(standin, "jwt_bearer"), {"client_id": CLIENT_ID})

        assert CLIENT_SECRET not in page
        assert "Leave it blank to keep it" in page
        assert bytes(Connection.objects.get().sealed_secret) == sealed
        assert other_way.status_code == 422

    @pytest.mark.parametrize(
        "url",
        ["https://login.salesforce.com", "http://acme.my.salesforce.com", "https://evil.example", "\x00"],
    )
    def test_refuse_what_is_no_org_s_address(self, operators: Client, url: str) -> None:
        answer = operators.get(reverse("crm:connection_login"), {"url": url})

        assert answer.status_code == 422
        assert "invalid-feedback" in answer.content.decode()

    def test_say_what_is_wrong_with_a_private_key(self, operators: Client, standin: StandIn) -> None:
        answer = operators.post(
            self.credentials(standin, "jwt_bearer"),
            {
                "client_id": CLIENT_ID,
                "username": "portal@acme.example",
                "audience": "https://login.salesforce.com",
                "secret": "not a key",
            },
        )

        assert answer.status_code == 422
        assert "from BEGIN to END" in answer.content.decode()
        assert "not a key" not in answer.content.decode()

    def test_save_what_we_may_use(self, operators: Client, standin: StandIn) -> None:
        values = {"daily_share": 30, "kept_for_handoffs": 10, "bulk_from": 500}
        queue = {"fallback_queue_id": standin.org.queue_id}

        assert operators.post(reverse("crm:connection_share"), {**values, **queue}).status_code == 302
        wrong = operators.post(reverse("crm:connection_share"), {**values, "daily_share": 101})

        state = Connection.objects.get()
        assert (state.daily_share, state.fallback_queue_id) == (30, standin.org.queue_id)
        assert wrong.status_code == 422

    def test_show_as_fixed_what_the_server_sets(self, operators: Client, settings) -> None:
        settings.SALESFORCE_URL = "https://acme.my.salesforce.com"
        settings.SALESFORCE_CLIENT_SECRET = "very-secret"

        page = operators.get(reverse("crm:connection")).content.decode()

        assert "https://acme.my.salesforce.com" in page
        assert "set, not shown" in page
        assert "very-secret" not in page
        assert operators.get(reverse("crm:connection_credentials")).status_code == 302

    def test_are_for_operators(self, manager: User) -> None:
        browser = Client()
        browser.force_login(manager)

        for name in ("connection", "connection_login", "connection_credentials", "connection_check"):
            assert browser.get(reverse(f"crm:{name}")).status_code == 403

    def test_bad_times_are_refused(self, operators: Client) -> None:
        assert operators.get(reverse("crm:connection_check"), {"asked": "soon"}).status_code == 422
