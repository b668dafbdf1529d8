"""The small cast that most tests use."""

from __future__ import annotations

from datetime import datetime

import pytest

from accounts.models import Team, User

# A fixture of a conftest wins over pytest-playwright's own; one of a plugin does not.
from tests.browser_plugin import browser_type_launch_args  # noqa: F401
from tests.factories import NOON, TeamFactory, UserFactory


@pytest.fixture
def now() -> datetime:
    return NOON


@pytest.fixture
def team(db: None) -> Team:
    return TeamFactory(name="Inbound Europe")


@pytest.fixture
def bdr(team: Team) -> User:
    return UserFactory(username="mara", first_name="Mara", last_name="Lind", role=User.Role.BDR, team=team)


@pytest.fixture
def other_bdr(team: Team) -> User:
    return UserFactory(username="theo", first_name="Theo", last_name="Falk", role=User.Role.BDR, team=team)


@pytest.fixture
def stranger(db: None) -> User:
    """A BDR of another team."""
    return UserFactory(username="ines", first_name="Ines", last_name="Roth", role=User.Role.BDR)


@pytest.fixture
def marketing(db: None) -> User:
    return UserFactory(
        username="jo", first_name="Jo", last_name="Marks", role=User.Role.MARKETING, team=None, is_staff=True
    )


@pytest.fixture
def manager(team: Team) -> User:
    return UserFactory(
        username="nia", first_name="Nia", last_name="Berg", role=User.Role.MANAGER, team=team, is_staff=True
    )


@pytest.fixture
def operator(db: None) -> User:
    return UserFactory(
        username="ola", first_name="Ola", last_name="Kern", role=User.Role.OPERATOR, team=None, is_staff=True
    )


@pytest.fixture
def reader(db: None) -> User:
    return UserFactory(
        username="rae", first_name="Rae", last_name="Wolf", role=User.Role.READ_ONLY, team=None
    )
