"""One's own profile: zone, theme, absence, tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import Client
from django.utils import timezone

from accounts.models import Absence, ApiToken, User
from accounts.tokens import issue_token

LONG_AGO = datetime(2020, 3, 3, 14, 5, tzinfo=UTC)


@pytest.fixture
def as_bdr(client: Client, bdr: User) -> Client:
    client.force_login(bdr)
    return client


def profile_of(user: User, **changes: str) -> dict[str, str]:
    facts = {"first_name": user.first_name, "last_name": user.last_name, "email": user.email}
    return facts | {"time_zone": user.time_zone, "theme": user.theme} | changes


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/profile/").url == "/login/?next=/profile/"


def test_the_zone_of_the_profile_is_the_zone_of_the_pages(as_bdr: Client, bdr: User) -> None:
    response = as_bdr.post("/profile/", profile_of(bdr, time_zone="America/New_York"))

    assert response.status_code == 302
    with timezone.override("America/New_York"):
        shown = Template("{% local_time at %}").render(
            Context({"at": datetime(2020, 3, 3, 14, 5, tzinfo=UTC)})
        )
    assert ">Tue 3 Mar 2020, 09:05<" in shown
    bdr.refresh_from_db()
    assert bdr.time_zone == "America/New_York"


def test_pages_show_times_in_the_viewers_zone(as_bdr: Client, bdr: User) -> None:
    User.objects.filter(pk=bdr.pk).update(time_zone="Asia/Tokyo", away_since=LONG_AGO)

    page = as_bdr.get("/profile/").content.decode()

    assert "Tue 3 Mar 2020, 23:05" in page
    assert timezone.get_current_timezone_name() == "UTC", "the zone ends with the request"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "", "\x00"])
def test_an_unknown_zone_is_refused(as_bdr: Client, bdr: User, zone: str) -> None:
    response = as_bdr.post("/profile/", profile_of(bdr, time_zone=zone))

    assert response.status_code == 422
    bdr.refresh_from_db()
    assert bdr.time_zone == "UTC"


def test_a_person_cannot_change_their_own_role(as_bdr: Client, bdr: User) -> None:
    as_bdr.post("/profile/", profile_of(bdr, role="manager", is_superuser="on"))

    bdr.refresh_from_db()
    assert (bdr.role, bdr.is_superuser) == (User.Role.BDR, False)


def test_the_theme_is_remembered(as_bdr: Client) -> None:
    response = as_bdr.post("/profile/theme/", {"theme": "dark"}, headers={"HX-Request": "true"})

    assert response.status_code == 204
    assert 'data-theme="dark"' in as_bdr.get("/profile/").content.decode()


def test_an_unknown_theme_is_refused_with_a_sentence(as_bdr: Client) -> None:
    response = as_bdr.post("/profile/theme/", {"theme": "neon"})

    assert response.status_code == 422
    assert b"Choose light, dark" in response.content


def test_away_and_back(as_bdr: Client, bdr: User) -> None:
    as_bdr.post("/profile/away/", {"away": "yes"})
    bdr.refresh_from_db()
    since = bdr.away_since
    as_bdr.post("/profile/away/", {"away": "yes"})
    bdr.refresh_from_db()

    assert since is not None
    assert bdr.away_since == since, "pressing twice keeps the first time"
    as_bdr.post("/profile/away/", {"away": "no"})
    bdr.refresh_from_db()
    assert bdr.away_since is None


def test_an_absence_that_ends_before_it_begins_is_refused_in_words(bdr: User) -> None:
    backwards = Absence(user=bdr, starts_at=LONG_AGO, ends_at=LONG_AGO)

    with pytest.raises(ValidationError, match="An absence ends after it starts"):
        backwards.full_clean()


def test_the_menu_switches_away_and_back_where_one_is(as_bdr: Client, bdr: User) -> None:
    """Two steps from anywhere: the menu, the switch."""
    before = as_bdr.get("/queue/?q=holm&category=A").content.decode()
    away = as_bdr.post("/profile/away/", {"away": "yes", "next": "/queue/?q=holm&category=A"})
    after = as_bdr.get("/leads/").content.decode()
    elsewhere = as_bdr.post("/profile/away/", {"away": "no", "next": "https://elsewhere.example/"})

    assert '<input type="hidden" name="next" value="/queue/?q=holm&amp;category=A">' in before
    assert 'name="away" value="yes"' in before
    assert away.url == "/queue/?q=holm&category=A"
    assert 'name="away" value="no"' in after
    assert elsewhere.url == "/profile/"


def test_a_new_token_is_shown_once(as_bdr: Client) -> None:
    made = as_bdr.post("/profile/tokens/", {"name": "Dialler", "scopes": ["read", "work"]}).content.decode()

    token = ApiToken.objects.get()
    secret = made.partition('id="secret" tabindex="0">')[2].partition("<")[0]
    assert secret.startswith(token.prefix)
    assert len(secret) > 40
    assert secret not in as_bdr.get("/profile/").content.decode()


def test_a_token_beyond_the_role_is_refused(as_bdr: Client) -> None:
    response = as_bdr.post("/profile/tokens/", {"name": "Form", "scopes": ["intake"]})

    assert response.status_code == 422
    assert not ApiToken.objects.exists()


def test_somebody_elses_token_cannot_be_revoked(as_bdr: Client, manager: User, now: datetime) -> None:
    token = issue_token(manager, name="Hers", scopes=["read"], now=now).token

    response = as_bdr.post(f"/profile/tokens/{token.pk}/revoke/")

    token.refresh_from_db()
    assert response.status_code == 404
    assert token.revoked_at is None


def test_ones_own_token_can_be_revoked(as_bdr: Client, bdr: User, now: datetime) -> None:
    token = issue_token(bdr, name="Old", scopes=["read"], now=now).token

    as_bdr.post(f"/profile/tokens/{token.pk}/revoke/")

    token.refresh_from_db()
    assert token.revoked_at is not None
