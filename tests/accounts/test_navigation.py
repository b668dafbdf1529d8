"""The side bar leads only to pages that exist and that the role may open."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import resolve

from accounts.models import User
from accounts.navigation import SECTIONS, current_path, sections_for
from tests.factories import UserFactory

PAGES = [page for section in SECTIONS for page in section.pages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_entry_leads_to_a_page(page) -> None:
    assert resolve(page.path)


@pytest.mark.parametrize("role", User.Role.values)
def test_everything_in_the_side_bar_opens(client: Client, db: None, role: str) -> None:
    user = UserFactory(role=role)
    client.force_login(user)

    statuses = {
        page.path: client.get(page.path).status_code
        for section in sections_for(user)
        for page in section.pages
    }

    assert set(statuses.values()) == {200}, statuses


def test_a_bdr_sees_no_admin_and_no_operations(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    page = client.get("/queue/").content.decode()

    assert "/admin/" not in page
    assert "/ops/" not in page


def test_the_longest_entry_is_the_current_one(manager: User) -> None:
    assert current_path(manager, "/sla/breaches/7/") == "/sla/breaches/"
    assert current_path(manager, "/handoffs/7/") == "/queue/"
    assert current_path(manager, "/sla/what-if/") == "/sla/compliance/"
    assert current_path(manager, "/nowhere/") == ""
