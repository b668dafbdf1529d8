"""Signing in and out, and where each role begins."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import UserFactory

PASSWORD = "correct horse"


def sign_in(client: Client, user: User, *, password: str = PASSWORD, next_page: str = "") -> object:
    return client.post("/login/", {"username": user.username, "password": password, "next": next_page})


def test_the_right_password_leads_to_the_first_page(client: Client, bdr: User) -> None:
    response = sign_in(client, bdr)

    assert response.status_code == 302
    assert response.url == "/"


@pytest.mark.parametrize(
    ("role", "page"),
    [
        (User.Role.BDR, "/queue/"),
        (User.Role.MARKETING, "/marketing/"),
        (User.Role.MANAGER, "/sla/"),
        (User.Role.OPERATOR, "/ops/"),
        (User.Role.READ_ONLY, "/leads/"),
    ],
)
def test_each_role_begins_at_its_own_page_and_may_open_it(
    client: Client, db: None, role: str, page: str
) -> None:
    client.force_login(UserFactory(role=role))

    response = client.get("/")

    assert response.url == page
    assert client.get(page).status_code == 200


def test_a_wrong_password_is_refused_and_the_name_is_kept(client: Client, bdr: User) -> None:
    response = sign_in(client, bdr, password="wrong")

    assert response.status_code == 422
    assert b'value="mara"' in response.content
    assert "_auth_user_id" not in client.session


def test_guessing_is_closed_after_ten_tries_even_for_the_right_password(client: Client, bdr: User) -> None:
    for _ in range(10):
        sign_in(client, bdr, password="wrong")

    response = sign_in(client, bdr)

    assert response.status_code == 429
    assert b"Too many tries" in response.content


def test_the_page_one_wanted_comes_after_signing_in(client: Client, bdr: User) -> None:
    wanted = client.get("/leads/?q=ana")

    response = sign_in(client, bdr, next_page="/leads/?q=ana")

    assert wanted.url == "/login/?next=/leads/%3Fq%3Dana"
    assert response.url == "/leads/?q=ana"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example", "\x00"],
)
def test_signing_in_never_leads_to_another_host(client: Client, bdr: User, elsewhere: str) -> None:
    response = sign_in(client, bdr, next_page=elsewhere)

    assert response.url == "/"


def test_a_fragment_asked_for_after_the_session_ended_moves_the_whole_page(client: Client, db: None) -> None:
    response = client.get(
        "/queue/",
        headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/queue/?tab=overflow&q=a"},
    )

    assert response["HX-Redirect"] == "/login/?next=%2Fqueue%2F%3Ftab%3Doverflow%26q%3Da"


def test_signing_out_needs_a_post(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert client.get("/logout/").status_code == 405
    client.post("/logout/")

    assert client.get("/queue/").status_code == 302


# --- The demo ------------------------------------------------------------------------------------


def test_the_demo_offers_one_click_users(client: Client, settings, bdr: User) -> None:
    settings.DEMO = True

    page = client.get("/login/")
    response = client.post("/login/demo/mara/")

    assert b"/login/demo/mara/" in page.content
    assert response.url == "/"
    assert client.get("/queue/").status_code == 200


def test_outside_the_demo_one_click_users_do_not_exist(client: Client, bdr: User) -> None:
    page = client.get("/login/")
    response = client.post("/login/demo/mara/")

    assert b"/login/demo/" not in page.content
    assert response.status_code == 404
    assert "_auth_user_id" not in client.session


def test_even_in_the_demo_nobody_becomes_a_superuser_by_a_click(client: Client, settings, db: None) -> None:
    settings.DEMO = True
    UserFactory(username="root", is_superuser=True)

    page = client.get("/login/")
    response = client.post("/login/demo/root/")

    assert b"/login/demo/root/" not in page.content
    assert response.status_code == 404


@pytest.mark.parametrize("address", ["http://[", "http://[x]/queue/"])
def test_a_fragment_of_a_stranger_at_no_address_leads_to_the_login_page(
    client: Client, db: None, address: str
) -> None:
    response = client.get("/queue/", headers={"HX-Request": "true", "HX-Current-URL": address})

    assert response.headers["HX-Redirect"] == "/login/?next=%2F"


def test_nobody_is_called_nul(client: Client, db: None, settings) -> None:
    settings.DEMO = True

    assert client.post("/login/demo/%00/").status_code == 404
