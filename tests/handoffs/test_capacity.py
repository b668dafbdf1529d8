"""Foretold MQLs against what the BDRs can take (SCORE-10, GOV-3)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from handoffs.capacity import Capacity, Load, PoolCapacity, advise, measure_capacity
from handoffs.models import Pool, PoolMembership
from tests.factories import HandoffFactory, PoolFactory, PoolMembershipFactory

PANEL = reverse("handoffs:capacity_panel")


def capacity_of(bdrs: int, each: int) -> Capacity:
    return Capacity([PoolCapacity("Inbound", bdrs, bdrs * each)], bdrs, bdrs * each, each, received=310)


# --- The arithmetic -----------------------------------------------------------------------------


def test_capacity_is_told_as_a_sum() -> None:
    assert capacity_of(5, 50).sentence == "5 BDRs × 50 = 250 leads a week"
    assert capacity_of(1, 50).sentence == "1 BDR × 50 = 50 leads a week"
    assert Capacity([], 2, 90, None, 0).sentence == "2 BDRs together take 90 leads a week"
    assert "No BDR takes leads" in Capacity([], 0, 0, None, 0).sentence


def test_load_is_held_against_it() -> None:
    load = Load([200, 300, 340, 400], capacity_of(5, 50))

    assert (load.average, load.busiest, load.per_bdr) == (310, 400, 62)
    assert (load.used_percent, load.busiest_percent, load.weeks_over) == (124, 160, 3)
    assert load.is_over


def test_without_capacity_there_is_no_share() -> None:
    load = Load([10], Capacity([], 0, 0, None, 0))

    assert (load.per_bdr, load.used_percent, load.busiest_percent) == (None, None, None)


@pytest.mark.parametrize(
    ("by_threshold", "advice"),
    [
        ({50: 310, 54: 270, 58: 240, 62: 200}, "Raise the threshold to 58 (240 a week), or add 2 BDRs."),
        ({50: 310, 54: 270}, "Add 2 BDRs, or make the rules stricter."),
        ({46: 100, 50: 310}, "Add 2 BDRs, or make the rules stricter."),
    ],
    ids=["a-threshold-helps", "none-tried-helps", "a-lower-one-is-no-help"],
)
def test_too_much_comes_with_advice(by_threshold: dict[int, float], advice: str) -> None:
    load = Load([310], capacity_of(5, 50))

    assert advise(load, threshold=50, by_threshold=by_threshold) == advice


def test_what_fits_needs_no_advice() -> None:
    assert advise(Load([250], capacity_of(5, 50)), threshold=50, by_threshold={60: 100}) == ""


def test_one_more_is_enough_where_one_more_is_enough() -> None:
    assert advise(Load([300], capacity_of(5, 50)), threshold=50, by_threshold={}).startswith("Add 1 BDR,")


# --- Read from the pools ------------------------------------------------------------------------


def test_only_active_members_count(bdr: User, other_bdr: User, stranger: User, now: datetime) -> None:
    pool = PoolFactory(name="Inbound")
    PoolMembershipFactory(pool=pool, user=bdr, weekly_capacity=50)
    PoolMembershipFactory(pool=pool, user=other_bdr, weekly_capacity=30, is_active=False)
    PoolMembershipFactory(pool=pool, user=stranger, weekly_capacity=40)
    User.objects.filter(pk=stranger.pk).update(is_active=False)

    capacity = measure_capacity(now=now)

    assert (capacity.bdrs, capacity.weekly, capacity.each) == (1, 50, 50)


def test_who_is_in_two_pools_counts_once_and_takes_both(bdr: User, now: datetime) -> None:
    for name in ("Inbound", "Partner"):
        PoolMembershipFactory(pool=PoolFactory(name=name), user=bdr, weekly_capacity=20)

    capacity = measure_capacity(now=now)

    assert (capacity.bdrs, capacity.weekly, capacity.each) == (1, 40, None)
    assert [pool.name for pool in capacity.pools] == ["Inbound", "Partner"]


def test_the_last_four_weeks_are_counted(bdr: User, now: datetime) -> None:
    for days in (-1, 27, 29):
        HandoffFactory(created_at=now - timedelta(days=days))

    assert measure_capacity(now=now).received == 1


# --- The panel ----------------------------------------------------------------------------------


@pytest.fixture
def busy_pool(bdr: User, other_bdr: User) -> Pool:
    pool = PoolFactory(name="Inbound")
    for user in (bdr, other_bdr):
        PoolMembershipFactory(pool=pool, user=user, weekly_capacity=10)
    return pool


def test_the_panel_shows_load_and_advice(
    client: Client, marketing: User, busy_pool: Pool, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(marketing)
    query = {
        "draft": "20,30,40",
        "active": "10,10,10",
        "thresholds": "50,54,58",
        "passed": "90,70,55",
        "threshold": "50",
    }

    with django_assert_max_num_queries(5):
        page = client.get(PANEL, query)

    text = " ".join(page.content.decode().split())
    assert "2 BDRs × 10 = 20 leads a week" in text
    assert "Raise the threshold to 58 (18 a week), or add 1 BDR." in text
    assert "150 %" in text
    assert "2 of 3 weeks over" in text


def test_the_panel_without_figures_shows_the_capacity(
    client: Client, marketing: User, busy_pool: Pool
) -> None:
    client.force_login(marketing)

    page = client.get(PANEL)

    assert page.status_code == 200
    assert b"20 leads a week" in page.content


@pytest.mark.parametrize(
    "query",
    [
        "draft=1,x",
        "draft=-1",
        "draft=1,,2",
        "draft=%00",
        "draft=99999999999",
        "draft=" + ",".join(["1"] * 54),
        "thresholds=50,60&passed=1",
        "threshold=abc",
        "draft=" + "1" * 5000,
        "draft=%D9%A1",
    ],
    ids=["word", "negative", "gap", "nul", "huge", "many", "uneven", "threshold", "long", "other-digits"],
)
def test_figures_that_make_no_sense_are_refused(client: Client, marketing: User, query: str) -> None:
    client.force_login(marketing)

    page = client.get(f"{PANEL}?{query}")

    assert page.status_code == 422
    assert b"alert" in page.content


def test_bdrs_and_strangers_do_not_see_it(client: Client, bdr: User) -> None:
    assert client.get(PANEL).status_code == 302
    client.force_login(bdr)
    assert client.get(PANEL).status_code == 403


def test_the_panel_asks_no_more_for_more_members(
    client: Client, marketing: User, busy_pool: Pool, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(marketing)
    client.get(PANEL)
    with django_assert_num_queries(4):
        client.get(PANEL)
    for member in PoolMembership.objects.all():
        PoolMembershipFactory(pool=PoolFactory(), user=member.user)
    with django_assert_num_queries(4):
        client.get(PANEL)
