"""How our session with the org fares, and what to do when it fails as a whole."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.urls import reverse

from accounts.models import User
from common.errors import DomainError, InvalidInput
from crm.budget import record_usage
from crm.client import ROWS_PER_CALL, SalesforceClient, connected_client, is_set_by_environment
from crm.credentials import clean_audience, clean_line, clean_org_address, clean_private_key
from crm.ids import full_id
from crm.models import Connection
from crm.problems import Problem, Remedy, sort_problem
from notifications.models import Notification
from notifications.sealing import CannotUnseal, reseal, seal
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
# Far beyond it, sending by 200 would take hours of calls.
MOST_BY_COLLECTIONS = 1_000_000

NOT_PAUSED = {"paused_until": None, "failures": 0, "error_code": "", "error": ""}
NO_USAGE = {
    "calls_used": None,
    "calls_allowed": None,
    "app_calls_used": None,
    "app_calls_allowed": None,
    "usage_at": None,
}


class SetByEnvironment(DomainError):
    """The settings of the server say how to sign in."""

    def __init__(self) -> None:
        super().__init__(
            "How to sign in is set on the server, by SALESFORCE_URL and its like. Remove them there to enter "
            "it here."
        )


@transaction.atomic
def save_connection(
    *,
    url: str,
    login: Connection.Login,
    client_id: str,
    secret: str,
    by: User,
    now: datetime,
    username: str = "",
    audience: str = "https://login.salesforce.com",
) -> Connection:
    """Enter how to sign in; the secret is kept sealed. Every process uses it from its next call on.

    `secret` is the client secret, or the private key in PEM. Blank keeps the present one, as long as nothing
    else changes: a secret entered for one place is never sent to another. Raises InvalidInput,
    SetByEnvironment.
    """
    if is_set_by_environment():
        raise SetByEnvironment
    is_jwt = login == Connection.Login.JWT_BEARER
    wanted = {
        "url": clean_org_address(url),
        "login": login,
        "client_id": clean_line(client_id, field="client_id", label="consumer key of the app", longest=255),
        "username": clean_line(username, field="username", label="user name there", longest=80)
        if is_jwt
        else "",
        "audience": clean_audience(audience) if is_jwt else "https://login.salesforce.com",
    }
    state = Connection.objects.select_for_update().get(pk=connection_state().pk)
    is_same = all(getattr(state, name) == value for name, value in wanted.items())
    if secret.strip():
        sealed = seal(clean_private_key(secret) if is_jwt else _clean_secret(secret))
    elif is_same and state.sealed_secret is not None:
        sealed = bytes(state.sealed_secret)
    else:
        raise InvalidInput(f"Enter the {'private key' if is_jwt else 'consumer secret'}.", field="secret")
    changes = {**wanted, "sealed_secret": sealed, "changed_at": now, "changed_by": by, **NOT_PAUSED}
    if state.url != wanted["url"]:
        changes |= NO_USAGE
    _save(state, changes)
    log.info("salesforce.connection_saved", by=by.pk, login=login)
    return state


def reseal_connection() -> int:
    """Seal the secret with the first of the keys, so that the others can go; 0 when there is none.

    Raises CannotUnseal.
    """
    state = Connection.objects.filter(sealed_secret__isnull=False).first()
    if state is None or state.sealed_secret is None:
        return 0
    sealed = bytes(state.sealed_secret)
    # Unless somebody enters another one meanwhile, which is sealed with the first key already.
    return Connection.objects.filter(sealed_secret=sealed).update(sealed_secret=reseal(sealed))


@transaction.atomic
def save_allowance(
    *,
    daily_share: int,
    kept_for_handoffs: int,
    bulk_from: int,
    fallback_queue_id: str,
    by: User,
) -> Connection:
    """Say what of the org the portal may use. Raises InvalidInput."""
    for field, value in (("daily_share", daily_share), ("kept_for_handoffs", kept_for_handoffs)):
        least = 1 if field == "daily_share" else 0
        if not least <= value <= 100:
            raise InvalidInput(f"Enter a share from {least} to 100 per cent.", field=field)
    if not ROWS_PER_CALL <= bulk_from <= MOST_BY_COLLECTIONS:
        raise InvalidInput(
            f"Enter a number from {ROWS_PER_CALL} to {MOST_BY_COLLECTIONS:,}.", field="bulk_from"
        )
    queue_id = full_id(fallback_queue_id.strip())
    if queue_id and not re.fullmatch(r"00G[A-Za-z0-9]{15}", queue_id):
        raise InvalidInput("Enter the id of a queue; it begins with 00G.", field="fallback_queue_id")
    state = connection_state()
    values = {
        "daily_share": daily_share,
        "kept_for_handoffs": kept_for_handoffs,
        "bulk_from": bulk_from,
        "fallback_queue_id": queue_id,
    }
    _save(state, values)
    log.info("salesforce.allowance_saved", by=by.pk)
    return state


def _clean_secret(text: str) -> str:
    return clean_line(text, field="secret", label="consumer secret", longest=255)


def _save(state: Connection, changes: Mapping[str, Any]) -> None:
    for name, value in changes.items():
        setattr(state, name, value)
    state.save(update_fields=list(changes))


def client_for_work(*, now: datetime) -> SalesforceClient | None:
    """The client of a background task; None when no org is connected. A secret that can no longer be opened
    pauses the connection: work waits, and the operators are told."""
    try:
        return connected_client()
    except CannotUnseal:
        if not is_paused(now):
            pause_connection(sort_problem("SECRET_LOST", "The key was changed."), now=now)
        return None


def connection_state() -> Connection:
    """The one row."""
    return Connection.objects.get_or_create(singleton=True)[0]


def is_paused(now: datetime) -> bool:
    return Connection.objects.filter(paused_until__gt=now).exists()


def record_contact(client: SalesforceClient, *, now: datetime, pushed: bool = False) -> None:
    """Salesforce answered: end any pause, and note what it said about our allocation."""
    changes: dict[str, Any] = {**NOT_PAUSED}
    if pushed:
        changes["last_pushed_at"] = now
    Connection.objects.filter(pk=connection_state().pk).update(**changes)
    record_usage(client, now=now)


def pause_connection(problem: Problem, *, now: datetime, client: SalesforceClient | None = None) -> None:
    """Keep everything waiting for a while: the failure was no record's own fault. A refusal tells how the
    allocation stands, too: that of `client` is noted."""
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
    if client is not None:
        record_usage(client, now=now)
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
