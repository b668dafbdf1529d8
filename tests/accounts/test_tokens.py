"""API tokens: kept as a digest, scoped, revocable, and honest about their last use (INTAKE-2)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client

from accounts.models import ApiToken, User
from accounts.tokens import find_token, issue_token, mark_used, revoke_token
from common.errors import InvalidInput


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_secret_is_nowhere_in_the_database(bdr: User, now: datetime) -> None:
    issued = issue_token(bdr, name="Dialler", scopes=["read"], now=now)

    row = ApiToken.objects.values().get()
    assert issued.secret not in map(str, row.values())
    assert issued.secret.startswith(row["prefix"])
    assert find_token(issued.secret) == issued.token


def test_a_token_cannot_hold_what_the_role_may_not_do(marketing: User, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="may not hold the scope work"):
        issue_token(marketing, name="Bot", scopes=["read", "work"], now=now)


def test_a_token_must_be_for_something(bdr: User, now: datetime) -> None:
    with pytest.raises(InvalidInput, match="at least one"):
        issue_token(bdr, name="Bot", scopes=[], now=now)


def test_last_use_is_written_at_most_once_a_minute(
    bdr: User, now: datetime, django_assert_num_queries
) -> None:
    token = issue_token(bdr, name="Bot", scopes=["read"], now=now).token
    mark_used(token, now=now)
    token.refresh_from_db()

    with django_assert_num_queries(0):
        mark_used(token, now=now + timedelta(seconds=59))
    mark_used(token, now=now + timedelta(seconds=60))

    token.refresh_from_db()
    assert token.last_used_at == now + timedelta(seconds=60)


def test_a_call_with_a_token_acts_as_its_holder(client: Client, bdr: User, now: datetime) -> None:
    secret = issue_token(bdr, name="Bot", scopes=["read"], now=now).secret

    assert client.get("/api/v1/handoffs/", headers=bearer(secret)).status_code == 200
    assert ApiToken.objects.get().last_used_at is not None


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Bearer a b", "Bearer é", "Basic bWFyYTpw"])
def test_anything_but_a_live_token_is_401(client: Client, db: None, header: str) -> None:
    response = client.get("/api/v1/handoffs/", headers={"Authorization": header})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_revoked_token_is_refused_at_once_and_revoking_twice_is_harmless(
    client: Client, bdr: User, now: datetime
) -> None:
    issued = issue_token(bdr, name="Bot", scopes=["read"], now=now)
    revoke_token(issued.token, by=bdr, now=now)
    revoke_token(issued.token, by=bdr, now=now + timedelta(days=1))

    assert client.get("/api/v1/handoffs/", headers=bearer(issued.secret)).status_code == 401
    assert ApiToken.objects.get().revoked_at == now


def test_a_token_dies_with_its_account(client: Client, bdr: User, now: datetime) -> None:
    secret = issue_token(bdr, name="Bot", scopes=["read"], now=now).secret
    User.objects.filter(pk=bdr.pk).update(is_active=False)

    assert client.get("/api/v1/handoffs/", headers=bearer(secret)).status_code == 401


def test_a_reading_token_cannot_act(client: Client, bdr: User, now: datetime) -> None:
    secret = issue_token(bdr, name="Bot", scopes=["read"], now=now).secret

    response = client.post("/api/v1/handoffs/1/accept/", headers=bearer(secret))

    assert response.status_code == 403


def test_a_token_outlives_no_change_of_role(client: Client, manager: User, now: datetime) -> None:
    secret = issue_token(manager, name="Bot", scopes=["read", "intake", "work"], now=now).secret
    User.objects.filter(pk=manager.pk).update(role=User.Role.READ_ONLY)

    response = client.post(
        "/api/v1/leads/", {"email": "a@b.example"}, content_type="application/json", headers=bearer(secret)
    )

    assert response.status_code == 403
