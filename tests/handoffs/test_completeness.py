"""Completeness of packages: what is missing, the mark for marketing's task, marketing's rate (HAND-5)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from accounts.models import User
from handoffs.models import PackageStandard, Pool
from handoffs.package.completeness import CompletenessRate, fact_labels, measure_completeness_rate
from handoffs.services import hand_off_by_hand
from leads.models import Lead
from tests.desk import offer, ready_lead


@pytest.fixture
def standard(pool: Pool) -> PackageStandard:
    PackageStandard.objects.update(requires=["name", "phone", "budget", "company_size"], task_below=60)
    return PackageStandard.objects.get()


def test_what_is_missing_is_named(standard: PackageStandard, now: datetime) -> None:
    package = offer(ready_lead(now=now, phone=""), now=now).package

    assert (package.completeness, package.missing) == (50, ["phone", "budget"])
    assert fact_labels(package.missing) == ["Phone", "Budget"]


def test_a_package_below_the_line_is_marked_for_marketing(standard: PackageStandard, now: datetime) -> None:
    thin = offer(ready_lead(now=now, phone=""), now=now)
    fuller = offer(ready_lead(now=now), now=now)

    for handoff in (thin, fuller):
        handoff.refresh_from_db()
    assert (thin.incomplete_at, fuller.incomplete_at) == (now, None)


@pytest.mark.parametrize(("task_below", "marked"), [(0, False), (50, False), (51, True), (100, True)])
def test_the_line_is_the_admins(
    standard: PackageStandard, now: datetime, task_below: int, marked: bool
) -> None:
    PackageStandard.objects.update(task_below=task_below)

    handoff = offer(ready_lead(now=now, phone=""), now=now)

    assert (handoff.incomplete_at is not None) is marked


def test_without_a_standard_nothing_is_missing(pool: Pool, now: datetime) -> None:
    PackageStandard.objects.all().delete()

    handoff = offer(ready_lead(now=now), now=now)

    assert (handoff.package.completeness, handoff.package.missing) == (100, [])
    assert handoff.incomplete_at is None


def test_an_address_is_no_name(standard: PackageStandard, marketing: User, now: datetime) -> None:
    lead = Lead.objects.create(email="x@mail.example", created_at=now)

    package = hand_off_by_hand(lead, by=marketing, reason="They called", now=now).package

    assert package.content["contact"]["name"] == "x@mail.example"
    assert "name" in package.missing


def test_the_rate_counts_the_handoffs_since_a_moment(standard: PackageStandard, now: datetime) -> None:
    offer(ready_lead(now=now, phone=""), now=now - timedelta(days=40))
    offer(ready_lead(now=now, phone=""), now=now)
    offer(ready_lead(now=now), now=now)
    offer(ready_lead(now=now, budget="40k"), now=now)

    rate = measure_completeness_rate(now - timedelta(days=30))

    assert (rate.packages, rate.complete, rate.average) == (3, 1, 75.0)
    assert rate.share == pytest.approx(100 / 3)
    assert rate.missing == (("Budget", 2), ("Phone", 1))


def test_without_handoffs_there_is_no_rate(db: None, now: datetime) -> None:
    rate = measure_completeness_rate(now)

    assert rate == CompletenessRate(packages=0, complete=0, average=None, missing=())
    assert rate.share is None
