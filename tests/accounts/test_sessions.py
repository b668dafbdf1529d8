"""Who sends a request: read by two prepared statements, and otherwise as Django does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User

PAGE = "/leads/"


@pytest.fixture
def as_bdr(client: Client, bdr: User) -> Client:
    client.force_login(bdr, backend="accounts.backends.RoleBackend")
    return client


def is_signed_in(client: Client) -> bool:
    return client.get(PAGE).status_code == 200


def test_the_person_comes_with_their_team_in_one_statement(
    as_bdr: Client, bdr: User, django_assert_num_queries
) -> None:
    as_bdr.get("/healthz")  # prepares both

    with django_assert_num_queries(2):  # session, person
        as_bdr.get("/healthz")

    page = as_bdr.get(PAGE)
    assert page.wsgi_request.user == bdr
    with django_assert_num_queries(0):
        assert page.wsgi_request.user.team == bdr.team


def test_a_session_ends_at_its_time(as_bdr: Client) -> None:
    assert is_signed_in(as_bdr)

    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert not is_signed_in(as_bdr)


def test_a_closed_account_is_out_at_once(as_bdr: Client, bdr: User) -> None:
    User.objects.filter(pk=bdr.pk).update(is_active=False)

    assert not is_signed_in(as_bdr)


def test_a_new_password_ends_the_sessions_of_the_old_one(as_bdr: Client, bdr: User) -> None:
    bdr.set_password("another horse")
    bdr.save(update_fields=["password"])

    assert not is_signed_in(as_bdr)


@pytest.mark.parametrize("key", ["a" * 32, '"a\\000b' + "c" * 30 + '"', "' OR 1=1 --" + "x" * 30, "ä" * 32])
def test_a_cookie_nobody_gave_out_is_a_strangers(client: Client, db: None, key: str) -> None:
    client.cookies[settings.SESSION_COOKIE_NAME] = key

    assert client.get(PAGE).url == f"/login/?next={PAGE}"
