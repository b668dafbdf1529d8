"""What the portal may take of the org's daily calls (CRM-4)."""

from datetime import timedelta

import pytest

from crm.budget import may_spend, read_budget, read_forecast, record_usage
from crm.connection import connection_state, pause_connection, record_contact
from crm.models import CallCount, Connection, Lane
from crm.problems import QuotaSpent
from crm.standin.server import StandIn
from tests.crm.conftest import client_of
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def told(*, used: int, allowed: int = 1000, app_used: int | None = None, minutes_ago: int = 1) -> None:
    connection_state()
    Connection.objects.update(
        calls_used=used,
        calls_allowed=allowed,
        app_calls_used=app_used,
        usage_at=NOON - timedelta(minutes=minutes_ago),
        daily_share=50,
        kept_for_handoffs=20,
    )


def left(now=NOON) -> dict[Lane, int | None]:
    budget = read_budget(now=now)
    return {lane: budget.left(lane) if budget else None for lane in Lane}


def test_as_long_as_nothing_is_told_everything_may_go() -> None:
    assert left() == {Lane.HANDOFF: None, Lane.LATER: None}
    assert may_spend(Lane.LATER, now=NOON)


@pytest.mark.parametrize(
    ("used", "app_used", "handoffs", "later"),
    [
        (0, 0, 500, 400),
        (600, 100, 400, 300),  # what others use is no share of ours
        (600, 420, 80, 0),  # the last fifth of 500 is kept for handoffs
        (600, 500, 0, 0),
        (990, 100, 10, 10),  # the org's own end stops both
        (1000, 0, 0, 0),
    ],
)
def test_a_share_is_ours_and_its_end_is_kept_for_handoffs(
    used: int, app_used: int, handoffs: int, later: int
) -> None:
    told(used=used, app_used=app_used)

    assert left() == {Lane.HANDOFF: handoffs, Lane.LATER: later}
    assert may_spend(Lane.HANDOFF, now=NOON) is (handoffs > 0)
    assert may_spend(Lane.LATER, now=NOON) is (later > 0)


def test_where_salesforce_tells_nothing_of_our_app_our_own_count_holds() -> None:
    told(used=900)
    CallCount.objects.create(hour=NOON - timedelta(hours=2), calls=120)
    CallCount.objects.create(hour=NOON - timedelta(hours=25), calls=300)

    budget = read_budget(now=NOON)

    assert (budget.used_by_us, budget.left(Lane.HANDOFF)) == (120, 100)


def test_the_environment_goes_before_what_is_entered(settings) -> None:
    told(used=0, app_used=0)
    settings.SALESFORCE_DAILY_SHARE = 10

    assert left() == {Lane.HANDOFF: 100, Lane.LATER: 80}


def test_stale_figures_are_probed_by_one_call_at_a_time() -> None:
    told(used=1000, app_used=500, minutes_ago=61)

    assert [may_spend(Lane.LATER, now=NOON) for _ in range(3)] == [True, False, False]
    assert not may_spend(Lane.LATER, now=NOON + timedelta(minutes=59))
    assert may_spend(Lane.LATER, now=NOON + timedelta(minutes=60))


def test_handoffs_probe_sooner() -> None:
    told(used=1000, app_used=500, minutes_ago=16)

    assert not may_spend(Lane.LATER, now=NOON)
    assert may_spend(Lane.HANDOFF, now=NOON)


def test_every_answer_is_counted_and_its_figures_are_kept(standin: StandIn) -> None:
    client = client_of(standin)
    list(client.query("SELECT Id FROM Lead"))
    client.describe("Lead")
    record_contact(client, now=NOON + timedelta(minutes=20))
    client.describe("Lead")
    record_contact(client, now=NOON + timedelta(minutes=40))

    state = connection_state()
    assert (state.calls_used, state.calls_allowed, state.app_calls_used) == (3, 15_000, 3)
    assert state.usage_at == NOON + timedelta(minutes=40)
    assert list(CallCount.objects.values_list("hour", "calls")) == [(NOON, 3)]


def test_a_refusal_tells_its_figures_too(standin: StandIn) -> None:
    client = client_of(standin)
    standin.usage.daily_limit = 0
    with pytest.raises(QuotaSpent) as refused:
        client.describe("Lead")

    pause_connection(refused.value.problem, now=NOON, client=client)

    assert left()[Lane.HANDOFF] == 0


def test_without_a_new_answer_nothing_is_noted(standin: StandIn) -> None:
    record_usage(client_of(standin), now=NOON)

    assert not Connection.objects.exclude(usage_at=None).exists()
    assert not CallCount.objects.exists()


class TestForecast:
    def test_says_when_the_share_is_spent_at_the_pace_of_late(self) -> None:
        told(used=380, app_used=380)
        for hours in (1, 2):
            CallCount.objects.create(hour=NOON - timedelta(hours=hours), calls=60)

        forecast = read_forecast(read_budget(now=NOON), now=NOON)

        assert forecast.calls_per_hour == 40
        assert forecast.spent_at == NOON + timedelta(hours=3)

    def test_knows_that_calls_of_a_day_ago_drop_out(self) -> None:
        told(used=380, app_used=380)
        CallCount.objects.create(hour=NOON - timedelta(hours=1), calls=120)
        CallCount.objects.create(hour=NOON - timedelta(hours=23), calls=100)

        assert read_forecast(read_budget(now=NOON), now=NOON).spent_at == NOON + timedelta(hours=6)

    def test_is_open_when_it_lasts_the_day(self) -> None:
        told(used=10, app_used=10)

        assert read_forecast(read_budget(now=NOON), now=NOON).spent_at is None
