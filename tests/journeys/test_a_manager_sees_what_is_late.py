"""A demo request nobody answered the same day: the manager sees it, whose it is, and names the cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from sla.models import Clock
from sla.sweep import sweep_clocks
from tests.journeys.conftest import Portal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_breach_is_listed_with_its_owner_and_can_be_reviewed(
    portal: Portal, bdr: User, manager: User, sign_in: Callable[[User], Page]
) -> None:
    portal.ask_for_a_demo("Ingrid Halvorsen", at=timezone.now() - timedelta(days=8))
    portal.ask_for_a_demo("Tobias Keller")
    sweep_clocks(now=timezone.now())
    page = sign_in(manager)

    expect(page).to_have_url(f"{portal.url}/sla/")
    late = page.get_by_role("row").filter(has_text="Ingrid Halvorsen").first
    expect(late).to_contain_text("Mara Lind")
    expect(late).to_contain_text("late")

    page.goto(f"{portal.url}/sla/breaches/")
    expect(page.get_by_role("row").filter(has_text="Ingrid Halvorsen").first).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Tobias Keller")).to_have_count(0)

    clock = Clock.objects.breached().order_by("pk").first()
    assert clock is not None
    page.goto(f"{portal.url}/sla/breaches/{clock.pk}/")
    page.get_by_role("radio", name="Capacity").check()
    page.get_by_role("textbox").fill("Webinar week.")
    page.get_by_role("button", name="Save the review").click()
    expect(page.get_by_text("Webinar week.").first).to_be_visible()
    clock.refresh_from_db()
    assert clock.cause == Clock.Cause.CAPACITY
    assert clock.reviewed_by == manager
