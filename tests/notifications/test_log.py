"""/notifications/deliveries/: what was sent, to whom, over which way, and what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import User
from notifications.delivering import deliver_due
from notifications.models import Channel, Delivery
from tests.factories import NOON
from tests.notifications.conftest import Hook, MailServer
from tests.notifications.test_delivering import deliver_all, tell

PAGE = "/notifications/deliveries/"


@pytest.fixture
def given_up(mail_server: MailServer, bdr: User) -> Delivery:
    mail_server.refuses[bdr.email] = "550 No such user"
    tell(bdr)
    deliver_all(now=NOON)
    return Delivery.objects.get(channel=None)


def test_who_sees_what(
    client: Client, bdr: User, other_bdr: User, manager: User, operator: User, marketing: User, now
) -> None:
    tell(bdr)
    Delivery.objects.update(title="To Mara")

    for person, sees in (
        (bdr, True),
        (manager, True),
        (operator, True),
        (other_bdr, False),
        (marketing, False),
    ):
        client.force_login(person)
        assert ("To Mara" in client.get(PAGE).content.decode()) is sees, person


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get(PAGE).url == f"/login/?next={PAGE}"


def test_a_failure_says_why_and_is_tried_again(
    client: Client, operator: User, given_up: Delivery, mail_server: MailServer, bdr: User
) -> None:
    client.force_login(operator)
    page = client.get(PAGE).content.decode()
    assert "Given up" in page
    assert "The mail server refused the receiver (code 550)." in page

    mail_server.refuses.clear()
    client.post(f"{PAGE}{given_up.pk}/retry/")
    deliver_all(now=NOON + timedelta(days=10 * 365))

    assert mail_server.subjects == ["New lead: Ada Berger"]
    again = client.post(f"{PAGE}{given_up.pk}/retry/", follow=True).content.decode()
    assert "This message is not given up" in again


def test_reps_send_nothing_again(client: Client, bdr: User, other_bdr: User, given_up: Delivery) -> None:
    client.force_login(bdr)
    assert "Try again" not in client.get(PAGE).content.decode()
    client.post(f"{PAGE}{given_up.pk}/retry/")
    client.force_login(other_bdr)
    assert client.post(f"{PAGE}{given_up.pk}/retry/").status_code == 404

    assert Delivery.objects.get(channel=None).status == Delivery.Status.GIVEN_UP


def test_filters_are_in_the_address(
    client: Client, manager: User, bdr: User, other_bdr: User, hook: Hook, channel: Channel
) -> None:
    tell(bdr, other_bdr)
    Delivery.objects.filter(recipient=other_bdr).update(title="To Theo")
    Delivery.objects.filter(channel=channel).update(title="Over the hook")
    client.force_login(manager)

    def shown(query: str) -> set[str]:
        page = client.get(f"{PAGE}?{query}").content.decode()
        return {title for title in ("To Theo", "Over the hook", "New lead") if title in page}

    assert shown(f"person={other_bdr.pk}") == {"To Theo"}
    assert shown(f"channel={channel.pk}") == {"Over the hook"}
    assert shown("status=queued") == {"To Theo", "Over the hook", "New lead"}
    assert shown("status=sent") == set()
    assert client.get(f"{PAGE}?person=99999999999999999999").status_code == 422
    assert client.get(f"{PAGE}?status=nonsense").status_code == 422


def test_a_failing_channel_stands_above_everything(
    client: Client, operator: User, bdr: User, hook: Hook, channel: Channel
) -> None:
    hook.status = 404
    tell(bdr)
    deliver_due(now=NOON)
    client.force_login(operator)

    page = client.get(PAGE).content.decode()

    assert "My webhook of Mara Lind takes no messages since" in page
    assert "By e-mail instead: sent." in page


@pytest.mark.parametrize("messages", [1, 6])
def test_the_number_of_queries_does_not_grow(
    client: Client, manager: User, bdr: User, channel: Channel, messages: int, django_assert_num_queries
) -> None:
    for number in range(messages):
        tell(bdr, key=str(number))
    client.force_login(manager)

    # Session with its person, page, people and channels of the filters, failing ones, unread, team.
    with django_assert_num_queries(7):
        client.get(PAGE)


def test_the_bell_asks_for_its_count_and_hears_of_changes_only(client: Client, bdr: User) -> None:
    client.force_login(bdr)
    first = client.get("/notifications/unread/")
    same = client.get("/notifications/unread/", headers={"If-None-Match": first["ETag"]})
    tell(bdr)
    changed = client.get("/notifications/unread/", headers={"If-None-Match": first["ETag"]})

    assert (first.status_code, same.status_code, changed.status_code) == (200, 304, 200)
    assert changed.content.decode().count('>1<span class="visually-hidden"> unread') == 2
    assert 'hx-swap-oob="true"' in changed.content.decode()
