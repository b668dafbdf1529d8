"""The browser words a span of time exactly as the server does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page

from accounts.models import User
from common.templatetags.portal import ago_words, left_words
from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
EDGES = (0, 1, 59, 60, 61, 3599, 3600, 3660, 7199, 7200, 35999, 36000, 172799, 172800, 10**7)
SPANS = sorted({sign * edge for edge in EDGES for sign in (1, -1)})
FRACTIONS = (0.0, 0.4, -0.4)


def test_browser_and_server_use_the_same_words(open_page: Open, bdr: User) -> None:
    page: Page = open_page(bdr, "/profile/")
    moments = [NOW + timedelta(seconds=span + part) for span in SPANS for part in FRACTIONS]
    milliseconds = [round(moment.timestamp() * 1000) for moment in moments]

    left, ago = page.evaluate(
        """([moments, now]) => [
            moments.map(moment => portalClock.left(moment, now)),
            moments.map(moment => portalClock.ago(moment, now)),
        ]""",
        [milliseconds, round(NOW.timestamp() * 1000)],
    )

    assert left == [left_words(moment, NOW) for moment in moments]
    assert ago == [ago_words(moment, NOW) for moment in moments]
