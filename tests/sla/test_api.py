"""INTAKE-2: GET /api/v1/sla/clocks/."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import ApiToken
from accounts.tokens import issue_token
from sla.models import Clock
from tests.factories import UserFactory
from tests.sla.factories import ClockFactory

URL = "/api/v1/sla/clocks/"
MINUTE = timedelta(minutes=1)


def api(person, *scopes) -> APIClient:
    issued = issue_token(person, name="test", scopes=scopes or [ApiToken.Scope.READ], now=timezone.now())
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {issued.secret}")
    return client


def ids(response) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]


def clock(owner, minutes, **fields) -> Clock:
    return ClockFactory(owner=owner, started_at=timezone.now() - minutes * MINUTE, **fields)


def test_a_clock_is_told_with_its_state_at_this_moment(manager, bdr):
    late = clock(bdr, 90)

    (row,) = api(manager).get(URL).json()["results"]

    assert row["state"] == "late"
    assert row["breached_at"] == row["due_at"].replace("Z", "+00:00")
    assert row["breach_recorded_at"] is None
    assert (row["handoff"], row["lead"], row["kind"]) == (late.handoff_id, late.lead_id, "first_contact")
    assert (row["owner"], row["team"], row["policy"], row["minutes"]) == (
        "mara",
        "Inbound Europe",
        "Standard",
        60,
    )


def test_reps_see_their_own_and_their_teams_clocks(bdr, other_bdr, stranger, manager):
    mine, teams, elsewhere = clock(bdr, 3), clock(other_bdr, 2), clock(stranger, 1)

    assert ids(api(bdr).get(URL)) == [teams.pk, mine.pk]
    assert ids(api(manager).get(URL)) == [elsewhere.pk, teams.pk, mine.pk]


def test_work_nobody_owns_is_told_without_owner_and_team(manager):
    ClockFactory(owner=None, team=None)

    (row,) = api(manager).get(URL).json()["results"]

    assert (row["owner"], row["team"]) == (None, None)


def test_without_a_token_or_its_scope_there_is_nothing(db, manager):
    assert APIClient().get(URL).status_code == 401
    assert api(manager, ApiToken.Scope.INTAKE).get(URL).status_code == 403


def test_filters(manager, bdr, other_bdr):
    late, risk, fine = clock(bdr, 90), clock(bdr, 45), clock(other_bdr, 5, kind="opened")
    done = clock(bdr, 200, outcome="done", stopped_at=timezone.now(), breach_recorded_at=timezone.now())
    client = api(manager)

    def found(**query) -> set[int]:
        return set(ids(client.get(URL, query)))

    assert found(state="running") == {late.pk, risk.pk, fine.pk}
    assert found(state="late") == {late.pk}
    assert found(state="at_risk") == {risk.pk}
    assert found(state="missed") == {late.pk, done.pk}
    assert found(state="done") == {done.pk}
    assert found(state="cancelled") == set()
    assert found(kind="opened") == found(owner="theo") == {fine.pk}
    assert found(handoff=late.handoff_id) == found(lead=late.lead_id) == {late.pk}
    assert found(due_before=timezone.now().isoformat()) == {late.pk, done.pk}
    assert found(due_after=timezone.now().isoformat()) == {risk.pk, fine.pk}


@pytest.mark.parametrize(
    "query",
    [
        {"state": "nonsense"},
        {"kind": "nonsense"},
        {"handoff": "x"},
        {"due_before": "yesterday"},
        {"due_before": "0001-01-01T00:00:00+23:00"},
        {"owner": "a\x00b"},
        {"page_size": "x", "cursor": "nonsense"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(manager, query):
    assert api(manager).get(URL, query).status_code in (400, 404)


def test_an_offset_no_place_has_is_still_a_time(manager, bdr):
    row = clock(bdr, 5)

    assert ids(api(manager).get(URL, {"due_after": "0173-05-14T14:32:16-19:33"})) == [row.pk]


@pytest.mark.parametrize("number", ["9" * 18, "9" * 30, "-1", "1e300", "1.5", "NaN"])
def test_numbers_beyond_any_row_find_nothing(manager, bdr, number):
    clock(bdr, 5)
    client = api(manager)

    for name in ("handoff", "lead"):
        response = client.get(URL, {name: number})
        assert response.status_code == 400 or ids(response) == []


def test_pages_go_by_key_and_cost_the_same(manager, bdr, django_assert_num_queries):
    for minutes in range(7):
        clock(UserFactory(team=bdr.team), minutes)
    client = api(manager)
    client.get(URL)

    with django_assert_num_queries(2):
        page = client.get(URL, {"page_size": 3})
    seen = ids(page)
    while page.json()["next"]:
        page = client.get(page.json()["next"])
        seen += ids(page)

    assert seen == list(Clock.objects.order_by("-started_at", "-pk").values_list("pk", flat=True))


# --- Compliance -----------------------------------------------------------------------------------


def test_compliance_is_told_in_all_and_group_by_group(manager, bdr):
    """SLA-9: the figures of the page, over the API."""
    clock(bdr, 90, source="Webinar", outcome="done", stopped_at=timezone.now() - 60 * MINUTE)
    clock(bdr, 90, source="Partner")

    told = api(manager).get("/api/v1/sla/compliance/", {"by": "source"}).json()

    assert (told["total"]["kept"], told["total"]["missed"], told["total"]["compliance"]) == (1, 1, 0.5)
    assert [(group["group"], group["missed"]) for group in told["groups"]] == [("Partner", 1), ("Webinar", 0)]


def test_a_rep_is_told_of_what_they_may_see_only(bdr, stranger):
    clock(bdr, 90)

    assert api(bdr).get("/api/v1/sla/compliance/").json()["total"]["missed"] == 1
    assert api(stranger).get("/api/v1/sla/compliance/").json()["total"]["missed"] == 0


def test_a_question_that_makes_no_sense_is_answered_400_by_its_field(manager):
    response = api(manager).get("/api/v1/sla/compliance/", {"since": "2020-01-01", "by": "moon"})

    assert response.status_code == 400
    assert set(response.json()) == {"since", "by"}
