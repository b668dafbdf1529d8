"""Signing in (CRM-6): both ways, once for all threads, and without a secret in any word."""

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from crm.client import Credentials, SalesforceClient
from crm.client.login import JWT_GRANT
from crm.problems import LoginRefused
from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, client_of

USER = "portal@engines.example"
LOGIN = "https://login.salesforce.com"


@pytest.fixture(scope="module")
def private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_half(private_key: str) -> str:
    key = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(private_key)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def trusting_standin(private_key: str) -> Iterator[StandIn]:
    """By the real clock, as the age of a signed token is compared with it."""
    with StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET) as standin:
        standin.tokens.trust(public_half(private_key), users={USER: standin.org.integration_user_id})
        yield standin


def signing(standin: StandIn, private_key: str, **changes: str) -> SalesforceClient:
    credentials = Credentials(
        url=standin.base_url, client_id=CLIENT_ID, secret=private_key, username=USER, audience=LOGIN
    )
    return SalesforceClient(replace(credentials, **changes), version="68.0", timeout_seconds=5)


def test_a_signed_token_signs_in(trusting_standin: StandIn, private_key: str) -> None:
    client = signing(trusting_standin, private_key)

    assert client.describe("Lead")["name"] == "Lead"

    assert [call.operation for call in trusting_standin.traffic] == ["token", "describe"]
    assert client.organization_id == "00DHp0000000001"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"username": "somebody@else.example"}, "invalid_grant", "hasn't approved this consumer"),
        ({"audience": "https://evil.example"}, "invalid_grant", "audience is invalid"),
        ({"client_id": "another-app"}, "invalid_client_id", "consumer key"),
        ({"secret": "-----BEGIN PRIVATE KEY-----\nhunter2\n"}, "UNUSABLE_KEY", "private key"),
    ],
)
def test_a_signed_token_that_is_wrong_is_told_in_words(
    trusting_standin: StandIn, private_key: str, changes: dict[str, str], code: str, words: str
) -> None:
    with pytest.raises(LoginRefused) as refused:
        signing(trusting_standin, private_key, **changes).describe("Lead")

    assert refused.value.problem.code == code
    assert words in refused.value.problem.in_plain_words


@pytest.mark.parametrize("lasts", [timedelta(minutes=-2), timedelta(hours=1)])
def test_the_stand_in_takes_no_token_that_is_over_or_lasts_too_long(
    trusting_standin: StandIn, private_key: str, lasts: timedelta
) -> None:
    expires = int((datetime.now(UTC) + lasts).timestamp())
    claims = {"iss": CLIENT_ID, "sub": USER, "aud": LOGIN, "exp": expires}
    form = {"grant_type": JWT_GRANT, "assertion": jwt.encode(claims, private_key, algorithm="RS256")}

    answer = requests.post(f"{trusting_standin.base_url}/services/oauth2/token", data=form, timeout=5)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_threads_that_meet_the_same_end_of_a_session_sign_in_once(standin: StandIn) -> None:
    client = client_of(standin)
    client.describe("Lead")
    standin.tokens.revoke()
    standin.traffic.clear()
    ready = threading.Barrier(4)

    def describe() -> None:
        ready.wait()
        client.describe("Lead")

    threads = [threading.Thread(target=describe) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    operations = [call.operation for call in standin.traffic]
    assert operations.count("token") == 1
    assert [call.status for call in standin.traffic].count(200) == 5


def test_no_log_line_and_no_repr_tells_a_secret_a_token_or_a_person(
    standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(standin)
    list(client.query("SELECT Id FROM Lead WHERE Email = 'ada@engines.example'"))
    token = client._salesforce.session_id
    standin.tokens.revoke()
    client.describe("Lead")
    wrong = client_of(standin, secret="hunter2-wrong")
    with pytest.raises(LoginRefused) as refused:
        wrong.describe("Lead")

    told = "\n".join(
        [caplog.text, repr(client), repr(client._credentials), repr(wrong.__dict__), repr(refused.value)]
    )

    assert "session_renewed" in told
    for private in (CLIENT_SECRET, "hunter2-wrong", token, "ada@engines.example", "ada%40engines"):
        assert private not in told
