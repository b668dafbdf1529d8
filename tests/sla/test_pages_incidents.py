"""SLA-7: the pages of incidents, and who lost the time of a breach on its page, in the CSV and by the API."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.utils import timezone

from sla.incidents import declare_incident
from sla.models import Clock, Incident
from tests.sla.factories import ClockFactory

HOUR = timedelta(hours=1)


@pytest.fixture
def as_manager(client, manager):
    client.force_login(manager)
    return client


@pytest.fixture
def late(bdr) -> Clock:
    """A promise of an hour that was made two hours ago, and is on record as missed."""
    now = timezone.now()
    return ClockFactory(owner=bdr, started_at=now - 2 * HOUR, breach_recorded_at=now, warn_at=None)


@pytest.fixture
def incident(late, manager) -> Incident:
    now = timezone.now()
    return declare_incident(
        what="E-mail was down", started_at=now - 3 * HOUR, ended_at=now - HOUR, by=manager, now=now
    )


def typed(start, end, **more) -> dict[str, str]:
    return {
        "what": "E-mail was down",
        "started_at": f"{start:%Y-%m-%dT%H:%M}",
        "ended_at": f"{end:%Y-%m-%dT%H:%M}",
    } | more


# --- Incidents ----------------------------------------------------------------------------------


def test_one_looks_first_and_then_declares(as_manager, late):
    now = timezone.now()
    window = now - 3 * HOUR, now - HOUR / 2

    looked = as_manager.post("/sla/incidents/declare/", typed(*window, look="1"))

    assert "1 missed target would be in time" in looked.content.decode()
    assert not Incident.objects.exists()

    declared = as_manager.post("/sla/incidents/declare/", typed(*window, declare="1"))

    incident = Incident.objects.get()
    assert declared["Location"] == f"/sla/incidents/{incident.pk}/"
    assert "Lea" in as_manager.get(declared["Location"]).content.decode()
    late.refresh_from_db()
    assert late.breach_recorded_at is None


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"what": ""}, "Say what was out of order."),
        ({"ended_at": ""}, "Say when it was over."),
        ({"started_at": "yesterday"}, "Give a date and a time."),
        ({"started_at": "0001-01-01T00:00"}, "more than a year ago"),
        ({"ended_at": "9999-12-31T23:59"}, "the end lies ahead"),
        ({"what": "E-mail\0"}, "Null characters"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(as_manager, changes, sentence):
    now = timezone.now()

    response = as_manager.post("/sla/incidents/declare/", typed(now - 3 * HOUR, now - HOUR) | changes)

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_an_incident_is_withdrawn_once(as_manager, incident, late):
    assert as_manager.post(f"/sla/incidents/{incident.pk}/withdraw/").status_code == 302
    again = as_manager.post(f"/sla/incidents/{incident.pk}/withdraw/")

    late.refresh_from_db()
    assert late.due_before_incident is None
    assert again.status_code == 409
    assert "Nia Berg has withdrawn this already." in again.content.decode()


def test_readers_look_and_declare_nothing(client, reader, incident):
    client.force_login(reader)

    for path in ("/sla/incidents/", f"/sla/incidents/{incident.pk}/"):
        page = client.get(path)
        assert page.status_code == 200
        assert "Declare an incident" not in page.content.decode()
        assert "Withdraw it" not in page.content.decode()
    assert client.get("/sla/incidents/declare/").status_code == 403
    assert client.post(f"/sla/incidents/{incident.pk}/withdraw/").status_code == 403


@pytest.mark.parametrize("path", ["/sla/incidents/", "/sla/incidents/declare/"])
def test_reps_and_marketing_see_no_incidents(client, bdr, marketing, path):
    for person in (bdr, marketing):
        client.force_login(person)
        assert client.get(path).status_code == 403


def test_a_page_of_an_incident_costs_the_same_however_many_clocks(
    as_manager, incident, bdr, django_assert_num_queries
):
    now = timezone.now()
    for _ in range(3):
        ClockFactory(owner=bdr, started_at=now - 2 * HOUR)
    second = declare_incident(
        what="Again", started_at=now - 3 * HOUR, ended_at=now - HOUR, by=incident.declared_by, now=now
    )

    for each in (incident, second):
        with django_assert_num_queries(5):  # session, person, bell, incident, clocks
            as_manager.get(f"/sla/incidents/{each.pk}/")


# --- Who lost the time --------------------------------------------------------------------------


def test_a_breach_says_who_lost_the_time(as_manager, late):
    page = as_manager.get(f"/sla/breaches/{late.pk}/").content.decode()

    assert "Who lost the time?" in page
    assert "Not opened 100 %" in page
    assert "Counted around the clock" in page


def test_the_csv_splits_the_time_of_each_breach(as_manager, late):
    rows = list(csv.DictReader(io.StringIO(as_manager.get("/sla/breaches.csv").getvalue().decode())))

    assert 7200 <= int(rows[0]["unseen_seconds"]) <= 7260
    assert {rows[0][f"{name}_seconds"] for name in ("scoring", "sync", "shift", "idle", "paused")} == {"0"}


def test_the_csv_asks_no_more_for_more_breaches_of_the_same_people(
    as_manager, late, bdr, django_assert_num_queries
):
    def read():
        return as_manager.get("/sla/breaches.csv").getvalue()

    read()
    with django_assert_num_queries(9):
        read()
    for _ in range(3):
        now = timezone.now()
        ClockFactory(owner=bdr, started_at=now - 2 * HOUR, breach_recorded_at=now, warn_at=None)
    with django_assert_num_queries(9):
        read()


def test_the_api_splits_the_time_of_a_clock(as_manager, late, incident):
    answer = as_manager.get(f"/api/v1/sla/clocks/{late.pk}/time-lost/").json()

    assert answer["seconds"] == sum(answer[name] for name in ("sync", "shift", "unseen", "idle", "paused"))
    assert answer["scoring"] == 0
    assert answer["is_in_working_time"] is False
    assert 3600 <= answer["paused"] <= 3660


def test_the_api_tells_strangers_nothing_of_a_clock(client, stranger, late):
    client.force_login(stranger)

    assert client.get(f"/api/v1/sla/clocks/{late.pk}/time-lost/").status_code == 404


def test_the_api_lists_incidents(client, manager, incident):
    client.force_login(manager)

    found = client.get("/api/v1/sla/incidents/").json()["results"]

    assert [(each["what"], each["excused"], each["withdrawn_at"]) for each in found] == [
        ("E-mail was down", 1, None)
    ]
