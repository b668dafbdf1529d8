"""POST and GET /api/v1/activities/ (INTAKE-2, -4, -5)."""

import json
from datetime import UTC, datetime

import pytest

from leads.models import Activity, InboundMessage, Lead, QuarantinedItem
from tests.factories import ActivityFactory, LeadFactory

URL = "/api/v1/activities/"

pytestmark = pytest.mark.django_db


def post(api, body, **headers):
    return api.post(URL, body, format="json", headers=headers)


def test_one_activity_is_kept_and_marks_the_lead(api):
    lead = LeadFactory(email="ada@acme.example")

    answer = post(
        api,
        {
            "lead": lead.pk,
            "event": "Demo Requested",
            "properties": {"form": "demo"},
            "occurred_at": "2026-03-01T10:00:00Z",
            "message_id": "m-1",
        },
    )

    activity = Activity.objects.get()
    lead.refresh_from_db()
    assert answer.status_code == 201
    assert answer.json()["id"] == activity.pk
    assert (activity.lead, activity.event, activity.properties) == (lead, "Demo Requested", {"form": "demo"})
    assert activity.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert lead.unmatched_from == activity.pk
    assert lead.last_activity_at == activity.occurred_at
    assert lead.advance_at == activity.received_at


def test_the_same_message_twice_is_one_activity_and_answers_the_same(api):
    body = {"email": "ada@acme.example", "event": "Signed Up", "message_id": "m-1"}

    first, second = post(api, body), post(api, body)

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert Activity.objects.count() == 1


def test_an_unknown_address_becomes_a_lead(api):
    post(api, {"email": " ADA@Acme.example ", "event": "Signed Up"})

    assert Activity.objects.get().lead == Lead.objects.get(email="ada@acme.example")


def test_valid_items_of_a_list_are_kept_and_the_others_told_and_quarantined(api):
    lead = LeadFactory()
    given = [
        {"lead": lead.pk, "event": "Signed Up"},
        {"lead": lead.pk},
        {"lead": 10**9, "event": "Signed Up"},
        {"email": "nobody", "event": "Signed Up"},
        "not an object",
        {"lead": lead.pk, "event": "Signed Up", "evnt": "x"},
        {"lead": lead.pk, "event": "Signed Up", "properties": {"text": "x" * 40_000}},
        {"lead": lead.pk, "event": "Signed Up", "occurred_at": "1970-01-01T00:00:00Z"},
        {"lead": lead.pk, "email": lead.email, "event": "Signed Up"},
    ]

    answer = post(api, given)

    assert answer.status_code == 207
    assert len(answer.json()["activities"]) == Activity.objects.count() == 1
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [
        (1, "event"),
        (2, "lead"),
        (3, "email"),
        (4, ""),
        (5, "evnt"),
        (6, "properties"),
        (7, "occurred_at"),
        (8, "lead"),
    ]
    assert list(QuarantinedItem.objects.order_by("position").values_list("position", flat=True)) == [
        *range(1, 9)
    ]
    assert QuarantinedItem.objects.get(position=3).payload == given[3]


def test_one_invalid_activity_is_a_clear_400(api):
    answer = post(api, {"email": "ada@acme.example"})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"index": 0, "field": "event", "reason": "This field is required."}]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b"\xff\xfe",
        b'{"email": "a\\u0000@b.example", "event": "x"}',
        b'{"lead": 1e400, "event": "x"}',
        b'{"lead": 99999999999999999999999, "event": "x"}',
        b'{"lead": 9223372036854775808, "event": "x"}',
        b'{"lead": true, "event": "x"}',
        b'{"email": ["a"], "event": {"a": 1}}',
        b'{"email": "a@b.example", "event": "x", "occurred_at": "0001-01-01T00:00:00+14:00"}',
        b'{"email": "a@b.example", "event": "x", "occurred_at": "9999-12-31T23:59:59-14:00"}',
        b'{"email": "a@b.example", "event": "x", "message_id": "' + b"x" * 300 + b'"}',
        b'{"email": "a@b.example", "event": "x", "properties": [1]}',
        b"[" * 10_000,
    ],
)
def test_bad_input_is_refused_and_never_a_fault_of_ours(api, body):
    answer = api.generic("POST", URL, body, content_type="application/json")

    assert 400 <= answer.status_code < 500
    assert answer.json()
    assert not Activity.objects.exists()


def test_a_body_beyond_the_limit_is_refused(api):
    answer = api.generic("POST", URL, b'"' + b"x" * 10_000_000 + b'"', content_type="application/json")

    assert answer.status_code == 413


def test_the_scope_intake_is_needed_to_send(client, api, bdr):
    client.force_login(bdr)

    refused = client.post(URL, {"email": "a@b.example", "event": "x"}, content_type="application/json")

    assert refused.status_code == 403
    api.credentials()
    assert post(api, {}).status_code == 401


def test_a_bdr_reads_what_their_own_leads_did(client, bdr):
    mine = ActivityFactory(lead__owner=bdr)
    ActivityFactory()
    client.force_login(bdr)

    rows = client.get(URL).json()["results"]

    assert [row["id"] for row in rows] == [mine.pk]


def test_activities_are_listed_newest_first_by_lead_and_page(api, django_assert_num_queries):
    lead = LeadFactory()
    ids = [ActivityFactory(lead=lead).pk for _ in range(3)]
    ActivityFactory()

    with django_assert_num_queries(3):  # token, its use, the page
        first = api.get(URL, {"lead": lead.pk, "page_size": 2}).json()
    second = api.get(first["next"]).json()

    assert [row["id"] for row in first["results"] + second["results"]] == ids[::-1]
    assert api.get(URL, {"lead": "x"}).status_code == 400


# --- Idempotency-Key ----------------------------------------------------------------------------


def test_the_same_key_and_body_get_the_first_answer(api):
    body = {"email": "ada@acme.example", "event": "Signed Up"}  # no message id: the key alone protects

    first = post(api, body, **{"Idempotency-Key": "k-1"})
    second = post(api, body, **{"Idempotency-Key": "k-1"})

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert Activity.objects.count() == 1


def test_the_same_key_with_another_body_is_refused(api):
    post(api, {"email": "ada@acme.example", "event": "Signed Up"}, **{"Idempotency-Key": "k-1"})

    answer = post(api, {"email": "ada@acme.example", "event": "Other"}, **{"Idempotency-Key": "k-1"})

    assert answer.status_code == 422
    assert answer.json()["field"] == "Idempotency-Key"
    assert Activity.objects.count() == 1


def test_a_refusal_is_remembered_like_any_answer(api):
    first = post(api, {"event": "x"}, **{"Idempotency-Key": "k-1"})
    second = post(api, {"event": "x"}, **{"Idempotency-Key": "k-1"})

    assert first.status_code == second.status_code == 400
    assert first.json() == second.json()
    assert InboundMessage.objects.count() == 1


def test_keys_of_different_people_do_not_meet(api, client, marketing):
    body = {"email": "ada@acme.example", "event": "Signed Up"}
    post(api, body, **{"Idempotency-Key": "k-1"})
    client.force_login(marketing)

    client.post(URL, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": "k-1"})

    assert Activity.objects.count() == 2


@pytest.mark.parametrize("key", ["x" * 201, "a\x07b"])
def test_a_key_that_is_none_is_refused(api, key):
    assert post(api, {"event": "x"}, **{"Idempotency-Key": key}).status_code == 422


def test_a_key_at_a_long_address_is_remembered(api):
    body = {"email": "ada@acme.example", "event": "Signed Up"}
    key = "k" * 200

    first = post(api, body, **{"Idempotency-Key": key})
    again = post(api, body, **{"Idempotency-Key": key})

    remembered = InboundMessage.objects.get()
    assert first.json() == again.json()
    assert remembered.key.startswith("api:")
    assert len(remembered.key) < 100
