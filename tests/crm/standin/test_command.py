"""`manage.py salesforce_standin` knows the app and the people that the portal's settings name."""

from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.management.base import CommandError

from accounts.models import User
from crm.management.commands.salesforce_standin import set_up_standin
from crm.standin.schema import GROUP, USER
from tests.factories import PoolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def options(tmp_path: Path, settings: Any) -> dict[str, Any]:
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = "demo", "demo-secret"
    settings.SALESFORCE_PRIVATE_KEY = ""
    return {
        "host": "127.0.0.1",
        "port": 0,
        "state": tmp_path / "state.sqlite3",
        "token_minutes": 1,
        "daily_limit": 50,
        "without_people": False,
    }


def test_bdrs_and_pools_are_in_the_org_once_and_the_app_may_sign_in(
    options: dict[str, Any], bdr: User
) -> None:
    PoolFactory(name="Inbound")
    set_up_standin(options).close()

    with set_up_standin(options) as standin:
        answer = requests.post(
            f"{standin.base_url}/services/oauth2/token",
            {"grant_type": "client_credentials"},
            auth=("demo", "demo-secret"),
            timeout=5,
        )

        assert answer.status_code == 200
        assert standin.usage.daily_limit == 50
        assert [user["Username"] for user in standin.store.all(USER.name)].count(bdr.email) == 1
        assert [queue["Name"] for queue in standin.store.all(GROUP.name)].count("Inbound") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [("SALESFORCE_CLIENT_ID", ""), ("SALESFORCE_CLIENT_SECRET", ""), ("SALESFORCE_PRIVATE_KEY", "no key")],
)
def test_without_an_app_it_does_not_start(
    options: dict[str, Any], settings: Any, name: str, value: str
) -> None:
    setattr(settings, name, value)

    with pytest.raises(CommandError, match="SALESFORCE_"):
        set_up_standin(options)
