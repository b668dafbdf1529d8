"""Changes on both sides for a while, with everything going wrong that may: in the end both sides agree
(CRM-1 to CRM-5, CRM-9).

What is changed, broken and killed is drawn from a seed, which a failure names; how the processes interleave
is the machine's. A longer run: SOAK_ROUNDS=400 SOAK_SEED=7 pytest tests/soak -n0 --timeout=0
"""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid5

import pytest
from django.apps import apps

from crm.models import BulkJob, FieldMapping, LeadChange, LeadSync, Reconciliation, StatusMapping
from crm.parked import retry_all
from crm.standin.schema import LEAD, TASK
from handoffs.models import Attempt, Handoff
from leads.models import Lead
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, seed_mapping, seed_statuses
from tests.factories import NOON
from tests.soak.clock import SharedClock
from tests.soak.workers import Nursery
from tests.soak.world import LEAD_KEY, TASK_KEY, World

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.xdist_group("processes"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(600),
]

LEADS = int(os.environ.get("SOAK_LEADS", "2000"))
ROUNDS = int(os.environ.get("SOAK_ROUNDS", "20"))
SEED = int(os.environ.get("SOAK_SEED", "0")) or secrets.randbelow(10**6) + 1

PUSH, PULL, BULK = "push_stale_leads_task", "pull_changes_task", "carry_bulk_jobs_task"
CREWS = ([PUSH], [PUSH, PUSH], [PUSH, PULL], [PULL], [PUSH, BULK], [BULK, PULL], [PUSH, PULL, BULK])
SENDS = {PUSH, BULK}
# Changes on both sides, in each round: with no worker about, and with some at work.
ACTS_BEFORE, ACTS_MEANWHILE = 4, 4


class Soak:
    """The world, and the workers between its two sides."""

    def __init__(self, world: World, nursery: Nursery) -> None:
        self.world, self.nursery = world, nursery
        self.chance = random.Random(SEED)

    def stir(self, rounds: int) -> None:
        for number in range(rounds):
            self.world.clock.forward(seconds=self.chance.choice((1, 2, 5, 10, 20, 40, 90)))
            if number in (rounds // 3, 2 * rounds // 3):
                self.world.change_all_here(share=0.3)
            for _ in range(ACTS_BEFORE):
                self._change()
            self._work(self.chance.choice(CREWS))

    def _change(self) -> None:
        self.world.change_here()
        is_being_sent = bool(SENDS & set(self.nursery.running.values()))
        for _ in range(3):
            self.world.change_there(is_being_sent=is_being_sent)

    def _work(self, crew: list[str]) -> None:
        """Let workers run while both sides go on changing; one of them, or Salesforce, may go down."""
        doomed = self.chance.choice(crew) if self.chance.random() < 0.3 else None
        kill_after = self.chance.uniform(0.02, 0.5)
        restart_at = self.chance.randrange(12 * ACTS_MEANWHILE)
        began = time.monotonic()
        pids = {self.nursery.start(task): task for task in crew}
        acts = 0
        while not self.nursery.wait_for_one(0.01) or acts < ACTS_MEANWHILE:
            if doomed is not None and time.monotonic() >= began + kill_after:
                self.nursery.kill(next(pid for pid, task in pids.items() if task == doomed))
                doomed = None
            if acts == restart_at:
                self.world.restart()
            if acts < ACTS_MEANWHILE:
                self._change()
                acts += 1

    def settle(self) -> None:
        """Calm, until nothing is left to do."""
        self.world.calm()
        for _ in range(40):
            # Past any pause, back-off, lease and overlap.
            self.world.clock.forward(minutes=61)
            for task in (PULL, BULK, PUSH, BULK, PUSH):
                self.world.clock.forward(seconds=30)
                self.nursery.run(task)
                self._let_jobs_be_done()
            if self._is_quiet():
                self.nursery.run(PULL)
                if self._is_quiet():
                    return
        raise AssertionError("It does not come to rest.")

    def send_parked_again(self) -> None:
        """As an operator does, once the cause is gone. What was deleted there stays deleted."""
        codes = set(LeadSync.objects.parked().values_list("error_code", flat=True))
        for code in sorted(codes - {"ENTITY_IS_DELETED"}):
            retry_all(code, by=self.world.manager, now=self.world.clock())

    def _let_jobs_be_done(self) -> None:
        self.world.standin.ingest.runner.finish()

    def _is_quiet(self) -> bool:
        waiting = LeadSync.objects.stale().filter(parked_at=None)
        jobs = BulkJob.objects.filter(look_at__isnull=False)
        return not any(
            each.exists() for each in (LeadChange.objects.all(), waiting, LeadSync.objects.in_flight(), jobs)
        )


def seed_emptied_tables() -> None:
    """What migrations wrote, where a test with real transactions has emptied every table before."""
    if not StatusMapping.objects.exists():
        seed_statuses(apps, None)
    if not FieldMapping.objects.exists():
        seed_mapping(apps, None)


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    seed_emptied_tables()
    clock = SharedClock(tmp_path / "clock", start=NOON)
    world = World(seed=SEED, leads=LEADS, clock=clock, state=tmp_path / "org.sqlite3")
    environment = {
        "SALESFORCE_URL": world.standin.base_url,
        "SALESFORCE_CLIENT_ID": CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
        "SALESFORCE_TIMEOUT_SECONDS": "10",
    }
    try:
        with Nursery(tmp_path / "clock", tmp_path / "workers.log", environment) as nursery:
            yield Soak(world, nursery)
    finally:
        world.close()


def test_both_sides_agree_in_the_end_whatever_happened(soak: Soak) -> None:
    print(f"SOAK_SEED={SEED} SOAK_ROUNDS={ROUNDS} SOAK_LEADS={LEADS}")
    soak.world.let_faults_strike()
    soak.stir(ROUNDS)
    struck = soak.world.board.struck / soak.world.board.calls
    soak.settle()
    parked = list(LeadSync.objects.parked())
    soak.send_parked_again()
    soak.settle()
    print(f"{soak.world.board.calls} calls, {struck:.0%} struck; killed: {soak.nursery.killed}")
    print(dict(soak.world.done), dict(Counter(sync.error_code for sync in parked)))

    assert 0.1 < struck < 0.35
    assert soak.nursery.killed
    assert soak.nursery.failed == [], soak.nursery.log.read_text()[-4000:]
    assert [sync.pk for sync in parked if not sync.error_code or not sync.error.endswith(".")] == []
    wrong = [*contradictions(soak.world), *doubles(soak.world), *lost(soak.world), *drift(soak)]
    assert not wrong, "\n".join(wrong)


def contradictions(world: World) -> list[str]:
    """Where the two sides differ, or say something else than the rules do."""
    found = []
    syncs = LeadSync.objects.in_bulk()
    statuses = dict(StatusMapping.objects.values_list("stage", "status"))
    for lead in Lead.objects.exclude(pk__in=world.gone).order_by("pk"):
        sync, record = syncs[lead.pk], world.record_of(lead.pk)
        if record is None:
            found.append(f"{lead.public_id} is not there: {sync.error}")
            continue
        here, there = world.both_sides(lead, record)
        found += world.oracle.contradictions(str(lead.public_id), here=here, there=there)
        told = {
            "Portal_Stage__c": lead.stage,
            "Email": lead.email,
            "Portal_Campaign__c": lead.campaign or None,
        }
        found += [f"{lead.public_id} {name}: {record[name]}" for name in told if record[name] != told[name]]
        # A status that somebody set there stays until the stage moves on; and the portal knows of it.
        by_people = world.statuses_set.get(lead.pk, set())
        if record["Status"] not in {statuses[lead.stage], *by_people}:
            found.append(f"{lead.public_id} status: {record['Status']}, stage {lead.stage}")
        if sync.remote_status != record["Status"]:
            found.append(f"{lead.public_id} status: {record['Status']}, known as {sync.remote_status}")
    return found


def doubles(world: World) -> list[str]:
    """Keys that two live records carry."""
    found = []
    for sobject, key in ((LEAD, LEAD_KEY), (TASK, TASK_KEY)):
        times = Counter(record[key] for record in world.standin.store.all(sobject.name))
        found += [f"{sobject.name} {value}" for value, number in times.items() if number > 1]
    return found


def lost(world: World) -> list[str]:
    """What did not arrive, or was not taken notice of."""
    tasks = {record[TASK_KEY] for record in world.standin.store.all(TASK.name)}
    deleted = [pk for pk, what in world.gone.items() if what == "deleted"]
    handoffs = Handoff.objects.exclude(lead__in=deleted)
    attempts = Attempt.objects.filter(handoff__in=handoffs).select_related("handoff")
    wanted = {str(handoff.public_id) for handoff in handoffs}
    wanted |= {str(uuid5(attempt.handoff.public_id, str(attempt.pk))) for attempt in attempts}
    found = [f"Task {key}" for key in wanted - tasks]
    syncs = LeadSync.objects.in_bulk(world.gone)
    noticed = {"converted": "is_converted", "merged": "master_id", "deleted": "removed_at"}
    found += [f"{pk} {what}" for pk, what in world.gone.items() if not getattr(syncs[pk], noticed[what])]
    parked = LeadSync.objects.parked().exclude(pk__in=deleted)
    found += [f"{sync.pk} is parked still: {sync.error_code} {sync.error}" for sync in parked]
    return found


def drift(soak: Soak) -> list[str]:
    """What the weekly comparison finds that nothing explains."""
    soak.nursery.run("begin_weekly_comparison_task")
    run = Reconciliation.objects.get()
    while run.finished_at is None and run.parked_at is None:
        soak.world.clock.forward(seconds=30)
        soak.nursery.run("compare_both_sides_task")
        run.refresh_from_db()
    left = [
        f"{each.lead_id} {each}: {each.ours} {each.theirs} {each.explanation}" for each in run.drifts.all()
    ]
    return [*left, *filter(None, [run.error])]
