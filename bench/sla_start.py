"""sla.start: starting the clocks of one handoff under the `hybrid` preset, as handing it off does.

Policies are matched, the version pinned, due times and warnings worked out in the owner's hours, with public
holidays and a vacation, and clocks and log written. The reference writes the same rows of clocks by one bare
INSERT. Both within a transaction that is open already, as the one of the hand-off is: its commit counts to
neither.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Absence, Team, User
from bench.figures import Figure, percentile
from bench.population import populate
from leads.models import Lead
from protocol.service_levels import HYBRID
from sla.conditions import HandoffFacts
from sla.models import Calendar, Clock
from sla.presets import load_sla_preset
from sla.services import start_clocks

TARGET_MS = 3.0
SAMPLE = 1_000
WARM_UP = 100


def measure(database_url: str) -> Figure:
    now = timezone.now()
    load_sla_preset(HYBRID, by=None, now=now)
    populate(leads=SAMPLE + WARM_UP, activities_per_lead=0)
    owner = _hire(now)
    started, bare, clocks = _milliseconds(list(Lead.objects.order_by("pk")), owner, now=now)
    p95, reference = percentile(started, 95), percentile(bare, 95)
    return Figure(
        name="sla.start",
        value=round(p95, 3),
        unit="ms (p95)",
        reference=round(reference, 3),
        ratio=round(p95 / reference, 2),
        target=f"< {TARGET_MS:g} ms",
        holds=p95 < TARGET_MS,
        detail={
            "handoffs": len(started),
            "clocks_each": clocks,
            "p50_ms": round(percentile(started, 50), 3),
            "reference_p50_ms": round(percentile(bare, 50), 3),
            "reference_is": "the same rows of clocks by one bare INSERT, p95 in ms",
        },
    )


def _hire(now: datetime) -> User:
    """A rep in Bavaria who will be away, so that neither holidays nor absences come for nothing."""
    Calendar.objects.update(time_zone="Europe/Berlin", holiday_country="DE", holiday_subdivision="BY")
    team = Team.objects.create(name="Bench")
    rep = User.objects.create_user("bench-rep", password=None, role=User.Role.BDR, team=team)
    away_from = now + timedelta(days=30)
    Absence.objects.create(user=rep, starts_at=away_from, ends_at=away_from + timedelta(days=14))
    return rep


def _milliseconds(leads: list[Lead], owner: User, *, now: datetime) -> tuple[list[float], list[float], int]:
    """What each start and each bare INSERT took, one after the other; and how many clocks that was each."""
    started, bare, clocks = [], [], 0
    for number, lead in enumerate(leads, start=1):
        facts = HandoffFacts(number, "ABC"[number % 3], "accumulated", lead.source, is_instant_mql=False)
        with transaction.atomic():
            began = time.perf_counter()
            clocks = len(start_clocks(lead, facts, owner=owner, team=owner.team, now=now))
            between = time.perf_counter()
        columns, rows = _rows_of(number)
        with transaction.atomic(), connection.cursor() as cursor:
            sql, values = _insert(columns, rows, handoff_id=len(leads) + number)
            inserting = time.perf_counter()
            cursor.execute(sql, values)
            inserted = time.perf_counter()
        if number > WARM_UP:
            started.append((between - began) * 1000)
            bare.append((inserted - inserting) * 1000)
    return started, bare, clocks


def _rows_of(handoff_id: int) -> tuple[list[str], list[dict[str, Any]]]:
    columns = [field.attname for field in Clock._meta.concrete_fields if not field.primary_key]
    return columns, list(Clock.objects.filter(handoff_id=handoff_id).order_by("pk").values(*columns))


def _insert(columns: list[str], rows: list[dict[str, Any]], *, handoff_id: int) -> tuple[str, list[Any]]:
    one = f"({', '.join(['%s'] * len(columns))})"
    values = [value for row in rows for value in (row | {"handoff_id": handoff_id}).values()]
    sql = f'INSERT INTO "{Clock._meta.db_table}" ({", ".join(columns)}) VALUES {", ".join([one] * len(rows))}'
    return sql, values
