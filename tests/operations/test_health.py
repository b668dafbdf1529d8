"""Probes and the operators' page."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from operations.backlog import FOR_PEOPLE, FOR_SWEEPS, measure
from operations.heartbeat import forget_beats, last_beat, record_beat
from operations.models import ALIVE_SECONDS, PeriodicTask, WorkerHeartbeat
from tests.factories import CompanyFactory, LeadFactory

pytestmark = pytest.mark.django_db


def test_healthz_answers_without_the_database(client: Client, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert response.json() == {"status": "ok"}


def test_readyz_says_that_no_worker_works(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert "No worker" in response.json()["reasons"][0]


def test_readyz_is_content_with_a_fresh_heartbeat(client: Client) -> None:
    record_beat("here", now=timezone.now())

    assert client.get("/readyz").status_code == 200


def test_a_worker_that_fell_silent_does_not_count(client: Client) -> None:
    record_beat("here", now=timezone.now() - timedelta(seconds=ALIVE_SECONDS + 1))

    assert client.get("/readyz").status_code == 503


def test_a_heartbeat_is_renewed_in_place_and_forgotten_with_its_worker(now: datetime) -> None:
    record_beat("a", now=now)
    record_beat("a", now=now + timedelta(seconds=5))
    record_beat("ended long ago", now=now - timedelta(hours=2))
    assert last_beat("a") == now + timedelta(seconds=5)

    forget_beats(now=now, worker="a")

    assert not WorkerHeartbeat.objects.exists()


def test_metrics_count_every_mark_and_carry_no_personal_data(client: Client) -> None:
    LeadFactory(email="anna@private.example", advance_at=timezone.now() - timedelta(minutes=2))

    text = client.get("/metrics").content.decode()

    assert 'portal_backlog{mark="leads_to_advance"} 1.0' in text
    for mark in FOR_SWEEPS + FOR_PEOPLE:
        assert f'portal_backlog{{mark="{mark.name}"}}' in text
    assert 'portal_leads{stage="lead"} 1.0' in text
    assert "private.example" not in text


def test_old_work_is_late_and_fresh_work_is_not(now: datetime) -> None:
    LeadFactory(advance_at=now - timedelta(minutes=1))
    (leads, *_) = measure(FOR_SWEEPS, now=now)
    assert (leads.count, leads.is_late(now)) == (1, False)

    LeadFactory(advance_at=now - timedelta(hours=1))

    (leads, *_) = measure(FOR_SWEEPS, now=now)
    assert (leads.count, leads.is_late(now)) == (2, True)


def test_the_operator_sees_that_nobody_works(client: Client, operator: User) -> None:
    client.force_login(operator)

    page = client.get("/ops/").content.decode()

    assert "No worker is at work" in page
    assert "No periodic task is set up" in page


def test_the_operator_sees_what_fails(client: Client, operator: User) -> None:
    now = timezone.now()
    record_beat("here", now=now)
    PeriodicTask.objects.create(
        name="sla-sweep", function="x.y", every=timedelta(minutes=1), next_run_at=now, failure="LookupError"
    )
    client.force_login(operator)

    page = client.get("/ops/").content.decode()

    assert "late or failing" in page
    assert "LookupError" in page


def test_others_may_not_open_the_operators_page(client: Client, bdr: User) -> None:
    assert client.get("/ops/").status_code == 302

    client.force_login(bdr)

    assert client.get("/ops/").status_code == 403


def test_the_page_costs_the_same_however_much_waits(
    client: Client, operator: User, django_assert_num_queries
) -> None:
    client.force_login(operator)
    client.get("/ops/")  # the first page of a connection prepares its statements
    with django_assert_num_queries(29):
        client.get("/ops/")
    LeadFactory.create_batch(5, advance_at=timezone.now() - timedelta(hours=1))

    with django_assert_num_queries(29):
        client.get("/ops/")


def test_the_operator_tries_parked_work_again(client: Client, operator: User) -> None:
    parked = CompanyFactory(spread_at=timezone.now(), attempts=5, parked_at=timezone.now(), error="DataError")
    client.force_login(operator)
    assert "/ops/retry/companies_parked/" in client.get("/ops/").content.decode()

    page = client.post("/ops/retry/companies_parked/", follow=True).content.decode()

    parked.refresh_from_db()
    assert (parked.attempts, parked.parked_at, parked.error) == (0, None, "")
    assert "1 will be tried again" in page
    assert "/ops/retry/companies_parked/" not in page


def test_only_operators_try_again_and_only_what_there_is(
    client: Client, operator: User, marketing: User
) -> None:
    client.force_login(marketing)
    assert client.post("/ops/retry/companies_parked/").status_code == 403

    client.force_login(operator)
    assert client.post("/ops/retry/overflow/").status_code == 404
    assert client.get("/ops/retry/companies_parked/").status_code == 405
