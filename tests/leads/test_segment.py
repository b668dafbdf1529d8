"""Segment-compatible intake: real clients, captured bodies, and everything a stranger may send (INTAKE-3)."""

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from segment.analytics.client import Client as SegmentClient

from leads.models import (
    Activity,
    Company,
    InboundMessage,
    Lead,
    QuarantinedItem,
    Visitor,
    WriteKey,
)
from leads.segment import read_message
from leads.services import hold_lead
from leads.visitors import take_message
from leads.write_keys import find_write_key, revoke_write_key

CAPTURED = Path(__file__).parent / "captured"

pytestmark = pytest.mark.django_db


@pytest.fixture
def send(client, write_key):
    """Post messages to /v1/batch as a client library does; answer the response."""
    client.raise_request_exception = False
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()

    def send(*messages, path="/v1/batch", body=None, zipped=False, headers=None, content_type=None):
        raw = json.dumps({"batch": messages} if body is None else body).encode()
        sent = {"Authorization": f"Basic {credentials}"} | (headers or {})
        if zipped:
            raw, sent["Content-Encoding"] = gzip.compress(raw), "gzip"
        return client.generic(
            "POST", path, raw, content_type=content_type or "application/json", headers=sent
        )

    return send


def identify(user="u-1", **fields):
    return {"type": "identify", "userId": user, "traits": {"email": "ada@acme.example"}} | fields


def track(event="Signed Up", **fields):
    return {"type": "track", "event": event} | fields


# --- Real clients -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("zipped", [False, True])
def test_the_real_segment_client_works_with_nothing_but_its_host_changed(live_server, write_key, zipped):
    faults = []
    segment = SegmentClient(
        write_key, host=live_server.url, gzip=zipped, on_error=lambda error, batch: faults.append(error)
    )

    segment.track(anonymous_id="anon-9", event="Viewed Pricing", properties={"plan": "pro"})
    segment.identify("u-1", {"email": "ada@acme.example", "name": "Ada Lovelace", "title": "CTO"})
    segment.group("u-1", "acme", {"name": "Acme", "employees": 300, "industry": "software"})
    segment.page("u-1", "Docs", "Pricing", {"url": "https://example.com/pricing"})
    segment.alias("anon-9", "u-1")
    segment.shutdown()

    lead = Lead.objects.select_related("company").get()
    assert faults == []
    assert (lead.email, lead.name, lead.title) == ("ada@acme.example", "Ada Lovelace", "CTO")
    assert (lead.company.name, lead.company.employee_count, lead.company.industry) == (
        "Acme",
        300,
        "software",
    )
    assert set(lead.activities.values_list("event", flat=True)) == {"Viewed Pricing", "Page Viewed"}
    assert not QuarantinedItem.objects.exists()


@pytest.mark.parametrize(
    ("name", "zipped", "content_type", "activities"),
    [
        ("segment_python", False, "application/json", 4),
        ("rudder_python", True, "application/json", 3),
        ("segment_node", False, "application/json", 3),
        ("segment_node", False, "text/plain;charset=UTF-8", 3),
        ("rudder_node_first", True, "application/x-www-form-urlencoded", 0),
        ("rudder_node_second", True, "application/x-www-form-urlencoded", 2),
    ],
)
def test_what_real_clients_sent_is_taken_whole_and_once(send, name, zipped, content_type, activities):
    send(identify(traits={"email": "ada@example.com"}))
    body = json.loads((CAPTURED / f"{name}.json").read_text())

    answers = [send(body=body, zipped=zipped, content_type=content_type) for _ in range(2)]

    lead = Lead.objects.get()
    for answer in answers:
        assert answer.status_code == 200
        assert answer.json() == {"success": True, "quarantined": 0, "errors": []}
    assert lead.email == "ada@example.com"
    assert lead.activities.count() == Activity.objects.count() == activities


# --- Who it is ----------------------------------------------------------------------------------


def test_reserved_traits_become_the_lead(send):
    traits = {
        "email": "Ada@Acme.example",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "title": "CTO",
        "phone": "+44 1",
        "website": "https://ada.example",
        "company": {"name": "Acme", "employee_count": "1,200", "industry": "Steel"},
        "address": {"country": "United Kingdom"},
        "plan": "pro",
    }

    send(identify(traits=traits, context={"campaign": {"source": "newsletter", "name": "spring"}}))

    lead = Lead.objects.select_related("company").get()
    assert (lead.email, lead.name, lead.title) == ("ada@acme.example", "Ada Lovelace", "CTO")
    assert (lead.phone, lead.website, lead.country) == ("+44 1", "https://ada.example", "United Kingdom")
    assert (lead.company.name, lead.company.employee_count, lead.company.industry) == ("Acme", 1200, "Steel")
    assert (lead.source, lead.campaign) == ("newsletter", "spring")
    assert Visitor.objects.get().traits["plan"] == "pro"


def test_an_address_as_user_id_says_who_it_is(send):
    send({"type": "identify", "userId": "ada@acme.example", "traits": {"title": "CTO"}})

    assert Lead.objects.get().title == "CTO"


def test_what_an_anonymous_visitor_did_becomes_the_leads_when_they_say_who_they_are(send):
    send(track(anonymousId="a-1"), track("Pricing Viewed", anonymousId="a-1"), track(anonymousId="other"))
    assert not Lead.objects.exists()

    send(identify(anonymousId="a-1"))

    lead = Lead.objects.get()
    assert lead.activities.count() == 2
    assert lead.unmatched_from == lead.activities.earliest("id").pk
    assert Activity.objects.filter(lead=None).count() == 1


def test_an_activity_keeps_when_it_was_given_to_its_lead(now):
    """Once, and only if that was after we received it (SCORE-7)."""
    known, aliased, later = (now + timedelta(hours=hours) for hours in (1, 2, 3))

    def say(at, message):
        take_message(read_message({"messageId": f"m-{at}"} | message, received_at=at), now=at)

    say(now, track("Before", anonymousId="a-1"))
    say(known, identify(anonymousId="a-1"))
    say(known + timedelta(minutes=1), track("After", anonymousId="a-1"))
    say(known + timedelta(minutes=2), track("Elsewhere", anonymousId="a-2"))
    say(aliased, {"type": "alias", "previousId": "a-2", "userId": "u-1"})
    say(later, identify(anonymousId="a-1"))

    given = dict(Lead.objects.get().activities.values_list("event", "attributed_at"))
    assert given == {"Before": known, "After": None, "Elsewhere": aliased}


def test_a_past_of_many_activities_is_given_in_one_statement(now):
    def take(raw):
        take_message(read_message(raw, received_at=now), now=now)

    def identified(visitor, activities):
        for number in range(activities):
            take(track(anonymousId=visitor, messageId=f"{visitor}-{number}"))
        with CaptureQueriesContext(connection) as queries:
            take(identify(visitor, anonymousId=visitor, traits={"email": f"{visitor}@acme.example"}))
        return [query["sql"] for query in queries if query["sql"].startswith('UPDATE "leads_activity"')]

    assert [len(identified("a-1", 1)), len(identified("a-2", 5))] == [1, 1]
    assert Activity.objects.filter(attributed_at=now).count() == 6


def test_an_alias_joins_the_past_of_the_anonymous_id(send):
    send(track(anonymousId="a-1"), identify())

    send({"type": "alias", "previousId": "a-1", "userId": "u-1"})
    send(track("Later", anonymousId="a-1"))

    assert set(Lead.objects.get().activities.values_list("event", flat=True)) == {"Signed Up", "Later"}


def test_both_ids_on_one_event_join_them_whatever_comes_first(send):
    send(track(anonymousId="a-1"))
    send(track("Both", anonymousId="a-1", userId="u-1"))

    send(identify("u-1"))

    assert set(Lead.objects.get().activities.values_list("event", flat=True)) == {"Signed Up", "Both"}


def test_a_chain_of_ids_stays_flat(send):
    send({"type": "alias", "previousId": "a-1", "userId": "u-1"})
    send({"type": "alias", "previousId": "u-1", "userId": "u-2"})
    send({"type": "alias", "previousId": "u-2", "userId": "u-1"})
    send(track(anonymousId="a-1"))

    send(identify("u-2"))

    roots = Visitor.objects.filter(same_as=None)
    assert [visitor.value for visitor in roots] == ["u-2"]
    assert set(roots.get().other_ids.values_list("value", flat=True)) == {"a-1", "u-1"}
    assert Lead.objects.get().activities.count() == 1


def test_a_browser_shared_by_two_people_keeps_their_pasts_apart(send):
    send(track("First", anonymousId="a-1"), identify("u-1", anonymousId="a-1"))
    bob = identify("u-2", anonymousId="a-1", traits={"email": "bob@acme.example"})

    send(bob, track("Second", anonymousId="a-1"))

    events = {
        lead.email: list(lead.activities.values_list("event", flat=True)) for lead in Lead.objects.all()
    }
    assert events == {"ada@acme.example": ["First"], "bob@acme.example": ["Second"]}


def test_traits_said_before_the_address_is_known_are_not_lost(send):
    send({"type": "identify", "anonymousId": "a-1", "traits": {"title": "CTO"}})
    send({"type": "group", "anonymousId": "a-1", "groupId": "g", "traits": {"name": "Acme", "employees": 40}})

    send(identify(anonymousId="a-1"))

    lead = Lead.objects.select_related("company").get()
    assert (lead.title, lead.company.name, lead.company.employee_count) == ("CTO", "Acme", 40)


def test_a_group_says_where_a_known_lead_works(send):
    send(identify(traits={"email": "ada@gmail.com"}))

    send(
        {
            "type": "group",
            "userId": "u-1",
            "groupId": "g",
            "traits": {"name": "Acme", "website": "https://www.acme.example/about", "employees": 40},
        }
    )

    company = Company.objects.get()
    assert (company.name, company.domain, company.employee_count) == ("Acme", "acme.example", 40)
    assert Lead.objects.get().company == company


def test_a_page_is_an_event_with_its_path(send):
    page = {
        "type": "page",
        "userId": "u-1",
        "name": "Pricing",
        "properties": {"url": "https://x.example/pricing?a=1"},
    }

    send(
        identify(),
        page,
        {"type": "page", "userId": "u-1", "context": {"page": {"path": "/docs", "title": "Docs"}}},
    )

    first, second = Activity.objects.order_by("id")
    assert first.event == second.event == "Page Viewed"
    assert first.properties == {
        "name": "Pricing",
        "title": "Pricing",
        "url": "https://x.example/pricing?a=1",
        "path": "/pricing",
    }
    assert second.properties == {"path": "/docs", "title": "Docs"}


def test_a_held_lead_is_looked_at_for_what_it_did_before_it_was_known(send, now):
    send(track(anonymousId="a-1"), identify())
    lead = Lead.objects.get()
    hold_lead(lead, hold=Lead.Hold.UNTIL_ACTIVITY, until=None, at=now)
    Lead.objects.update(advance_at=None, unmatched_from=None)

    send({"type": "alias", "previousId": "a-1", "userId": "u-1"})

    lead.refresh_from_db()
    assert lead.advance_at is not None
    assert lead.unmatched_from == Activity.objects.get().pk


# --- When it happened ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sent", "ago"),
    [
        # Their clock is a day fast; between event and sending lay an hour.
        (timedelta(hours=23), timedelta(hours=24), timedelta(hours=1)),
        # Their clock is a day slow.
        (-timedelta(hours=25), -timedelta(hours=24), timedelta(hours=1)),
        # Said to have happened after it was sent: it cannot have.
        (timedelta(hours=2), timedelta(hours=1), timedelta(0)),
        # Not said when it was sent: taken at its word, but not into the future.
        (-timedelta(hours=3), None, timedelta(hours=3)),
        (timedelta(hours=3), None, timedelta(0)),
    ],
)
def test_the_senders_clock_is_corrected(send, said, sent, ago):
    started = datetime.now(UTC)
    body = {"batch": [track(anonymousId="a-1", timestamp=(started + said).isoformat())]}
    if sent is not None:
        body["sentAt"] = (started + sent).isoformat()

    send(body=body)

    activity = Activity.objects.get()
    lag = datetime.now(UTC) - started
    assert ago - lag <= activity.received_at - activity.occurred_at <= ago + lag
    assert activity.occurred_at <= activity.received_at


def test_the_original_timestamp_goes_before_the_timestamp(send):
    message = track(
        anonymousId="a-1", originalTimestamp="2026-03-01T10:00:00Z", timestamp="2026-03-02T10:00:00Z"
    )

    send(message)

    assert Activity.objects.get().occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


# --- Once, and no more --------------------------------------------------------------------------


def test_a_message_sent_again_changes_nothing(send):
    messages = [identify(messageId="m-1"), track(userId="u-1", messageId="m-2")]
    send(*messages)
    Lead.objects.update(title="Corrected by a person")

    send(*messages, identify(messageId="m-1", traits={"email": "ada@acme.example", "phone": "1"}))

    lead = Lead.objects.get()
    assert (lead.title, lead.phone) == ("Corrected by a person", "")
    assert lead.activities.count() == 1
    assert InboundMessage.objects.get().key == "segment:m-1"


def test_bad_messages_are_quarantined_and_the_others_kept(send):
    good = track(userId="u-1")
    bad = [
        (7, ""),
        (None, ""),
        ({"type": "shout", "userId": "u"}, "type"),
        ({"type": "track", "userId": "u"}, "event"),
        (track(), "userId"),
        (track(userId={"a": 1}), "userId"),
        (track(userId="x" * 300), "userId"),
        (track("x" * 121, userId="u"), "event"),
        (track(userId="u", timestamp="yesterday"), "timestamp"),
        (track(userId="u", timestamp="0001-01-01T00:00:00+14:00"), "timestamp"),
        (track(userId="u", timestamp="1970-01-01"), "occurred_at"),
        (track(userId="u", properties=[1]), "properties"),
        (track(userId="u", context="x"), "context"),
        (identify(traits={"email": "nobody"}), "email"),
        (identify(traits={"email": ["a"]}), "traits.email"),
        (identify(traits={"email": "a@b.example", "title": "x" * 200}), "title"),
        (
            identify(traits={"email": "a@b.example", "company": {"employee_count": "lots"}}),
            "traits.company.employee_count",
        ),
        ({"type": "alias", "userId": "u"}, "previousId"),
        (track(userId="u", properties={"text": "x" * 33_000}), ""),
    ]

    answer = send(identify(), *(message for message, _ in bad), good)

    assert answer.status_code == 200
    assert answer.json()["quarantined"] == len(bad)
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [
        (index, field) for index, (_, field) in enumerate(bad, start=1)
    ]
    assert Lead.objects.get().activities.count() == 1
    assert QuarantinedItem.objects.count() == len(bad)


def test_the_same_bad_message_twice_is_quarantined_once(send):
    send(track())
    send(track())

    assert QuarantinedItem.objects.count() == 1


@pytest.mark.parametrize("slash", ["", "/"])
def test_each_kind_has_an_address_of_its_own(send, slash):
    send(path=f"/v1/identify{slash}", body={"userId": "u-1", "traits": {"email": "ada@acme.example"}})
    answer = send(path=f"/v1/track{slash}", body={"userId": "u-1", "event": "Signed Up"})
    refused = send(path=f"/v1/track{slash}", body={"userId": "u-1"})

    assert answer.json() == {"success": True}
    assert Lead.objects.get().activities.count() == 1
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (
        400,
        "invalid_message",
        "event",
    )
    assert QuarantinedItem.objects.get().kind == "track"


# --- Who may send, and how much -----------------------------------------------------------------


def test_the_key_in_the_body_does_when_there_is_no_header(client, write_key):
    body = {"batch": [track(anonymousId="a-1")], "writeKey": write_key}

    answer = client.post("/v1/batch", json.dumps(body), content_type="application/json")

    assert answer.status_code == 200
    assert Activity.objects.exists()


@pytest.mark.parametrize("header", ["", "Basic", "Basic %%%", "Basic d3Jvbmc6", "Bearer abc", "Basic /w=="])
def test_a_stranger_is_refused(send, header):
    answer = send(track(anonymousId="a-1"), headers={"Authorization": header})

    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_write_key")
    assert not Activity.objects.exists()


def test_a_revoked_key_is_refused(send, now):
    revoke_write_key(WriteKey.objects.get(), now=now)

    assert send(track(anonymousId="a-1")).status_code == 401


def test_the_use_of_a_key_is_noted_once_a_minute(write_key, now):
    for seconds in (0, 30, 59):
        find_write_key(write_key, now=now + timedelta(seconds=seconds))

    assert WriteKey.objects.get().last_used_at == now
    assert WriteKey.objects.get().digest != write_key


@pytest.mark.parametrize(
    ("raw", "headers", "status"),
    [
        (b"", {}, 400),
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b'{"batch": {}}', {}, 400),
        (b'{"batch": [{"type": "track", "userId": "a\\u0000b", "event": "x"}]}', {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"batch": [' + b"1e999]}", {}, 400),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b'{"batch": []}', mtime=0)[:-9], {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
        (b'{"batch": "' + b"x" * 520_000 + b'"}', {}, 413),
        (b"x" * 10_000_000, {}, 413),
        (gzip.compress(b"0" * 100_000_000, mtime=0), {"Content-Encoding": "gzip"}, 413),
        (b'{"batch": [' + b"1," * 1000 + b"1]}", {}, 413),
    ],
)
def test_a_body_that_cannot_be_is_refused_in_the_clients_terms(client, write_key, raw, headers, status):
    credentials = base64.b64encode(f"{write_key}:".encode()).decode()
    sent = {"Authorization": f"Basic {credentials}"} | headers

    answer = client.generic("POST", "/v1/batch", raw, content_type="application/json", headers=sent)

    assert answer.status_code == status
    assert {"code", "message"} <= answer.json().keys()
    assert not QuarantinedItem.objects.exists()


def test_only_post_is_answered(client, write_key):
    assert client.get("/v1/batch").status_code == 405


def test_the_event_of_a_known_person_takes_few_statements(send, django_assert_num_queries):
    send(identify(anonymousId="a-1"))

    # key, transaction (2), who, lead, insert, mark, nudge, and the savepoint of the recording (2)
    with django_assert_num_queries(10):
        send(track(userId="u-1", anonymousId="a-1"))


# --- What no client sends -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_times_too_far_apart_cost_only_their_message(send, said, sent):
    odd = track("Odd", userId="u-1", timestamp=said, sentAt=sent)

    answer = send(identify(messageId="m-1"), odd, identify("u-2", messageId="m-3", traits={}))

    assert answer.status_code == 200
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [(1, "timestamp")]
    assert Visitor.objects.filter(value__in=["u-1", "u-2"]).count() == 2
    assert QuarantinedItem.objects.get().field == "timestamp"


@pytest.mark.parametrize("kind", [[], {}, 7, None, ["track"]])
def test_a_type_that_is_no_text_costs_only_its_message(send, kind):
    answer = send({"type": kind, "userId": "u-1"}, identify("u-2"))

    assert answer.status_code == 200
    assert [(error["index"], error["field"]) for error in answer.json()["errors"]] == [(0, "type")]
    assert QuarantinedItem.objects.get().kind == "message"


def test_a_body_nested_too_deeply_is_refused_as_a_whole(send):
    properties = []
    for _ in range(600):
        properties = [properties]

    answer = send({"type": "track", "userId": "u-1", "properties": {"deep": properties}})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")
    assert "deeply" in answer.json()["message"]
