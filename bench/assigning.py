"""handoff.assign: leads that wait in an overflow queue, given to reps as capacity frees.

10,000 handoffs wait in a pool of 20 reps with weekly capacities, most of them with a territory; each lead's
company is the account of one of the reps. One process assigns them all as the sweep does: territory,
capacity, account owner and turns are looked at for each, and each gets its routing decision with every
candidate and reason, its owner, its restarted clocks, its log entries and the message to the rep. All of it
is counted afterwards.

The reference is the least that an assigner does who takes leads one by one: set the owner of one lead, insert
one bare log entry, commit; with psycopg, without looking at anything.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import psycopg
from django.db import connection, models
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from bench.figures import Figure
from bench.population import LEADS_PER_COMPANY, populate
from handoffs.models import Handoff, Pool, PoolMembership, RoutingDecision
from handoffs.routing.overflow import assign_overflow
from handoffs.services import hand_off
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from scoring.services import score_lead
from sla.models import Clock

TARGET_PER_SECOND = 1_000
REPS = 20
# Roomy enough for all, and tight enough that some reps fill up before the end.
CAPACITY_OVER_SHARE = 1.4
TERRITORIES: tuple[list[str], ...] = ([], ["Germany"], ["France"], ["United Kingdom"])

Row = TypeVar("Row", bound=models.Model)


def measure(database_url: str) -> Figure:
    waiting = int(os.environ.get("BENCH_ASSIGN_LEADS") or 10_000)
    now = timezone.now()
    pool = Pool.objects.get()
    populate(leads=waiting + waiting // (LEADS_PER_COMPANY - 1) + LEADS_PER_COMPANY, activities_per_lead=1)
    _queue_up(pool, waiting, now=now - timedelta(minutes=5))
    reps = _open_the_desk(pool, waiting)
    _own_accounts(pool, reps, now=now - timedelta(days=40))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    # What a worker has long loaded: the pages, whose addresses the messages carry.
    reverse("handoffs:queue")
    before = _count()
    started, cpu = time.perf_counter(), time.process_time()
    assigned = assign_overflow(pool, now=now)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    written = _count() - before
    _check(assigned, waiting, written)
    value, reference = assigned / seconds, _bare_assignments_per_second(database_url, waiting // 5)
    return Figure(
        name="handoff.assign",
        value=round(value, 1),
        unit="leads/s",
        reference=round(reference, 1),
        ratio=round(value / reference, 3),
        target=f">= {TARGET_PER_SECOND}/s",
        holds=value >= TARGET_PER_SECOND,
        detail={
            "leads": assigned,
            "reps": REPS,
            "python_seconds": round(cpu, 2),
            "rows_written": dict(written),
            "by_strategy": _strategies(),
            "cores": os.cpu_count(),
            "reference_is": "owner set and one log row inserted, committed lead by lead, per second",
        },
    )


def _queue_up(pool: Pool, number: int, *, now: datetime) -> None:
    """Leads that found nobody. One is handed off in earnest; the others get copies of what that wrote."""
    leads = [lead for lead in Lead.objects.order_by("pk") if lead.pk % LEADS_PER_COMPANY][:number]
    score = score_lead(leads[0], now=now)
    if score is None:
        raise RuntimeError("The preset has no active scoring model.")
    first = hand_off(leads[0], score, trigger=Handoff.Trigger.MANUAL, now=now)
    clocks = list(Clock.objects.filter(handoff_id=first.pk))
    copies = _insert(_copy_of(first, public_id=uuid.uuid4(), lead_id=lead.pk) for lead in leads[1:])
    _insert(_copy_of(first.package, handoff_id=copy.pk) for copy in copies)
    _insert(_copy_of(clock, lead_id=copy.lead_id, handoff_id=copy.pk) for copy in copies for clock in clocks)


def _open_the_desk(pool: Pool, waiting: int) -> list[User]:
    """Reps with territories and capacities, none of whom has had a lead of this pool."""
    reps = User.objects.bulk_create(
        User(username=f"rep{n}", first_name="Rep", last_name=f"No{n}", role=User.Role.BDR)
        for n in range(REPS)
    )
    capacity = int(CAPACITY_OVER_SHARE * waiting / REPS)
    PoolMembership.objects.bulk_create(
        PoolMembership(
            pool=pool,
            user=rep,
            weekly_capacity=capacity,
            max_open=capacity,
            countries=TERRITORIES[number % len(TERRITORIES)],
        )
        for number, rep in enumerate(reps)
    )
    return reps


def _own_accounts(pool: Pool, reps: list[User], *, now: datetime) -> None:
    """Of each company one lead was won long ago, by the reps in turn."""
    others = [lead for lead in Lead.objects.order_by("pk") if lead.pk % LEADS_PER_COMPANY == 0]
    _insert(
        Handoff(
            lead=lead,
            pool=pool,
            owner=owner,
            status=Handoff.Status.WON,
            trigger=Handoff.Trigger.MANUAL,
            score=60,
            category="A",
            warmth="hand_raiser",
            created_at=now,
            offered_at=now,
            closed_at=now + timedelta(days=9),
        )
        for lead, owner in zip(others, itertools.cycle(reps), strict=False)
    )


def _copy_of(row: Row, **changes: object) -> Row:
    """A new row with the same values, but for its key and what is given."""
    fields = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    if row._meta.auto_field:
        del fields[row._meta.auto_field.attname]
    return type(row)(**fields | changes)


def _insert(rows: Iterable[Row]) -> list[Row]:
    rows = list(rows)
    inserted: list[Row] = type(rows[0])._default_manager.bulk_create(rows, batch_size=1_000)
    return inserted


# --- What was done ------------------------------------------------------------------------------

WRITTEN: tuple[type[models.Model], ...] = (RoutingDecision, LeadEvent, Clock, Notification)


def _count() -> Counter[str]:
    return Counter({model.__name__: model._default_manager.count() for model in WRITTEN})


def _check(assigned: int, waiting: int, written: Counter[str]) -> None:
    """Nothing may be missing: a decision, a message, two log entries and new clocks for each lead."""
    wanted = {"RoutingDecision": waiting, "Notification": waiting, "LeadEvent": 2 * waiting}
    if assigned != waiting or any(written[name] != number for name, number in wanted.items()):
        raise RuntimeError(f"Assigned {assigned} of {waiting}, and wrote {dict(written)}.")
    if Clock.objects.running().filter(owner=None).exists():
        raise RuntimeError("A clock has no owner although its handoff has.")


def _strategies() -> dict[str, int]:
    decisions = RoutingDecision.objects.filter(chosen__isnull=False).order_by()
    return dict(decisions.values_list("strategy").annotate(models.Count("pk")))


def _bare_assignments_per_second(database_url: str, number: int) -> float:
    with psycopg.connect(database_url) as bare:
        owner = bare.execute("SELECT max(id) FROM accounts_user").fetchone()
        leads = bare.execute("SELECT id FROM leads_lead LIMIT %s", [number]).fetchall()
        bare.commit()
        started = time.perf_counter()
        for (lead_id,) in leads:
            bare.execute("UPDATE leads_lead SET owner_id = %s WHERE id = %s", [*(owner or ()), lead_id])
            bare.execute(
                "INSERT INTO leads_leadevent (lead_id, kind, at, detail) VALUES (%s, 'assigned', now(), %s)",
                [lead_id, "{}"],
            )
            bare.commit()
        return len(leads) / (time.perf_counter() - started)
