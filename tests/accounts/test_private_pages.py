"""Pages on their way to the browser: kept by nobody, compressed, and not sent again while nothing is new."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User

pytestmark = pytest.mark.django_db


def test_a_page_of_somebody_signed_in_is_kept_by_no_browser(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    assert client.get("/queue/").headers["Cache-Control"] == "private, no-store"


def test_polled_rows_say_for_themselves_what_may_be_kept(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    rows = client.get("/queue/", headers={"HX-Request": "true"})

    assert "no-store" not in rows.headers["Cache-Control"]


def test_pages_are_compressed_and_a_poll_still_learns_that_nothing_is_new(client: Client, bdr: User) -> None:
    client.force_login(bdr)
    browser = {"HX-Request": "true", "Accept-Encoding": "gzip"}

    rows = client.get("/queue/", headers=browser)
    again = client.get("/queue/", headers=browser | {"If-None-Match": rows.headers["ETag"]})

    assert rows.headers["Content-Encoding"] == "gzip"
    assert (again.status_code, again.content) == (304, b"")
