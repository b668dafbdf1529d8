"""How our session with the org fares, and what to do when it fails as a whole."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import F
from django.urls import reverse

from accounts.models import User
from crm.client import SalesforceClient
from crm.models import Connection
from crm.problems import Problem, Remedy
from notifications.models import Notification
from notifications.services import notify_users

log = structlog.get_logger("salesforce")

# A spent allocation is refilled over a rolling day, wrong credentials wait for a person: probe seldom.
PROBE_AFTER = {
    Remedy.QUOTA: timedelta(minutes=15),
    Remedy.AUTH: timedelta(minutes=5),
    Remedy.CONFIG: timedelta(minutes=5),
}
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


def connection_state() -> Connection:
    """The one row."""
    return Connection.objects.get_or_create(singleton=True)[0]


def is_paused(now: datetime) -> bool:
    return Connection.objects.filter(paused_until__gt=now).exists()


def record_contact(client: SalesforceClient, *, now: datetime, pushed: bool = False) -> None:
    """Salesforce answered: end any pause, and note what it said about our allocation."""
    state = connection_state()
    changes: dict[str, Any] = {"paused_until": None, "failures": 0, "error_code": "", "error": ""}
    if pushed:
        changes["last_pushed_at"] = now
    Connection.objects.filter(pk=state.pk).update(**changes, **_usage(client, now=now))


def _usage(client: SalesforceClient, *, now: datetime) -> dict[str, Any]:
    """What the client's last answer said about the allocation, as columns."""
    usage = client.usage
    if usage is None:
        return {}
    return {
        "calls_used": usage.used,
        "calls_allowed": usage.allowed,
        "app_calls_used": usage.app_used,
        "app_calls_allowed": usage.app_allowed,
        "usage_at": now,
    }


def pause_connection(problem: Problem, *, now: datetime) -> None:
    """Keep everything waiting for a while: the failure was no record's own fault."""
    state = connection_state()
    pause = PROBE_AFTER.get(problem.remedy) or back_off(
        state.failures + 1, first=FIRST_PAUSE, longest=LONGEST_PAUSE
    )
    Connection.objects.filter(pk=state.pk).update(
        paused_until=now + pause,
        failures=F("failures") + 1,
        failed_at=now,
        error_code=problem.code[:80],
        error=problem.in_plain_words[:600],
    )
    log.warning("salesforce.paused", code=problem.code, seconds=round(pause.total_seconds()))
    if problem.remedy is not Remedy.RETRY:
        tell_operators(problem, title="Salesforce: nothing goes through", now=now)


def back_off(failures: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """The wait before the next try: twice as long each time, and never quite the same, so that what failed
    together does not come back together."""
    doublings = min(failures, 20) - 1
    return min(first * (1 << doublings), longest) * random.uniform(0.5, 1)


def tell_operators(problem: Problem, *, title: str, now: datetime) -> None:
    """Tell every operator, once a day and cause."""
    notify_users(
        User.objects.filter(role=User.Role.OPERATOR, is_active=True),
        kind=Notification.Kind.CRM,
        dedupe_key=f"crm-{problem.code}-{now:%Y-%m-%d}",
        title=title,
        body=problem.in_plain_words,
        url=reverse("crm:overview"),
        now=now,
    )
