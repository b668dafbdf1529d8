"""The operators' page and the panel of a lead."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from crm.changes import fold_changes
from crm.models import Connection, LeadSync, OwnerMapping, PullCursor, StatusMapping
from leads.models import Lead
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

OVERVIEW = "/ops/salesforce/"


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def parked(lead: Lead, **values: object) -> LeadSync:
    defaults = {
        "parked_at": timezone.now(),
        "error_code": "STRING_TOO_LONG",
        "error": "The job title is longer than Salesforce takes. Shorten it, then send again.",
        "attempts": 1,
    }
    return LeadSync.objects.create(lead=lead, **{**defaults, **values})


@pytest.fixture(autouse=True)
def connected(settings) -> None:
    settings.SALESFORCE_URL = "https://example.my.salesforce.com"


class TestOverview:
    def test_is_for_operators_and_managers(
        self, operator: User, manager: User, bdr: User, marketing: User
    ) -> None:
        assert signed_in(operator).get(OVERVIEW).status_code == 200
        assert signed_in(manager).get(OVERVIEW).status_code == 200
        assert signed_in(bdr).get(OVERVIEW).status_code == 403
        assert signed_in(marketing).get(OVERVIEW).status_code == 403
        assert Client().get(OVERVIEW).status_code == 302

    def test_tells_backlog_and_lag(self, operator: User) -> None:
        LeadFactory()
        fold_changes(now=timezone.now())
        LeadSync.objects.update(waiting_since=timezone.now() - timedelta(minutes=7))
        Connection.objects.create(calls_used=25, calls_allowed=15_000)
        PullCursor.objects.create(object_name="Lead", succeeded_at=timezone.now())

        page = signed_in(operator).get(OVERVIEW)

        standing = page.context["standing"]
        assert (standing.waiting, standing.parked, standing.is_silent) == (1, 0, False)
        assert timedelta(minutes=7) <= timezone.now() - standing.oldest_waiting_at < timedelta(minutes=8)
        assert "of 15000 allowed" in page.content.decode()

    def test_lists_parked_leads_with_what_to_do_and_groups_their_causes(self, operator: User) -> None:
        for _ in range(2):
            parked(LeadFactory())
        parked(LeadFactory(last_name="Other"), error_code="DUPLICATES_DETECTED", error="Merge them there.")

        page = signed_in(operator).get(OVERVIEW)
        narrowed = signed_in(operator).get(OVERVIEW, {"cause": "DUPLICATES_DETECTED"})

        causes = [(cause.code, cause.count) for cause in page.context["standing"].causes]
        assert causes == [("STRING_TOO_LONG", 2), ("DUPLICATES_DETECTED", 1)]
        assert "Shorten it, then send again." in page.content.decode()
        assert [sync.lead.last_name for sync in narrowed.context["page"].rows] == ["Other"]

    def test_says_when_nothing_is_connected(self, operator: User, settings) -> None:
        settings.SALESFORCE_URL = ""

        assert "No Salesforce is connected" in signed_in(operator).get(OVERVIEW).content.decode()

    def test_says_why_everything_waits(self, operator: User) -> None:
        Connection.objects.create(
            paused_until=timezone.now() + timedelta(minutes=5), error="The day's allocation is used up."
        )

        assert "The day&#x27;s allocation is used up." in signed_in(operator).get(OVERVIEW).content.decode()

    @pytest.mark.parametrize(
        ("query", "status"), [({"cause": "\x00"}, 422), ({"after": "x"}, 422), ({"cause": "x" * 81}, 422)]
    )
    def test_bad_input_is_refused(self, operator: User, query: dict[str, str], status: int) -> None:
        assert signed_in(operator).get(OVERVIEW, query).status_code == status

    def test_costs_the_same_however_many_are_parked(self, operator: User, django_assert_num_queries) -> None:
        for _ in range(3):
            parked(LeadFactory())
        browser = signed_in(operator)
        browser.get(OVERVIEW)

        with django_assert_num_queries(10):
            browser.get(OVERVIEW)


class TestRetry:
    def test_frees_the_lead_and_says_so(self, operator: User) -> None:
        sync = parked(LeadFactory(first_name="Ada", last_name="Byron"))

        answer = signed_in(operator).post(
            reverse("crm:retry", args=[sync.pk]), headers={"HX-Request": "true"}
        )

        sync.refresh_from_db()
        assert (sync.parked_at, sync.attempts, sync.error) == (None, 0, "")
        assert "Ada Byron is sent again" in answer.content.decode()
        assert f'id="sync-{sync.pk}"' not in answer.content.decode()

    def test_without_script_leads_back_to_the_page(self, operator: User) -> None:
        sync = parked(LeadFactory())

        answer = signed_in(operator).post(reverse("crm:retry", args=[sync.pk]), follow=True)

        assert answer.redirect_chain == [(OVERVIEW, 302)]
        assert "is sent again" in answer.content.decode()

    def test_of_what_went_through_meanwhile_is_told(self, operator: User) -> None:
        sync = parked(LeadFactory(), parked_at=None)

        answer = signed_in(operator).post(reverse("crm:retry", args=[sync.pk]))

        assert answer.status_code == 409
        assert "not waiting any more" in answer.content.decode()

    def test_is_refused_to_others_and_unknown_leads_are_not_found(self, operator: User, bdr: User) -> None:
        sync = parked(LeadFactory(owner=bdr))

        assert signed_in(bdr).post(reverse("crm:retry", args=[sync.pk])).status_code == 403
        assert signed_in(bdr).post(reverse("crm:retry_cause")).status_code == 403
        assert signed_in(operator).post(reverse("crm:retry", args=[10**6])).status_code == 404
        sync.refresh_from_db()
        assert sync.parked_at is not None

    def test_frees_a_whole_cause(self, manager: User) -> None:
        for _ in range(2):
            parked(LeadFactory())
        other = parked(LeadFactory(), error_code="DUPLICATE_VALUE")

        answer = signed_in(manager).post(
            reverse("crm:retry_cause"), {"cause": "STRING_TOO_LONG"}, headers={"HX-Request": "true"}
        )

        assert "2 leads will be sent again" in answer.content.decode()
        assert [sync.pk for sync in LeadSync.objects.parked()] == [other.pk]


class TestLeadPanel:
    def panel(self, user: User, lead: Lead) -> str:
        answer = signed_in(user).get(reverse("crm:lead_panel", args=[lead.pk]))
        assert answer.status_code == 200
        return answer.content.decode()

    def test_shows_where_the_lead_stands_with_a_link(self, bdr: User) -> None:
        lead = LeadFactory(owner=bdr, revision=3)
        LeadSync.objects.create(
            lead=lead,
            salesforce_id="00QHp0000000001AAA",
            pushed_revision=3,
            pushed_at=timezone.now(),
            remote_status="Working - Contacted",
            remote_owner_name="Sam Seller",
        )

        panel = self.panel(bdr, lead)

        assert "Up to date" in panel
        assert "https://example.my.salesforce.com/00QHp0000000001AAA" in panel
        assert "Working - Contacted" in panel
        assert "Sam Seller" in panel

    def test_a_lead_never_sent_waits(self, bdr: User) -> None:
        assert "Waits to be sent" in self.panel(bdr, LeadFactory(owner=bdr, revision=1))

    def test_only_keepers_may_send_again(self, bdr: User, operator: User) -> None:
        lead = LeadFactory(owner=bdr)
        parked(lead)

        assert "Send again" not in self.panel(bdr, lead).replace("then send again", "")
        assert "Send again</button>" in self.panel(operator, lead)

    def test_a_stranger_s_lead_is_not_found(self, stranger: User, bdr: User) -> None:
        url = reverse("crm:lead_panel", args=[LeadFactory(owner=bdr).pk])

        assert signed_in(stranger).get(url).status_code == 404


class TestAdmin:
    def test_a_mapped_person_s_leads_are_sent_with_their_owner(self, operator: User, bdr: User) -> None:
        LeadFactory(owner=bdr)
        fold_changes(now=timezone.now())

        answer = signed_in(operator).post(
            "/admin/crm/ownermapping/add/", {"user": bdr.pk, "salesforce_user_id": "005Hp0000000001AAA"}
        )

        assert answer.status_code == 302
        assert OwnerMapping.objects.get().user == bdr
        assert fold_changes(now=timezone.now()) == 1

    def test_an_id_of_something_else_is_refused_in_words(self, operator: User, bdr: User) -> None:
        answer = signed_in(operator).post(
            "/admin/crm/ownermapping/add/", {"user": bdr.pk, "salesforce_user_id": "00QHp0000000001AAA"}
        )

        assert "it begins with 005" in answer.content.decode()

    def test_a_changed_status_is_sent_to_the_leads_of_its_stage(self, operator: User) -> None:
        LeadFactory(stage=Lead.Stage.SAL)
        fold_changes(now=timezone.now())
        mapping = StatusMapping.objects.get(stage=Lead.Stage.SAL)

        signed_in(operator).post(
            f"/admin/crm/statusmapping/{mapping.pk}/change/", {"stage": "sal", "status": "Working"}
        )

        assert fold_changes(now=timezone.now()) == 1
