"""Keys and moments in addresses: what no row can have is refused before the database sees it."""

from __future__ import annotations

import pytest

from accounts.models import User
from common.errors import InvalidInput
from common.ids import MAX_ID
from common.keyset import newest_first_page

MOMENT = "2026-01-01T00:00:00+00:00"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "after",
    [
        "garbage",
        "\x00~1",
        f"{MOMENT}~",
        f"{MOMENT}~0",
        f"{MOMENT}~{MAX_ID + 1}",
        f"{MOMENT}~{'9' * 5000}",
        "2026-01-01T00:00:00~5",  # of which zone?
        "0001-01-01T00:00:00+23:59~5",
        "9999-12-31T23:59:00-23:59~5",
    ],
)
def test_what_is_no_place_in_a_list_is_refused(after: str) -> None:
    with pytest.raises(InvalidInput, match="first page"):
        newest_first_page(User.objects.all(), at="date_joined", after=after, size=2)


@pytest.mark.django_db
@pytest.mark.parametrize("after", [f"{MOMENT}~{MAX_ID}", "2026-01-01 00:00:00+23:59~5"])
def test_an_offset_postgresql_does_not_know_is_a_time_like_any_other(after: str) -> None:
    page = newest_first_page(User.objects.all(), at="date_joined", after=after, size=2)

    assert page.rows == []
