"""crm.latency: from a rep's acceptance to its being in Salesforce, with a worker and its schedule.

One acceptance after the other, at any moment of the schedule's beat, among leads that Salesforce knows. The
reference is the bare call: one PATCH of the same record to the same stand-in.
"""

from __future__ import annotations

import os
import random
import time

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from bench.figures import Figure, percentile
from bench.handoff_population import grow
from bench.installation import worker
from crm.client import SalesforceClient, connected_client
from crm.mapping import LEAD_KEY
from crm.models import LeadSync
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from leads.models import Lead

# Fewer than travel in bulk; of the handoffs offered some wait in overflow, the others have an owner.
LEADS = 1_900
PEOPLE = 30
TARGET_P95_SECONDS = 2.0
PATIENCE_SECONDS = 300.0
LOOK_EVERY_SECONDS = 0.01
BEAT_SECONDS = 1.0


def measure(database_url: str) -> Figure:
    people = int(os.environ.get("BENCH_PEOPLE") or PEOPLE)
    leads = int(os.environ.get("BENCH_LEADS") or LEADS)
    with StandIn(client_id="bench", client_secret="bench", daily_limit=1_000_000) as standin:
        client = _connect(standin)
        grow(from_leads=0, to_leads=leads, handoff_every=1)
        offered = _offers(people)
        call_command("sync_schedule")
        with worker():
            _wait_until_all_is_sent(leads)
            took = [_accept(handoff, standin) for handoff in offered]
        bare = [_seconds_of_a_call(client, handoff) for handoff in offered]
    p95, reference = percentile(took, 95), percentile(bare, 95)
    return Figure(
        name="crm.latency",
        value=round(p95, 2),
        unit="s p95",
        reference=round(reference, 3),
        ratio=round(p95 / reference, 1),
        target=f"<= {TARGET_P95_SECONDS:g} s",
        holds=p95 <= TARGET_P95_SECONDS,
        detail={
            "p50_s": round(percentile(took, 50), 2),
            "max_s": round(max(took), 2),
            "acceptances": len(took),
            "leads": leads,
            "cores": os.cpu_count(),
            "reference_is": "one PATCH of the record, p95",
        },
    )


def _connect(standin: StandIn) -> SalesforceClient:
    """Make the stand-in the Salesforce of this process and of the worker, which inherits the environment."""
    os.environ |= {
        "SALESFORCE_URL": standin.base_url,
        "SALESFORCE_CLIENT_ID": "bench",
        "SALESFORCE_CLIENT_SECRET": "bench",
    }
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = "bench"
    client = connected_client()
    if client is None:
        raise RuntimeError("The stand-in is not taken for Salesforce.")
    return client


def _offers(people: int) -> list[Handoff]:
    """Handoffs that their owners may accept."""
    waiting = Handoff.objects.offered().filter(owner__isnull=False).order_by("pk")[:people]
    Lead.objects.filter(pk__in=[handoff.lead_id for handoff in waiting]).update(stage=Lead.Stage.MQL)
    return list(waiting.select_related("owner", "lead"))


def _wait_until_all_is_sent(leads: int) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while LeadSync.objects.filter(send_at=None, pushed_at__isnull=False).count() < leads:
        if time.monotonic() > ends_at:
            raise RuntimeError("The leads did not reach the stand-in: is the worker running?")
        time.sleep(BEAT_SECONDS)


def _accept(handoff: Handoff, standin: StandIn) -> float:
    """Seconds from the acceptance until the stand-in's record tells of it."""
    # Right after the last one arrived is always the same moment of the beat.
    time.sleep(random.uniform(0, BEAT_SECONDS))
    key = str(handoff.lead.public_id)
    assert handoff.owner is not None
    started = time.perf_counter()
    accept_handoff(handoff, by=handoff.owner, now=timezone.now())
    while not _is_told(standin, key):
        if time.perf_counter() - started > PATIENCE_SECONDS:
            raise RuntimeError("An acceptance did not reach the stand-in.")
        time.sleep(LOOK_EVERY_SECONDS)
    return time.perf_counter() - started


def _is_told(standin: StandIn, key: str) -> bool:
    [record] = standin.store.find(LEAD.name, LEAD_KEY, key)
    return bool(record["Portal_Handoff_Status__c"] == "accepted")


def _seconds_of_a_call(client: SalesforceClient, handoff: Handoff) -> float:
    fields = {"Portal_Handoff_Status__c": "accepted"}
    started = time.perf_counter()
    client.upsert("Lead", key=LEAD_KEY, value=str(handoff.lead.public_id), fields=fields)
    return time.perf_counter() - started
