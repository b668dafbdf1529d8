"""What could not be taken is kept, inspected, fixed and replayed (INTAKE-5)."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from common.errors import InvalidInput
from leads.models import Activity, Lead, QuarantinedItem
from leads.quarantine import AlreadySettled, Refusal, quarantine
from leads.replay import dismiss_item, replay_item
from tests.factories import LeadFactory

Source = QuarantinedItem.Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def keep(now):
    def keep(payload, *, source=Source.API, kind="lead", index=0, at=now):
        refusal = Refusal(index, kind, "email", "This is no address.", payload)
        quarantine([refusal], source=source, origin="token abc…", now=at)
        return QuarantinedItem.objects.latest("id")

    return keep


def test_what_postgresql_cannot_store_is_kept_in_a_readable_form(keep):
    item = keep({"a\x00": ["b\x00", "\ud800", None, 7]})

    assert item.payload == {"a�": ["b�", "?", None, 7]}


@pytest.mark.parametrize("payload", [None, 7, "text", [], {}])
def test_any_json_can_be_kept(keep, payload):
    assert keep(payload).payload == payload


@pytest.mark.parametrize(
    ("source", "kind", "payload"),
    [
        (Source.API, "lead", {"email": "ada@acme.example", "answers": {"budget": "10k"}}),
        (Source.API, "activity", {"email": "ada@acme.example", "event": "Signed Up"}),
        (Source.SEGMENT, "identify", {"userId": "u-1", "traits": {"email": "ada@acme.example"}}),
        (Source.SEGMENT, "message", {"type": "identify", "userId": "ada@acme.example"}),
        (Source.IMPORT, "lead", {"email": "ada@acme.example", "company.employee_count": "12"}),
    ],
)
def test_a_corrected_item_is_taken_by_the_road_it_came(keep, operator, now, source, kind, payload):
    item = keep({"bad": True}, source=source, kind=kind)

    replay_item(item, payload=payload, by=operator, now=now)

    item.refresh_from_db()
    assert Lead.objects.get().email == "ada@acme.example"
    assert (item.replayed_at, item.settled_by, item.payload) == (now, operator, payload)


@pytest.mark.parametrize(
    ("source", "kind", "payload", "field"),
    [
        (Source.API, "lead", {"email": "nobody"}, "email"),
        (Source.API, "lead", [], ""),
        (Source.API, "activity", {"lead": 999, "event": "x"}, "lead"),
        (Source.SEGMENT, "track", {"userId": "u-1"}, "event"),
        (Source.SEGMENT, "message", None, ""),
        (Source.IMPORT, "lead", {"emial": "ada@acme.example"}, "emial"),
        (Source.IMPORT, "lead", {"email": 7}, ""),
    ],
)
def test_an_item_that_is_still_wrong_stays(keep, operator, now, source, kind, payload, field):
    item = keep({"bad": True}, source=source, kind=kind)

    with pytest.raises(InvalidInput) as refusal:
        replay_item(item, payload=payload, by=operator, now=now)

    item.refresh_from_db()
    assert refusal.value.field == field
    assert item.replayed_at is None


def test_a_settled_item_is_settled(keep, operator, now):
    item = keep({"email": "ada@acme.example"})
    replay_item(item, payload=item.payload, by=operator, now=now)

    with pytest.raises(AlreadySettled, match="was replayed by Ola Kern already"):
        dismiss_item(item, by=operator, now=now)
    with pytest.raises(AlreadySettled):
        replay_item(item, payload=item.payload, by=operator, now=now)


# --- Pages --------------------------------------------------------------------------------------


def test_an_operator_sets_an_item_right(client, keep, operator):
    item = keep({"email": "nobody"})
    client.force_login(operator)

    shown = client.get(reverse("leads:quarantined_item", args=[item.pk]))
    refused = client.post(reverse("leads:replay", args=[item.pk]), {"payload": '{"email": "still nobody"}'})
    taken = client.post(
        reverse("leads:replay", args=[item.pk]), {"payload": '{"email": "ada@acme.example"}'}, follow=True
    )

    assert "nobody" in shown.content.decode()
    assert refused.status_code == 422
    assert "still nobody" in refused.content.decode()
    assert "An e-mail address needs an @" in refused.content.decode()
    assert "The item was taken." in taken.content.decode()
    assert Lead.objects.get().email == "ada@acme.example"


@pytest.mark.parametrize("payload", ["", "{", "[" * 5000, '{"email": 1e999}', '{"email": "a\\u0000"}'])
def test_what_is_no_json_is_told(client, keep, operator, payload):
    item = keep({"email": "nobody"})
    client.force_login(operator)

    answer = client.post(reverse("leads:replay", args=[item.pk]), {"payload": payload})

    assert answer.status_code == 422
    assert not Lead.objects.exists()


def test_a_dismissed_item_is_kept_among_the_settled(client, keep, operator):
    item = keep({"email": "nobody"})
    client.force_login(operator)

    client.post(reverse("leads:dismiss", args=[item.pk]))
    again = client.post(reverse("leads:dismiss", args=[item.pk]))

    assert client.get(reverse("leads:quarantine")).context["page"].rows == []
    assert client.get(reverse("leads:quarantine"), {"state": "settled"}).context["page"].rows == [item]
    assert again.status_code == 409
    assert client.get(reverse("leads:quarantined_item", args=[item.pk])).status_code == 200


def test_the_list_is_narrowed_and_paged(client, keep, operator, now, django_assert_num_queries):
    for number in range(51):
        keep({"n": number}, at=now + timedelta(minutes=number))
    keep({"n": "segment"}, source=Source.SEGMENT)
    client.force_login(operator)
    address = reverse("leads:quarantine")

    with django_assert_num_queries(4):  # session, user, unread messages, the page
        first = client.get(address)
    second = client.get(address, {"after": first.context["page"].next_key})

    numbers = [item.payload["n"] for page in (first, second) for item in page.context["page"].rows]
    assert len(numbers) == 52
    assert numbers[:2] == [50, 49]
    assert len(client.get(address, {"source": "segment"}).context["page"].rows) == 1
    assert client.get(address, {"q": "nothing like it"}).context["page"].rows == []
    assert client.get(address, {"state": "x", "source": "x", "q": "x" * 500}).status_code == 200
    assert client.get(address, {"after": "x"}).status_code == 422


def test_only_operators_and_marketing_may_look(client, keep, bdr, marketing, manager):
    item = keep({"email": "nobody"})
    addresses = [reverse("leads:quarantine"), reverse("leads:quarantined_item", args=[item.pk])]

    assert [client.get(address).status_code for address in addresses] == [302, 302]
    for user, status in ((bdr, 403), (manager, 403), (marketing, 200)):
        client.force_login(user)
        assert [client.get(address).status_code for address in addresses] == [status, status]


def test_an_activity_for_a_lead_that_exists_by_now_is_taken(api, operator, now):
    body = {"email": "ada@acme", "event": "Signed Up", "message_id": "m-1"}
    api.post("/api/v1/activities/", json.dumps(body), content_type="application/json")
    lead = LeadFactory(email="ada@acme.example")

    replay_item(
        QuarantinedItem.objects.get(), payload=body | {"email": "ada@acme.example"}, by=operator, now=now
    )

    assert Activity.objects.get().lead == lead


def test_a_replayed_message_whose_times_are_too_far_apart_is_refused(keep, operator, now):
    item = keep({"bad": True}, source=Source.SEGMENT, kind="track")
    payload = {
        "userId": "u-1",
        "event": "Odd",
        "timestamp": "0001-01-01T00:00:00Z",
        "sentAt": "9999-12-31T23:59:59Z",
    }

    with pytest.raises(InvalidInput, match="too far apart"):
        replay_item(item, payload=payload, by=operator, now=now)
