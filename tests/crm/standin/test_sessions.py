"""Signing in, and what a session knows (§9)."""

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceAuthenticationFailed, SalesforceExpiredSession

from crm.standin.server import StandIn
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.crm.standin.conftest import ADA, log_in


def test_wrong_credentials_are_refused_in_oauth_s_shape(standin: StandIn) -> None:
    with pytest.raises(SalesforceAuthenticationFailed) as refused:
        log_in(standin, secret="guess")

    assert refused.value.code == "invalid_client"


@pytest.mark.parametrize("grant", ["password", "refresh_token", ""])
def test_only_client_credentials_are_granted(standin: StandIn, grant: str) -> None:
    answer = requests.post(f"{standin.base_url}/services/oauth2/token", {"grant_type": grant}, timeout=5)

    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def test_a_grant_says_nothing_about_its_end(standin: StandIn) -> None:
    answer = requests.post(
        f"{standin.base_url}/services/oauth2/token",
        {"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
        timeout=5,
    ).json()

    assert set(answer) == {"access_token", "scope", "instance_url", "id", "token_type"}


def test_tokens_expire_and_can_be_revoked(
    standin: StandIn, clock: StoppedClock, salesforce: Salesforce
) -> None:
    direct = Salesforce(
        session_id=salesforce.session_id,
        instance=salesforce.sf_instance,
        version="68.0",
        session=salesforce.session,
    )
    direct.Lead.create(ADA)
    clock.forward(hours=2)

    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        direct.Lead.create(ADA)

    fresh = log_in(standin)
    requests.post(f"{standin.base_url}/services/oauth2/revoke", {"token": fresh.session_id}, timeout=5)
    revoked = Salesforce(
        session_id=fresh.session_id,
        instance=fresh.sf_instance,
        version="68.0",
        session=fresh.session,
    )
    with pytest.raises(SalesforceExpiredSession):
        revoked.query("SELECT Id FROM Lead")


@pytest.mark.parametrize("host", ["login.salesforce.com", "test.salesforce.com"])
def test_client_credentials_are_for_the_org_s_own_domain(standin: StandIn, host: str) -> None:
    answer = requests.post(
        f"{standin.base_url}/services/oauth2/token",
        {"grant_type": "client_credentials"},
        auth=(CLIENT_ID, CLIENT_SECRET),
        headers={"Host": host},
        timeout=5,
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_an_app_without_a_secret_has_none_to_sign_in_with() -> None:
    with StandIn(client_id=CLIENT_ID, client_secret="") as standin:
        answer = requests.post(
            f"{standin.base_url}/services/oauth2/token",
            {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": ""},
            timeout=5,
        )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_who_is_signed_in_can_be_asked(standin: StandIn, salesforce: Salesforce) -> None:
    url = f"{standin.base_url}/services/oauth2/userinfo"

    known = requests.get(url, headers={"Authorization": f"Bearer {salesforce.session_id}"}, timeout=5)
    unknown = requests.get(url, headers={"Authorization": "Bearer guess"}, timeout=5)

    assert known.json()["user_id"] == standin.org.integration_user_id
    assert known.json()["preferred_username"] == "portal.integration@standin.example"
    assert (unknown.status_code, unknown.text) == (403, "Bad_OAuth_Token")
