"""Entering how to sign in (CRM-6): checked, sealed, in use at once, and never sent elsewhere."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management import call_command

from accounts.models import User
from common.errors import InvalidInput
from crm.client import connected_client, record_url
from crm.connection import SetByEnvironment, client_for_work, save_allowance, save_connection
from crm.models import Connection
from crm.standin.server import StandIn
from notifications.models import Notification
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SECRET, JWT = Connection.Login.CLIENT_CREDENTIALS, Connection.Login.JWT_BEARER
ACME = "https://acme.my.salesforce.com"


@pytest.fixture(autouse=True)
def _nothing_in_the_environment(settings) -> None:
    settings.SALESFORCE_URL, settings.DEMO = "", True


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def save(by: User, **changes: Any) -> Connection:
    values = {"url": ACME, "login": SECRET, "client_id": CLIENT_ID, "secret": CLIENT_SECRET, **changes}
    return save_connection(**values, by=by, now=NOON)


def test_what_is_entered_is_in_use_from_the_next_call_on(standin: StandIn, operator: User) -> None:
    assert connected_client() is None
    save(operator, url=standin.base_url, secret="mistyped")
    mistyped = connected_client()
    save(operator, url=f" {standin.base_url}/ ")

    client = connected_client()

    assert client is not mistyped
    assert client is connected_client()
    assert client.describe("Lead")["name"] == "Lead"
    assert record_url("00Q1") == f"{standin.base_url}/00Q1"


def test_the_secret_is_in_no_column_in_clear(operator: User) -> None:
    save(operator)

    row = Connection.objects.values().get()
    assert all(CLIENT_SECRET not in str(value) for value in row.values())
    assert CLIENT_SECRET.encode() not in bytes(row["sealed_secret"])
    assert (row["changed_at"], row["changed_by_id"]) == (NOON, operator.pk)


def test_a_lost_key_lets_work_wait_and_is_told_in_words(operator: User, settings) -> None:
    save(operator)
    settings.NOTIFICATION_KEYS = ["another one"]

    assert client_for_work(now=NOON) is None
    assert client_for_work(now=NOON) is None

    state = Connection.objects.get()
    assert (state.error_code, state.failures) == ("SECRET_LOST", 1)
    assert "Enter it again" in Notification.objects.get(recipient=operator).body


def test_a_new_key_takes_over_from_the_old_one(operator: User, settings) -> None:
    settings.NOTIFICATION_KEYS = ["old"]
    save(operator)
    settings.NOTIFICATION_KEYS = ["new", "old"]

    call_command("reseal_secrets", verbosity=0)

    settings.NOTIFICATION_KEYS = ["new"]
    assert connected_client()._credentials.secret == CLIENT_SECRET


@pytest.mark.parametrize(
    "elsewhere", [{"url": "https://evil.my.salesforce.com"}, {"client_id": "another-app"}]
)
def test_a_kept_secret_is_sent_nowhere_else(operator: User, elsewhere: dict[str, str]) -> None:
    save(operator)

    assert save(operator, secret="").url == ACME
    with pytest.raises(InvalidInput, match="consumer secret") as refused:
        save(operator, secret="", **elsewhere)

    assert refused.value.field == "secret"
    assert Connection.objects.get().url == ACME


def test_a_new_org_s_figures_are_not_those_of_the_old_one(operator: User) -> None:
    save(operator)
    Connection.objects.update(calls_used=9, calls_allowed=9, error="No.", failures=3, paused_until=NOON)

    save(operator, url="https://other.my.salesforce.com")

    state = Connection.objects.get()
    assert (state.calls_used, state.error, state.failures, state.paused_until) == (None, "", 0, None)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "acme",
        "https://",
        "http://acme.my.salesforce.com",
        "https://login.salesforce.com",
        "https://acme.lightning.force.com",
        "https://acme.my.salesforce.com.evil.example",
        "https://user:pass@acme.my.salesforce.com",
        "https://acme.my.salesforce.com/lightning/o/Lead",
        "https://acme.my.salesforce.com:8443",
        "http://169.254.169.254",
        "https://[::1",
        "https://acme\x00.my.salesforce.com",
    ],
)
def test_only_a_my_domain_address_is_taken(operator: User, address: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        save(operator, url=address)

    assert refused.value.field == "url"


def test_a_stand_in_is_for_development_and_the_demo(operator: User, settings) -> None:
    settings.DEMO = settings.DEBUG = False

    with pytest.raises(InvalidInput):
        save(operator, url="http://127.0.0.1:9")


class TestSignedToken:
    def test_keeps_the_key_sealed_and_the_user(self, operator: User) -> None:
        key = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))

        state = save(operator, login=JWT, secret=key.replace("\n", "\r\n"), username="portal@acme.example")

        credentials = connected_client()._credentials
        assert (credentials.secret, credentials.username) == (key, "portal@acme.example")
        assert credentials.audience == "https://login.salesforce.com"
        assert b"BEGIN" not in bytes(state.sealed_secret)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"username": ""}, "username"),
            ({"audience": "https://evil.example"}, "audience"),
            ({"secret": "-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----"}, "secret"),
            ({"secret": pem(ec.generate_private_key(ec.SECP256R1()))}, "secret"),
        ],
        ids=["no user", "audience", "no key", "not RSA"],
    )
    def test_is_refused_naming_the_field(self, operator: User, changes: dict[str, str], field: str) -> None:
        values = {"login": JWT, "username": "portal@acme.example", "secret": "x", **changes}

        with pytest.raises(InvalidInput) as refused:
            save(operator, **values)

        assert refused.value.field == field
        assert "hunter2" not in str(refused.value)


def test_what_the_environment_says_is_not_overwritten(operator: User, settings) -> None:
    settings.SALESFORCE_URL = ACME

    with pytest.raises(SetByEnvironment):
        save(operator)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"daily_share": 0}, "daily_share"),
        ({"kept_for_handoffs": 101}, "kept_for_handoffs"),
        ({"bulk_from": 199}, "bulk_from"),
        ({"bulk_from": 10**12}, "bulk_from"),
        ({"fallback_queue_id": "0051x"}, "fallback_queue_id"),
    ],
)
def test_an_allowance_out_of_range_is_refused(operator: User, changes: dict[str, Any], field: str) -> None:
    values = {
        "daily_share": 50,
        "kept_for_handoffs": 0,
        "bulk_from": 2000,
        "fallback_queue_id": "",
        **changes,
    }

    with pytest.raises(InvalidInput) as refused:
        save_allowance(**{**values, **changes}, by=operator)

    assert refused.value.field == field


def test_a_queue_of_15_characters_is_kept_with_18(operator: User) -> None:
    state = save_allowance(
        daily_share=25,
        kept_for_handoffs=10,
        bulk_from=500,
        fallback_queue_id="00G5g000004wXYZ",
        by=operator,
    )

    state.refresh_from_db()
    assert (state.daily_share, state.fallback_queue_id) == (25, "00G5g000004wXYZEA2")
