"""The operators' pages: how the exchange stands, one lead's history, and the panel on the page of a lead."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.tokens import issue_token
from crm.models import (
    BulkJob,
    Connection,
    Conversion,
    Drift,
    Exchange,
    Lane,
    LeadSync,
    PullCursor,
    PullFailure,
    Reconciliation,
)
from leads.models import Lead
from tests.factories import LeadFactory

pytestmark = pytest.mark.django_db

OVERVIEW = "/ops/salesforce/"
FRAGMENT = {"HX-Request": "true"}


def signed_in(user: User) -> Client:
    browser = Client()
    browser.force_login(user)
    return browser


def shown(user: User, path: str, **query: str) -> str:
    answer = signed_in(user).get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def parked(lead: Lead, **values: object) -> LeadSync:
    defaults = {
        "parked_at": timezone.now(),
        "error_code": "STRING_TOO_LONG",
        "error": "Longer than Salesforce takes: job title. Shorten it, then send again.",
        "attempts": 1,
    }
    return LeadSync.objects.create(lead=lead, **{**defaults, **values})


@pytest.fixture(autouse=True)
def connected(settings) -> None:
    settings.SALESFORCE_URL = "https://example.my.salesforce.com"


@pytest.fixture
def now() -> datetime:
    return timezone.now()


class TestOverview:
    def test_is_for_operators_and_managers_and_only_operators_act(
        self, operator: User, manager: User, bdr: User, marketing: User
    ) -> None:
        sync = parked(LeadFactory())

        assert "Send all again" in shown(operator, OVERVIEW)
        assert "Send all again" not in shown(manager, OVERVIEW)
        assert signed_in(bdr).get(OVERVIEW).status_code == 403
        assert signed_in(marketing).get(OVERVIEW).status_code == 403
        assert Client().get(OVERVIEW).status_code == 302
        for path in (
            reverse("crm:retry", args=[sync.pk]),
            reverse("crm:retry_cause"),
            reverse("crm:read_unread"),
            *(reverse(f"crm:{name}", args=[sync.pk]) for name in ("send", "compare", "matches", "adopt")),
            *(reverse(f"crm:{name}", args=[sync.pk]) for name in ("make_anew", "leave")),
        ):
            assert signed_in(manager).post(path).status_code == 403, path
        sync.refresh_from_db()
        assert sync.parked_at is not None

    def test_tells_the_backlog_by_lane_and_how_old_it_is(self, operator: User, now: datetime) -> None:
        ago = now - timedelta(minutes=7)
        LeadSync.objects.create(lead=LeadFactory(), lane=Lane.HANDOFF, send_at=ago, waiting_since=ago)
        for _ in range(2):
            LeadSync.objects.create(lead=LeadFactory(), send_at=now + timedelta(hours=1), waiting_since=now)
        LeadSync.objects.create(lead=LeadFactory())
        PullCursor.objects.create(object_name="Lead", succeeded_at=now)

        standing = signed_in(operator).get(OVERVIEW).context["standing"]

        lanes = [(lane.lane, lane.waiting, lane.retrying, lane.oldest_at) for lane in standing.lanes]
        assert lanes == [(Lane.HANDOFF, 1, 0, ago), (Lane.LATER, 2, 2, now)]
        assert (standing.waiting, standing.oldest_waiting_at, standing.is_silent) == (3, ago, False)

    def test_tells_what_we_may_use_of_the_org_s_calls_and_how_much_is_used(
        self, operator: User, now: datetime
    ) -> None:
        Connection.objects.create(
            calls_used=9_000, calls_allowed=15_000, app_calls_used=1_234, usage_at=now, daily_share=40
        )

        page = shown(operator, OVERVIEW)

        assert '<span class="strong">1,234</span> of our share of 6,000 used.' in page
        assert "9,000 of 15,000 used" in page

    def test_lists_parked_leads_with_what_to_do_and_groups_their_causes(self, operator: User) -> None:
        for _ in range(2):
            parked(LeadFactory())
        parked(LeadFactory(last_name="Other"), error_code="DUPLICATES_DETECTED", error="Merge them there.")

        page = signed_in(operator).get(OVERVIEW)
        narrowed = signed_in(operator).get(OVERVIEW, {"cause": "DUPLICATES_DETECTED"})

        causes = [(one.code, one.count, one.mending.title) for one in page.context["standing"].causes]
        assert causes == [
            ("STRING_TOO_LONG", 2, "A value is too long"),
            ("DUPLICATES_DETECTED", 1, "Another record there is the same person"),
        ]
        assert "Shorten it, then send again." in page.content.decode()
        assert [sync.lead.last_name for sync in narrowed.context["page"].rows] == ["Other"]

    def test_a_cause_in_the_mapping_leads_to_the_mapping_and_duplicates_are_chosen_one_by_one(
        self, operator: User
    ) -> None:
        parked(LeadFactory(), error_code="INVALID_FIELD", error="A field is missing.")
        parked(LeadFactory(), error_code="DUPLICATES_DETECTED", error="The same person.")

        page = shown(operator, OVERVIEW)

        assert reverse("admin:crm_fieldmapping_changelist") in page
        assert page.count("Send all again") == 1
        assert "Choose the record" in page

    def test_says_what_holds_it_up(self, operator: User, now: datetime) -> None:
        assert "Nothing has been read from Salesforce yet" in shown(operator, OVERVIEW)

        Connection.objects.update(paused_until=now + timedelta(minutes=5), error="No calls are left.")

        assert "No calls are left. Nothing is lost" in shown(operator, OVERVIEW)

    def test_says_when_nothing_is_connected_and_who_may_connect(
        self, operator: User, manager: User, settings
    ) -> None:
        settings.SALESFORCE_URL = ""

        assert f'<a href="{reverse("crm:connection")}">Connect one</a>' in shown(operator, OVERVIEW)
        assert "An operator connects one" in shown(manager, OVERVIEW)

    def test_rows_of_salesforce_that_could_not_be_taken_over_are_read_again(
        self, operator: User, now: datetime
    ) -> None:
        PullFailure.objects.create(salesforce_id="00QHp0000000001AAA", parked_at=now, error="No number.")
        assert "No number." in shown(operator, OVERVIEW)

        answer = signed_in(operator).post(reverse("crm:read_unread"), headers=FRAGMENT)

        assert "1 record will be read again" in answer.content.decode()
        assert not PullFailure.objects.exists()

    @pytest.mark.parametrize(
        ("query", "status"), [({"cause": "\x00"}, 422), ({"after": "x"}, 422), ({"cause": "x" * 81}, 422)]
    )
    def test_bad_input_is_refused(self, operator: User, query: dict[str, str], status: int) -> None:
        assert signed_in(operator).get(OVERVIEW, query).status_code == status

    def test_costs_the_same_however_much_waits(
        self, operator: User, now: datetime, django_assert_num_queries
    ) -> None:
        Connection.objects.create(calls_used=1, calls_allowed=15_000, usage_at=now)
        for number in range(3):
            parked(LeadFactory())
            BulkJob.objects.create(object_name="Lead", rows=number, created_at=now)
            PullCursor.objects.create(object_name=f"Object{number}", succeeded_at=now)
        run = Reconciliation.objects.create(created_at=now, finished_at=now)
        Drift.objects.create(reconciliation=run, kind=Drift.Kind.DOUBLED)
        browser = signed_in(operator)
        browser.get(OVERVIEW)

        with django_assert_num_queries(16):
            browser.get(OVERVIEW)

    def test_the_list_comes_as_a_table_too(self, manager: User) -> None:
        parked(LeadFactory(last_name="=Formula"))

        answer = signed_in(manager).get(reverse("crm:parked_csv"))

        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert lines[0].startswith("lead,name,company")
        assert "STRING_TOO_LONG" in lines[1]

    def test_the_same_figures_come_by_api(self, operator: User, bdr: User, now: datetime) -> None:
        parked(LeadFactory())

        def ask(user: User):
            token = issue_token(user, name="t", scopes=[ApiToken.Scope.READ], now=now).secret
            return Client().get("/api/v1/salesforce/standing/", headers={"Authorization": f"Bearer {token}"})

        figures = ask(operator).json()
        assert (figures["parked"], figures["causes"][0]["code"]) == (1, "STRING_TOO_LONG")
        assert [lane["lane"] for lane in figures["lanes"]] == ["HANDOFF", "LATER"]
        assert ask(bdr).status_code == 403


class TestRetry:
    def test_frees_the_lead_and_says_so(self, operator: User) -> None:
        sync = parked(LeadFactory(first_name="Ada", last_name="Byron"))

        answer = signed_in(operator).post(reverse("crm:retry", args=[sync.pk]), headers=FRAGMENT)

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

    def test_unknown_leads_are_not_found(self, operator: User) -> None:
        assert signed_in(operator).post(reverse("crm:retry", args=[10**6])).status_code == 404

    def test_frees_a_whole_cause(self, operator: User) -> None:
        for _ in range(2):
            parked(LeadFactory())
        other = parked(LeadFactory(), error_code="DUPLICATE_VALUE")

        answer = signed_in(operator).post(
            reverse("crm:retry_cause"), {"cause": "STRING_TOO_LONG"}, headers=FRAGMENT
        )

        assert "2 leads will be sent again" in answer.content.decode()
        assert [sync.pk for sync in LeadSync.objects.parked()] == [other.pk]


class TestHistory:
    def test_lists_what_was_said_and_answered_latest_first(
        self, manager: User, now: datetime, django_assert_num_queries
    ) -> None:
        lead = LeadFactory()
        sent = {"lead": lead, "direction": "out", "object_name": "Lead", "fields": {"Phone": "+… (12)"}}
        Exchange.objects.create(**sent, at=now - timedelta(hours=1), outcome="refused", words="Too long.")
        Exchange.objects.create(**sent, at=now, outcome="confirmed")
        path = reverse("crm:lead", args=[lead.pk])

        page = shown(manager, path)

        assert page.index("Confirmed") < page.index("Refused")
        assert "Too long." in page
        assert "+… (12)" in page
        assert "Send now" not in page
        browser = signed_in(manager)
        browser.get(path)
        with django_assert_num_queries(8):
            browser.get(path)

    def test_names_the_lead_whose_record_it_was_merged_into(self, manager: User) -> None:
        winner = LeadFactory(first_name="Ada", last_name="Byron")
        LeadSync.objects.create(lead=winner, salesforce_id="00Q000000000001AAA")
        loser = LeadSync.objects.create(
            lead=LeadFactory(), salesforce_id="00Q000000000001AAA", master_id="00Q000000000001AAA"
        )

        page = shown(manager, reverse("crm:lead", args=[loser.pk]))

        assert "One record with" in page
        assert f'<a href="{reverse("leads:detail", args=[winner.pk])}">Ada Byron</a>' in page

    def test_is_not_for_reps(self, bdr: User) -> None:
        path = reverse("crm:lead", args=[LeadFactory(owner=bdr).pk])

        assert signed_in(bdr).get(path).status_code == 403

    def test_send_now_ends_a_back_off_and_goes_before_others(self, operator: User, now: datetime) -> None:
        lead = LeadFactory()
        sync = LeadSync.objects.create(lead=lead, attempts=4, send_at=now + timedelta(hours=1))

        answer = signed_in(operator).post(reverse("crm:send", args=[lead.pk]), follow=True)

        sync.refresh_from_db()
        assert (sync.attempts, sync.lane, sync.resends_asked) == (0, Lane.HANDOFF, 1)
        assert sync.send_at < timezone.now()
        assert "is sent with the next batch" in answer.content.decode()

    def test_a_comparison_lists_its_differences_by_kind(self, manager: User, now: datetime) -> None:
        run = Reconciliation.objects.create(created_at=now, finished_at=now, compared=9, differing=2)
        Drift.objects.create(
            reconciliation=run, lead=LeadFactory(), kind="field", field="Phone", ours="+… (9)"
        )
        Drift.objects.create(reconciliation=run, kind="doubled", salesforce_id="00QHp0000000001AAA")
        path = reverse("crm:comparison", args=[run.pk])

        assert "Phone" in shown(manager, path)
        assert "Phone" not in shown(manager, path, kind="doubled")
        assert signed_in(manager).get(path, {"kind": "x"}).status_code == 422
        assert signed_in(manager).get(path, {"after": "9" * 30}).status_code == 422
        assert f'href="{path}"' in shown(manager, OVERVIEW)

    def test_an_operator_has_both_sides_compared(self, operator: User, manager: User) -> None:
        path = reverse("crm:begin_comparison")

        answer = signed_in(operator).post(path, {"repairs": "yes"}, follow=True)

        assert (Reconciliation.objects.get().repairs, Reconciliation.objects.get().by) == (True, operator)
        assert "Under way" in answer.content.decode()
        assert signed_in(manager).post(path).status_code == 403


class TestLeadPanel:
    def panel(self, user: User, lead: Lead) -> str:
        return shown(user, reverse("crm:lead_panel", args=[lead.pk]))

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
        assert "History" not in panel

    def test_shows_the_deal_of_a_converted_lead(self, bdr: User) -> None:
        lead = LeadFactory(owner=bdr)
        LeadSync.objects.create(lead=lead, is_converted=True)
        Conversion.objects.create(
            lead=lead, opportunity_id="006Hp0000000001AAA", deal_name="Nordwind", deal_stage="Closed Won",
            amount=12_000, is_won=True,
        )  # fmt: skip

        panel = self.panel(bdr, lead)

        assert "https://example.my.salesforce.com/006Hp0000000001AAA" in panel
        assert "Closed Won, 12,000" in panel

    def test_a_lead_never_sent_waits(self, bdr: User) -> None:
        assert "Waits to be sent" in self.panel(bdr, LeadFactory(owner=bdr, revision=1))

    def test_only_keepers_may_send_again(self, bdr: User, operator: User) -> None:
        lead = LeadFactory(owner=bdr)
        parked(lead)

        assert "</svg> Send again" not in self.panel(bdr, lead)
        assert "</svg> Send again" in self.panel(operator, lead)

    def test_sending_again_from_the_panel_redraws_it(self, operator: User) -> None:
        sync = parked(LeadFactory())

        answer = signed_in(operator).post(
            reverse("crm:send", args=[sync.pk]), {"from": "panel"}, headers=FRAGMENT
        )

        assert 'id="crm-panel"' in answer.content.decode()
        assert "is sent with the next batch" in answer.content.decode()

    def test_a_stranger_s_lead_is_not_found(self, stranger: User, bdr: User) -> None:
        url = reverse("crm:lead_panel", args=[LeadFactory(owner=bdr).pk])

        assert signed_in(stranger).get(url).status_code == 404
