"""A real stand-in on a local port, and clients that talk to it over HTTP."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps

from crm.client import Credentials, SalesforceClient
from crm.models import FieldMapping, StatusMapping
from crm.standin.server import StandIn
from tests.factories import NOON

CLIENT_ID = "portal-client"
CLIENT_SECRET = "portal-secret"

seed_statuses = import_module("crm.migrations.0002_seed_statuses").seed
seed_mapping = import_module("crm.migrations.0006_seed_mapping").seed


class StoppedClock:
    """A clock that moves only when told to."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture(scope="session")
def only_clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(scope="session")
def only_standin(only_clock: StoppedClock) -> Iterator[StandIn]:
    with StandIn(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, clock=only_clock) as standin:
        yield standin


@pytest.fixture
def clock(only_clock: StoppedClock) -> StoppedClock:
    only_clock.now = NOON
    return only_clock


@pytest.fixture
def standin(only_standin: StandIn, clock: StoppedClock) -> StandIn:
    """The one server of all tests, as if just set up: to stop and start one takes ten times as long."""
    only_standin.reset()
    return only_standin


def client_of(standin: StandIn, *, timeout_seconds: float = 5.0, **changes: str) -> SalesforceClient:
    """A client of its own; `changes` are fields of its credentials."""
    credentials = Credentials(url=standin.base_url, client_id=CLIENT_ID, secret=CLIENT_SECRET)
    return SalesforceClient(replace(credentials, **changes), version="68.0", timeout_seconds=timeout_seconds)


@pytest.fixture
def client_of_salesforce(standin: StandIn) -> SalesforceClient:
    return client_of(standin)


def seed_mappings() -> None:
    """The statuses and fields that a new portal begins with, where they are missing."""
    if not StatusMapping.objects.exists():
        seed_statuses(apps, None)
    if not FieldMapping.objects.exists():
        seed_mapping(apps, None)


@pytest.fixture(autouse=True)
def _statuses_of_a_new_portal(request: pytest.FixtureRequest) -> None:
    """What a migration seeded; tests with real transactions, which empty every table, may have run before."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        seed_mappings()
