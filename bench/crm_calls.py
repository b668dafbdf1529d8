"""crm.calls: API calls for 2,000 leads that changed at once: as many as still travel by collections.

Most of them have another score; every tenth has another title, which the portal looks up before it writes
over it, some handoffs were accepted, and a twentieth of the leads is new. They are sent by the task that the
schedule runs, to a stand-in that counts as Salesforce does. The reference sends the same leads one by one.
"""

from __future__ import annotations

import os
import time

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.figures import Figure
from bench.handoff_population import grow
from crm.changes import fold_changes
from crm.claims import claim_waiting
from crm.client import SalesforceClient, connected_client
from crm.mapping import LEAD_KEY
from crm.models import LeadSync
from crm.standin.server import StandIn
from crm.tasks import push_stale_leads_task

CHANGED = 2_000
NEW_EVERY = 20
PATIENCE_SECONDS = 600.0
MOST_PER_THOUSAND = 8

CHANGES = """
    UPDATE scoring_leadscore SET total = total + 1, engagement = engagement + 1;
    UPDATE handoffs_handoff SET status = 'accepted', accepted_at = now(), accepted_by_id = owner_id,
        opened_at = coalesce(opened_at, now()), opened_by_id = coalesce(opened_by_id, owner_id)
        WHERE status = 'offered' AND owner_id IS NOT NULL;
    UPDATE leads_lead SET revision = revision + 1,
        title = CASE WHEN id % 10 = 0 THEN title || ' (interim)' ELSE title END;
"""


def measure(database_url: str) -> Figure:
    changed = int(os.environ.get("BENCH_LEADS") or CHANGED)
    new = changed // NEW_EVERY
    with StandIn(client_id="bench", client_secret="bench", daily_limit=1_000_000) as standin:
        client = _connect(standin)
        grow(from_leads=0, to_leads=changed - new)
        _push_all()
        _run(CHANGES)
        grow(from_leads=changed - new, to_leads=changed)
        before, started = standin.usage.used, time.perf_counter()
        pushed = _push_all()
        calls, took = standin.usage.used - before, time.perf_counter() - started
        one_by_one = _send_one_by_one(client, standin)
    per_thousand = calls / pushed * 1_000
    return Figure(
        name="crm.calls",
        value=round(per_thousand, 1),
        unit="calls per 1,000 leads",
        reference=round(one_by_one, 1),
        ratio=round(per_thousand / one_by_one, 4),
        target=f"<= {MOST_PER_THOUSAND}",
        holds=per_thousand <= MOST_PER_THOUSAND,
        detail={
            "leads": pushed,
            "calls": calls,
            "seconds": round(took, 1),
            "reference_is": "the same leads, each by a call of its own, tasks left out",
        },
    )


def _connect(standin: StandIn) -> SalesforceClient:
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID = settings.SALESFORCE_CLIENT_SECRET = "bench"
    settings.SALESFORCE_GATHER_SECONDS = 0.0
    client = connected_client()
    if client is None:
        raise RuntimeError("The stand-in is not taken for Salesforce.")
    return client


def _push_all() -> int:
    """Have the scheduled task send everything, and say how many leads that were."""
    while fold_changes(now=timezone.now()):
        pass
    leads = LeadSync.objects.stale().count()
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while LeadSync.objects.stale().exists():
        if time.monotonic() > ends_at or LeadSync.objects.parked().exists():
            raise RuntimeError(f"{LeadSync.objects.stale().count()} leads were not sent.")
        push_stale_leads_task()
    return leads


def _send_one_by_one(client: SalesforceClient, standin: StandIn) -> float:
    """Calls per 1,000 leads for whoever sends each by itself."""
    _run(CHANGES)
    while fold_changes(now=timezone.now()):
        pass
    claims = claim_waiting(now=timezone.now(), most=1_000)
    before = standin.usage.used
    for claim in claims:
        client.upsert("Lead", key=LEAD_KEY, value=claim.record.facts.public_id, fields=claim.changes)
    return (standin.usage.used - before) / len(claims) * 1_000


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
