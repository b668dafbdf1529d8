"""A browser at a desk that works, signed in by cookie: the form itself is tested elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from handoffs.models import Handoff
from tests.desk import load_desk, offer, ready_lead

Open = Callable[..., Page]


@pytest.fixture
def now() -> datetime:
    """Pages look at the real clock, so the desk does too. The protocol was there long before."""
    return timezone.now()


@pytest.fixture
def desk(live_server: Any, bdr: User, manager: User, marketing: User, now: datetime) -> str:
    """The address of a portal where one BDR takes all leads."""
    load_desk(now=now - timedelta(days=100))
    return live_server.url


@pytest.fixture
def three_offers(desk: str, now: datetime) -> list[Handoff]:
    """Ana is most urgent, then Ben, then Cleo; all are Mara's."""
    names = ("Ana", "Ben", "Cleo")
    return [
        offer(ready_lead(now=at, first_name=name), now=at)
        for name, at in zip(names, (now - timedelta(minutes=m) for m in (9, 6, 3)), strict=True)
    ]


@pytest.fixture
def open_page(page: Page, desk: str) -> Open:
    """open_page(user, "/queue/") shows the page as this person."""

    def open_as(user: User | None, path: str) -> Page:
        if user is not None:
            client = Client()
            client.force_login(user)
            cookie = {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
            }
            page.context.add_cookies([{**cookie, "url": desk}])
        page.goto(desk + path)
        return page

    return open_as
