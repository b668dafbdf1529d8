"""sla.ladder: from a deadline to the first step of its ladder being taken, with the real worker.

Handoffs whose offers fall due one after the other, a few a second, while a worker does everything that the
schedule holds. The step is the reminder of the `hybrid` preset's kind: due at the deadline itself. Two sweeps
have to come by, the one that records the breach and the one that takes the step; how often they do is the
schedule's, and that is what limits it. The reference is the longest that the schedule alone lets it take.
"""

from __future__ import annotations

import io
import os
import time
from datetime import datetime, timedelta

from django.core.management import call_command
from django.utils import timezone

from accounts.models import Team, User
from bench.figures import Figure, percentile
from bench.installation import worker
from bench.population import populate
from handoff_portal.schedule import SCHEDULE
from handoffs.models import Handoff, Pool
from leads.models import Lead
from sla.models import Clock, Escalation, EscalationStep, Policy, PolicyVersion, Target
from sla.versions import keep_version

TARGET_P99_SECONDS = 60
STARTS_WITHIN = timedelta(seconds=30)  # the worker is up by then
SPREAD = timedelta(seconds=120)
PATIENCE = timedelta(seconds=120)
SWEEPS = ("sla-sweep", "handoffs-escalate")


def measure(database_url: str) -> Figure:
    number = int(os.environ.get("BENCH_LADDERS") or 1_000)
    populate(leads=number, activities_per_lead=0)
    call_command("sync_schedule", stdout=io.StringIO())
    begin = timezone.now() + STARTS_WITHIN
    _offer(list(Lead.objects.order_by("pk")[:number]), begin=begin)
    with worker():
        _wait_for(number, until=begin + SPREAD + PATIENCE)
    late = [
        (step.at - step.clock.due_at).total_seconds()
        for step in Escalation.objects.filter(position=0).select_related("clock")
    ]
    if not late:
        raise RuntimeError("No step was taken: does the worker run?")
    p99, rhythm = percentile(late, 99), _rhythm().total_seconds()
    return Figure(
        name="sla.ladder",
        value=round(p99, 1),
        unit="s p99",
        reference=rhythm,
        ratio=round(p99 / rhythm, 2),
        target=f"< {TARGET_P99_SECONDS} s",
        holds=len(late) == number and p99 < TARGET_P99_SECONDS,
        detail={
            "handoffs": number,
            "taken": len(late),
            "p50_s": round(percentile(late, 50), 1),
            "max_s": round(max(late), 1),
            "cores": os.cpu_count(),
            "reference_is": "the rhythms of the two sweeps together, in s: what limits it",
        },
    )


def _rhythm() -> timedelta:
    return sum((entry.every for entry in SCHEDULE if entry.name in SWEEPS and entry.every), timedelta())


def _offer(leads: list[Lead], *, begin: datetime) -> None:
    """Offers to one rep, of which one after the other is not opened in time."""
    team = Team.objects.create(name="Bench")
    rep = User.objects.create_user("rep", password=None, role=User.Role.BDR, team=team)
    pool = Pool.objects.create(name="Bench", team=team)
    version = _ladder(now=timezone.now())
    handoffs = Handoff.objects.bulk_create(
        Handoff(
            lead=lead,
            owner=rep,
            pool=pool,
            trigger=Handoff.Trigger.THRESHOLD,
            score=60,
            category="B",
            warmth="accumulated",
            created_at=begin - timedelta(hours=1),
            offered_at=begin - timedelta(hours=1),
        )
        for lead in leads
    )
    Clock.objects.bulk_create(
        Clock(
            lead_id=handoff.lead_id,
            handoff_id=handoff.pk,
            kind=Target.Kind.OPENED,
            owner=rep,
            team=team,
            policy_name=version.policy.name,
            policy_version=version,
            mode=Target.Mode.WALL,
            minutes=60,
            started_at=begin - timedelta(hours=1),
            due_at=begin + SPREAD * number / len(handoffs),
        )
        for number, handoff in enumerate(handoffs)
    )


def _ladder(*, now: datetime) -> PolicyVersion:
    """A reminder at once, whatever the hour it is measured at."""
    policy = Policy.objects.create(name="Bench")
    EscalationStep.objects.create(
        policy=policy, action=EscalationStep.Action.REMIND, waits_for_receiver=False
    )
    return keep_version(policy, by=None, now=now)


def _wait_for(number: int, *, until: datetime) -> None:
    while timezone.now() < until and Escalation.objects.filter(position=0).count() < number:
        time.sleep(1)  # leaves the cores to the worker
