"""The allocation of API calls (§5)."""

from collections.abc import Callable

import pytest
import requests
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceRefusedRequest

from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.crm.standin.conftest import ADA, log_in


def test_every_answer_tells_the_usage_with_the_app_behind_it(
    standin: StandIn, salesforce: Salesforce
) -> None:
    standin.usage.spend(8)
    standin.usage.app_limit = 250

    salesforce.query("SELECT Id FROM Lead")

    assert standin.usage.header == "api-usage=9/15000; per-app-api-usage=1/250(appName=handoff-portal)"
    assert salesforce.api_usage["per-app-api-usage"].name == "handoff-portal"


def test_errors_tell_it_too_and_are_counted(standin: StandIn, salesforce: Salesforce) -> None:
    answer = requests.get(
        f"{standin.base_url}/services/data/v68.0/sobjects/Lead/unknown",
        headers={"Authorization": f"Bearer {salesforce.session_id}"},
        timeout=5,
    )

    assert answer.status_code == 404
    assert answer.headers["Sforce-Limit-Info"].startswith("api-usage=1/15000;")


def test_a_spent_day_answers_403_until_the_next(
    standin: StandIn, salesforce: Salesforce, clock: StoppedClock
) -> None:
    standin.usage.daily_limit = 1
    salesforce.Lead.create(ADA)
    with pytest.raises(SalesforceRefusedRequest, match=r"TotalRequests Limit exceeded\."):
        salesforce.Lead.create(ADA)
    with pytest.raises(SalesforceRefusedRequest, match="TotalRequests"):
        salesforce.limits()

    clock.forward(days=1)
    assert log_in(standin).Lead.create(ADA)["success"]


def test_an_app_may_be_allotted_less_than_all(standin: StandIn, salesforce: Salesforce) -> None:
    standin.usage.app_limit = 0

    with pytest.raises(SalesforceRefusedRequest, match="TotalRequests"):
        salesforce.Lead.create(ADA)


def test_what_is_left_is_shown_to_whom_may_see_it(standin: StandIn, salesforce: Salesforce) -> None:
    standin.usage.spend(99)

    assert salesforce.limits()["DailyApiRequests"] == {"Max": 15_000, "Remaining": 14_900}

    standin.org.change_setup(shows_limits=False)
    with pytest.raises(SalesforceRefusedRequest, match="FORBIDDEN"):
        salesforce.limits()


def test_the_quota_is_set_over_http(standin: StandIn, by_hand: Callable[..., requests.Response]) -> None:
    changed = by_hand("PATCH", "quota", {"daily_limit": 100, "app_limit": 50, "spend": 30})
    refused = by_hand("PATCH", "quota", {"daily_limit": -1})

    assert changed.json() == {"daily_limit": 100, "app_limit": 50, "used": 30, "used_by_app": 0}
    assert (refused.status_code, standin.usage.daily_limit) == (400, 100)
    assert by_hand("PATCH", "quota", {"begin_day": True}).json()["used"] == 0
