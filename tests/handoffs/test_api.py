"""The API of leads and handoffs: what it answers, to whom, and what it refuses."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken, User
from accounts.roles import SCOPES_OF_ROLE
from accounts.tokens import issue_token
from handoffs.models import Handoff, Pool, RoutingRule
from handoffs.package.content import hash_content
from leads.models import Lead
from tests.desk import fitting_lead, offer, ready_lead

PERSON = {
    "email": "Lea.Holm@Nordwind.example",
    "first_name": "Lea",
    "last_name": "Holm",
    "title": "VP Sales",
    "country": "Germany",
    "company": {
        "name": "Nordwind",
        "domain": "nordwind.example",
        "employee_count": 250,
        "industry": "Software",
    },
    "source": "Webinar",
    "answers": {"budget": "40k"},
    "consent": True,
}


def client_of(user: User, *scopes: ApiToken.Scope) -> APIClient:
    """A client with a token of these scopes, or of all the role may hold."""
    scopes = scopes or SCOPES_OF_ROLE[user.role]
    token = issue_token(user, name="test", scopes=scopes, now=timezone.now())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token.secret}")
    return client


@pytest.fixture
def api(manager: User) -> APIClient:
    return client_of(manager)


def path(handoff: Handoff, verb: str = "") -> str:
    return f"/api/v1/handoffs/{handoff.pk}/{verb}"


# --- Leads --------------------------------------------------------------------------------------


def test_a_new_lead_is_answered_with_its_score(pool: Pool, api: APIClient) -> None:
    response = api.post("/api/v1/leads/", PERSON, format="json")

    answer = response.json()
    assert response.status_code == 201
    assert answer["email"] == "lea.holm@nordwind.example"
    assert (answer["name"], answer["stage"], answer["handoff"]) == ("Lea Holm", "lead", None)
    assert answer["score"] == {
        "total": 35,
        "fit": 35,
        "engagement": 0,
        "category": "C",
        "warmth": "cold",
        "qualifies": False,
    }


def test_the_same_person_again_is_merged(pool: Pool, api: APIClient) -> None:
    first = api.post("/api/v1/leads/", PERSON, format="json").json()

    second = api.post("/api/v1/leads/", PERSON | {"phone": "+49 30 1"}, format="json")

    assert (second.status_code, second.json()["id"]) == (200, first["id"])


def test_a_lead_that_is_due_is_answered_with_its_handoff(pool: Pool, api: APIClient, now: datetime) -> None:
    lead = ready_lead(now=timezone.now(), email="lea@nordwind.example")

    answer = api.post("/api/v1/leads/", {"email": lead.email, "title": "CEO"}, format="json").json()

    handoff = Handoff.objects.get(lead=lead)
    assert answer["stage"] == "mql"
    assert answer["handoff"]["id"] == handoff.pk
    assert answer["handoff"]["owner"] == handoff.owner.username
    assert datetime.fromisoformat(answer["handoff"]["due_at"]) > handoff.created_at


def test_without_a_scoring_model_a_lead_is_still_taken(api: APIClient) -> None:
    response = api.post("/api/v1/leads/", PERSON, format="json")

    assert (response.status_code, response.json()["score"]) == (201, None)


def test_a_lead_is_taken_even_when_the_process_behind_it_fails(pool: Pool, api: APIClient) -> None:
    RoutingRule.objects.all().delete()
    ready_lead(now=timezone.now(), email="lea@nordwind.example")

    response = api.post("/api/v1/leads/", {"email": "lea@nordwind.example"}, format="json")

    assert (response.status_code, response.json()["handoff"]) == (200, None)
    assert Lead.objects.get().advance_at is not None


def test_the_same_idempotency_key_is_answered_as_the_first_time(pool: Pool, api: APIClient) -> None:
    first = api.post("/api/v1/leads/", PERSON, format="json", headers={"Idempotency-Key": "abc"})
    again = api.post("/api/v1/leads/", PERSON, format="json", headers={"Idempotency-Key": "abc"})

    assert (again.status_code, again.json()) == (201, first.json())


@pytest.mark.parametrize(
    "body",
    [
        {"email": "nobody"},
        {"email": "lea@nordwind.example", "nickname": "Lea"},
        {"email": "lea@nordwind.example", "company": "Nordwind"},
        {"email": "lea@nordwind.example", "company": {"employee_count": 10**15}},
        {"email": "lea@nordwind.example", "first_name": "L" * 81},
        ["lea@nordwind.example"],
        {},
    ],
)
def test_a_lead_nobody_can_take_is_refused(pool: Pool, api: APIClient, body: object) -> None:
    response = api.post("/api/v1/leads/", body, format="json")

    assert response.status_code == 400
    assert not Lead.objects.exists()


def test_a_bdr_reads_their_leads_only_and_sends_none(
    handoff: Handoff, bdr: User, stranger: User, now: datetime
) -> None:
    fitting_lead(now=now)

    assert [lead["id"] for lead in client_of(bdr).get("/api/v1/leads/").json()["results"]] == [
        handoff.lead_id
    ]
    assert client_of(stranger).get(f"/api/v1/leads/{handoff.lead_id}/").status_code == 404
    assert client_of(bdr).post("/api/v1/leads/", PERSON, format="json").status_code == 403


def test_the_list_of_leads_is_filtered_and_costs_the_same_for_any_number(
    pool: Pool, api: APIClient, now: datetime, django_assert_num_queries
) -> None:
    for _ in range(3):
        offer(ready_lead(now=now), now=now)
    fitting_lead(now=now)

    with django_assert_num_queries(4):  # the token, its use, the page, its open handoffs
        page = api.get("/api/v1/leads/?stage=mql").json()

    assert len(page["results"]) == 3
    assert all(lead["handoff"]["due_at"] for lead in page["results"])


# --- Handoffs -----------------------------------------------------------------------------------


def test_my_handoffs_are_those_i_own(handoff: Handoff, bdr: User, other_bdr: User) -> None:
    colleague = other_bdr if handoff.owner == bdr else bdr

    mine = client_of(handoff.owner).get("/api/v1/handoffs/?owner=me&status=offered").json()["results"]

    assert [one["id"] for one in mine] == [handoff.pk]
    assert mine[0]["lead"]["name"] == "Lea Holm"
    assert mine[0]["due_kind"] == "opened"
    assert client_of(colleague).get("/api/v1/handoffs/?owner=me").json()["results"] == []
    assert client_of(colleague).get("/api/v1/handoffs/?status=accepted").json()["results"] == []


def test_the_list_of_handoffs_costs_the_same_for_any_number(
    pool: Pool, api: APIClient, now: datetime, django_assert_num_queries
) -> None:
    for _ in range(4):
        offer(ready_lead(now=now), now=now)

    with django_assert_num_queries(3):
        assert len(api.get("/api/v1/handoffs/").json()["results"]) == 4


def test_pages_are_by_cursor(pool: Pool, api: APIClient, now: datetime) -> None:
    for _ in range(3):
        offer(ready_lead(now=now), now=now)

    first = api.get("/api/v1/handoffs/?page_size=2").json()
    second = api.get(first["next"]).json()

    assert len({one["id"] for one in first["results"] + second["results"]}) == 3


def test_the_detail_has_the_package(handoff: Handoff, api: APIClient) -> None:
    answer = api.get(path(handoff)).json()

    assert answer["package"]["contact"]["name"] == "Lea Holm"
    assert (answer["completeness"], answer["missing"]) == (100, [])
    assert answer["content_hash"] == hash_content(answer["package"])
    assert (answer["attempts"], answer["qualification"], answer["missing"]) == ([], None, [])


@pytest.mark.parametrize("verb", ["", "accept/", "reject/", "attempts/", "qualify/"])
def test_a_handoff_of_strangers_is_not_there(handoff: Handoff, stranger: User, verb: str) -> None:
    client = client_of(stranger)
    response = client.post(path(handoff, verb), {}, format="json") if verb else client.get(path(handoff))

    assert response.status_code == 404


@pytest.mark.parametrize("verb", ["accept/", "reject/", "attempts/", "qualify/"])
def test_a_verb_needs_the_scope_and_the_role(
    handoff: Handoff, manager: User, marketing: User, verb: str
) -> None:
    reading = client_of(manager, ApiToken.Scope.READ)

    assert reading.post(path(handoff, verb), {}, format="json").status_code == 403
    assert client_of(marketing).post(path(handoff, verb), {}, format="json").status_code == 403
    assert APIClient().post(path(handoff, verb), {}, format="json").status_code == 401


def test_a_handoff_is_worked_from_offer_to_sql(handoff: Handoff) -> None:
    api = client_of(handoff.owner)

    accepted = api.post(path(handoff, "accept/"))
    attempt = api.post(path(handoff, "attempts/"), {"channel": "call", "outcome": "connected"}, format="json")
    refused = api.post(path(handoff, "qualify/"), {"budget": "yes", "need": "yes"}, format="json")
    bant = {"budget": "yes", "authority": "yes", "need": "yes", "timeline": "yes"}
    qualified = api.post(path(handoff, "qualify/"), bant, format="json")

    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert (attempt.status_code, attempt.json()["by"]) == (201, handoff.owner.username)
    assert refused.status_code == 422
    assert (
        refused.json()["detail"]
        == "Not sales-qualified yet: it still needs a yes to decision maker and timeline."
    )
    assert (qualified.status_code, qualified.json()["status"]) == (200, "qualified")
    assert qualified.json()["lead"]["stage"] == "sql"
    assert [one["outcome"] for one in api.get(path(handoff, "attempts/")).json()] == ["connected"]


def test_who_comes_second_gets_409_and_reads_who_was_first(
    pool: Pool, lead: Lead, bdr: User, other_bdr: User, now: datetime
) -> None:
    pool.memberships.update(max_open=0)
    waiting = offer(lead, now=now)
    client_of(bdr).post(path(waiting, "accept/"))

    response = client_of(other_bdr).post(path(waiting, "accept/"))

    assert response.status_code == 409
    assert response.json()["code"] == "handoff_already_taken"
    assert response.json()["detail"].startswith("Mara Lind accepted this")


@pytest.mark.parametrize(
    ("verb", "body", "status", "field"),
    [
        ("attempts/", {"channel": "pigeon", "outcome": "sent"}, 400, "channel"),
        ("attempts/", {"channel": "call"}, 400, "outcome"),
        ("attempts/", {"channel": "call", "outcome": "sent", "noet": "x"}, 400, "noet"),
        ("attempts/", {"channel": "call", "outcome": "sent", "note": "x\x00"}, 400, None),
        ("qualify/", {"budget": "perhaps"}, 400, "budget"),
        ("qualify/", {"need": ["yes"]}, 400, "need"),
        ("reject/", {"reason": "premature", "duplicate_of": 10**19}, 400, "duplicate_of"),
        ("reject/", [], 400, None),
    ],
)
def test_bad_input_is_named(
    handoff: Handoff, verb: str, body: object, status: int, field: str | None
) -> None:
    response = client_of(handoff.owner).post(path(handoff, verb), body, format="json")

    assert response.status_code == status
    assert field is None or field in response.json()


def test_a_number_no_table_can_hold_is_not_found(api: APIClient, pool: Pool) -> None:
    assert api.get(f"/api/v1/handoffs/{10**30}/").status_code == 404
    assert api.get(f"/api/v1/leads/{10**30}/").status_code == 404
    assert api.post(f"/api/v1/handoffs/{10**30}/accept/").status_code == 404


@pytest.mark.parametrize("query", ["status=odd", "lead=x", "lead=1e400", "owner=%00", "cursor=odd"])
def test_a_filter_nobody_understands_is_no_server_error(pool: Pool, api: APIClient, query: str) -> None:
    assert api.get(f"/api/v1/handoffs/?{query}").status_code in (200, 400, 404)


# --- After acceptance ---------------------------------------------------------------------------


def test_a_contact_is_planned_and_the_decisions_taken_back(handoff: Handoff, now: datetime) -> None:
    owner = client_of(handoff.owner)
    soon = timezone.now() + timedelta(hours=2)

    accepted = owner.post(path(handoff, "accept/"))
    undone = owner.post(path(handoff, "accept/undo/"))
    rejected = owner.post(path(handoff, "reject/"), {"reason": "premature"}, format="json")
    back = owner.post(path(handoff, "reject/undo/"))
    owner.post(path(handoff, "accept/"))
    planned = owner.put(path(handoff, "plan/"), {"at": soon, "channel": "call"}, format="json")
    too_late = owner.put(path(handoff, "plan/"), {"at": now, "channel": "call"}, format="json")
    refused = owner.post(path(handoff, "accept/undo/"))
    forgotten = owner.put(path(handoff, "plan/"), {"at": None}, format="json")

    assert (accepted.json()["status"], rejected.json()["status"]) == ("accepted", "rejected")
    assert (undone.json()["status"], back.json()["status"]) == ("offered", "offered")
    assert (planned.status_code, planned.json()["channel"]) == (200, "call")
    assert (too_late.status_code, too_late.json()["field"]) == (422, "at")
    assert (refused.status_code, refused.json()["code"]) == (409, "acted_on_since")
    assert (forgotten.status_code, forgotten.json()["at"]) == (200, None)
