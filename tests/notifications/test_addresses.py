"""Which addresses a channel may have, and how they are kept."""

from __future__ import annotations

import pytest
import requests
from django.core.management import call_command
from django.db import connection

from accounts.models import User
from common.errors import InvalidInput
from notifications.addresses import ending_of, read_address
from notifications.by_apprise import post_to_address
from notifications.catalogue import SERVICES
from notifications.channels import TooManyChannels, add_channel
from notifications.layouts import slack_blocks, teams_card
from notifications.models import Channel
from notifications.outcomes import NotDelivered
from notifications.public_hosts import HostNotPublic, public_hosts_only
from notifications.sealing import CannotUnseal, seal, unseal
from notifications.wording import Fact, Words
from tests.factories import NOON
from tests.notifications.conftest import Hook

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
TEAMS = (
    "https://prod-00.westeurope.logic.azure.com:443/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/"
    "paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu"
)


@pytest.mark.parametrize(
    ("address", "service"),
    [
        (SLACK, "Slack"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#sales", "Slack"),
        (TEAMS, "Microsoft Teams"),
        ("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "Discord"),
        ("twilio://AC735c307c62944b5a:e29dfbcebf390dee9@+12125550100/+12125550101", "SMS by Twilio"),
        ("jsons://1.1.1.1/path?+Authorization=Bearer%20x", "Webhook (JSON)"),
    ],
)
def test_these_are_taken(address: str, service: str) -> None:
    assert read_address(address).name == service


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nonsense", "no address the portal knows"),
        ("https://nobody.example/hook", "no address the portal knows"),
        ("slack://", "no complete address of Slack"),
        # What runs programs, reads files or is done by Django's mail settings.
        ("dbus://", "does not send to dbus://"),
        ("syslog://", "does not send to syslog://"),
        ("mailto://a:b@mail.example", "does not send to mailto://"),
        ("windows://", "does not send to windows://"),
        ("file:///etc/passwd", "no address the portal knows"),
        (f"{SLACK}?template=/etc/passwd", "Leave out “template”"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/passwd", "Leave out “template”"),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?:app_body=x", "Leave out “:app_body”"),
        ("jsons://1.1.1.1/?redirect=yes", "Leave out “redirect”"),
        ("jsons://1.1.1.1/?verify=no", "Leave out “verify”"),
        # Our own network, and names sent in the clear.
        ("jsons://localhost/", "own network"),
        ("jsons://127.0.0.1:8000/", "own network"),
        ("jsons://10.0.0.7/", "own network"),
        ("jsons://169.254.169.254/latest/meta-data", "own network"),
        ("jsons://[::1]/", "own network"),
        ("jsons://2130706433/", "own network"),
        ("jsons://[::ffff:127.0.0.1]/", "own network"),
        ("json://1.1.1.1/", "use jsons://"),
        ("jsons://1.1.1.1/" + "x" * 1000, "at most 1000"),
        ("jsons://1.1.1.1/\nx", "one line"),
    ],
)
def test_these_are_refused_with_what_to_do(address: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_address(address)

    assert words in str(refusal.value)
    assert refusal.value.field == "address"


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_scheme_of_the_catalogue_is_one_of_apprise(service) -> None:
    from apprise.manager_plugins import NotificationManager

    plugins = {NotificationManager()[scheme] for scheme in service.schemes}

    assert len(plugins) == 1
    assert set(service.plain_schemes) <= set(service.schemes)


def test_an_operator_may_open_the_own_network(settings) -> None:
    settings.NOTIFICATION_PRIVATE_HOSTS = True

    assert read_address("json://127.0.0.1:8000/").is_hosted


def test_a_name_that_turns_out_to_be_private_gets_nothing(hook: Hook, settings) -> None:
    """What counts is the address connected to, not what the name meant when it was checked."""
    settings.NOTIFICATION_PRIVATE_HOSTS = False

    with pytest.raises(NotDelivered, match="own network"):
        post_to_address(hook.url, Words("a", "b"), lead="b", facts=(), link="", reference="x")

    assert hook.taken == []


def test_the_guard_holds_only_where_it_is_asked_for(hook: Hook) -> None:
    address = hook.url.replace("json", "http", 1)
    with public_hosts_only(), pytest.raises(HostNotPublic):
        requests.post(address, json={})

    requests.post(address, json={})

    assert len(hook.taken) == 1


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    hook.status = 302

    with pytest.raises(NotDelivered, match="status 302"):
        post_to_address(hook.url, Words("a", "b"), lead="b", facts=(), link="", reference="x")

    assert len(hook.taken) == 1


@pytest.mark.parametrize(
    ("address", "plugin"), [(SLACK, "slack"), (TEAMS, "workflows")], ids=["Slack", "Teams"]
)
def test_slack_and_teams_are_posted_to_in_their_own_layout(
    address: str, plugin: str, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their hosts are theirs; only the host is ours here, all else is what they would get."""
    here = hook.url.replace("json", "http", 1)
    send = requests.Session.request

    def send_here(session: requests.Session, method: str, url: str, **more: object) -> requests.Response:
        return send(session, method, f"{here}/{url.split('/', 3)[3]}", **more)

    monkeypatch.setattr(requests.Session, "request", send_here)

    facts = [Fact("company", "Company", "Nordwind & Co")]
    link = "https://portal.example/handoffs/7/"
    post_to_address(
        address, Words("New lead", "plain"), lead="Category A", facts=facts, link=link, reference="x"
    )

    [(_, _, body)] = hook.taken
    expected = {
        "slack": {"attachments": [slack_blocks("New lead", "Category A", facts, link)]},
        "workflows": teams_card("New lead", "Category A", facts, link),
    }
    assert body == expected[plugin]


# --- How they are kept --------------------------------------------------------------------------


def test_the_database_holds_nothing_readable(bdr: User) -> None:
    channel = add_channel(bdr, name="Slack", address=SLACK, by=bdr, now=NOON)

    with connection.cursor() as cursor:
        cursor.execute("SELECT notifications_channel::text FROM notifications_channel")
        [(row,)] = cursor.fetchall()
    assert "TIiajkdn" not in row
    assert "hooks.slack.com" not in bytes(channel.sealed_address).decode()
    assert unseal(Channel.objects.get().sealed_address) == SLACK
    assert str(channel) == "Slack (Slack, ends in …i7FQ)"


def test_a_short_address_shows_nothing_of_itself() -> None:
    assert ending_of("signl4://secret") == ""


def test_keys_are_changed_without_losing_an_address(bdr: User, settings) -> None:
    settings.NOTIFICATION_KEYS = ["old key"]
    add_channel(bdr, name="Slack", address=SLACK, by=bdr, now=NOON)

    settings.NOTIFICATION_KEYS = ["new key", "old key"]
    call_command("reseal_secrets", verbosity=0)
    settings.NOTIFICATION_KEYS = ["new key"]

    assert unseal(Channel.objects.get().sealed_address) == SLACK


def test_a_lost_key_is_said_in_words(settings) -> None:
    settings.NOTIFICATION_KEYS = ["old key"]
    sealed = seal(SLACK)
    settings.NOTIFICATION_KEYS = ["new key"]

    with pytest.raises(CannotUnseal, match="Enter it again"):
        unseal(sealed)


def test_ten_channels_are_enough(bdr: User) -> None:
    for number in range(10):
        add_channel(bdr, name=str(number), address=SLACK, by=bdr, now=NOON)

    with pytest.raises(TooManyChannels):
        add_channel(bdr, name="11", address=SLACK, by=bdr, now=NOON)
