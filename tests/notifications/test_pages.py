"""/notifications/: what the portal told me, and only me."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.test import Client

from accounts.models import User
from notifications.models import Notification
from notifications.services import notify_users


def tell(user: User, *, key: str = "one", url: str = "/queue/", now: datetime) -> Notification:
    notify_users(
        [user], kind=Notification.Kind.HANDOFF, dedupe_key=key, title=f"News {key}", url=url, now=now
    )
    return Notification.objects.get(recipient=user, dedupe_key=key)


@pytest.fixture
def as_bdr(client: Client, bdr: User) -> Client:
    client.force_login(bdr)
    return client


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/notifications/").url == "/login/?next=/notifications/"


def test_i_see_mine_only(as_bdr: Client, bdr: User, other_bdr: User, now: datetime) -> None:
    tell(bdr, key="mine", now=now)
    hers = tell(other_bdr, key="hers", now=now)

    page = as_bdr.get("/notifications/").content.decode()

    assert "News mine" in page
    assert "News hers" not in page
    assert as_bdr.post(f"/notifications/{hers.pk}/open/").status_code == 404


def test_an_empty_list_says_what_will_come(as_bdr: Client) -> None:
    assert b"Nothing yet" in as_bdr.get("/notifications/").content


def test_the_bell_counts_what_is_unread_and_looking_does_not_read(
    as_bdr: Client, bdr: User, now: datetime
) -> None:
    tell(bdr, key="a", now=now)
    tell(bdr, key="b", now=now)

    as_bdr.get("/notifications/")

    assert '>2<span class="visually-hidden"> unread' in as_bdr.get("/notifications/").content.decode()


def test_opening_one_reads_it_and_goes_there(as_bdr: Client, bdr: User, now: datetime) -> None:
    notification = tell(bdr, url="/leads/?q=a", now=now)

    response = as_bdr.post(f"/notifications/{notification.pk}/open/")
    notification.refresh_from_db()
    first = notification.read_at
    as_bdr.post(f"/notifications/{notification.pk}/open/")
    notification.refresh_from_db()

    assert response.url == "/leads/?q=a"
    assert first is not None
    assert notification.read_at == first


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", ""])
def test_a_message_never_leads_elsewhere(as_bdr: Client, bdr: User, now: datetime, url: str) -> None:
    notification = tell(bdr, url=url, now=now)

    assert as_bdr.post(f"/notifications/{notification.pk}/open/").url == "/notifications/"


def test_all_are_read_at_once(as_bdr: Client, bdr: User, other_bdr: User, now: datetime) -> None:
    tell(bdr, key="a", now=now)
    tell(other_bdr, key="b", now=now)

    as_bdr.post("/notifications/read/")

    assert not Notification.objects.filter(recipient=bdr).unread().exists()
    assert Notification.objects.filter(recipient=other_bdr).unread().exists()


@pytest.mark.parametrize("messages", [1, 5])
def test_the_number_of_queries_does_not_grow(
    as_bdr: Client, bdr: User, now: datetime, messages: int, django_assert_num_queries
) -> None:
    for number in range(messages):
        tell(bdr, key=str(number), now=now)

    with django_assert_num_queries(4):  # session with its person, messages, unread, team of the side bar
        as_bdr.get("/notifications/")
