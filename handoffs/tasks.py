"""Background work of the pipeline; each function takes the time once and calls one verb."""

from __future__ import annotations

import time

from django.utils import timezone

from handoffs.acknowledgement.sending import send_due_acknowledgements
from handoffs.alarms import raise_alarms
from handoffs.digests.sending import send_due_digests
from handoffs.escalation import escalate_due_clocks
from handoffs.invitations.upkeep import mark_outside_hours, reconcile_invitations
from handoffs.models import Pool
from handoffs.pipeline import advance_claimed_lead, advance_due_leads
from handoffs.routing.overflow import assign_all_overflow, assign_overflow

BATCH = 500
# A sweep ends well before the queue would give its task up and the next one begins.
SWEEP_SECONDS = 30


def advance_lead_soon(lead_id: int) -> None:
    """The nudge of LEAD_CHANGED_TASK. Nothing to do when the sweep or another nudge was quicker."""
    advance_claimed_lead(lead_id, now=timezone.now())


def advance_due_leads_task() -> None:
    """Work through the due leads, for half a minute at most: what is left waits for the next minute."""
    started = time.monotonic()
    while advance_due_leads(now=timezone.now(), limit=BATCH) and time.monotonic() - started < SWEEP_SECONDS:
        pass


def assign_overflow_soon(pool_id: int) -> None:
    """The nudge after a handoff was closed: somebody may have room for a waiting lead."""
    pool = Pool.objects.filter(pk=pool_id).first()
    if pool:
        assign_overflow(pool, now=timezone.now())


def assign_overflow_task() -> None:
    assign_all_overflow(now=timezone.now())


def escalate_due_clocks_task() -> None:
    escalate_due_clocks(now=timezone.now())


def reconcile_invitations_task() -> None:
    reconcile_invitations(now=timezone.now())


def recheck_invitations_task() -> None:
    mark_outside_hours(now=timezone.now())


def send_acknowledgements_task() -> None:
    """Answer the leads that wait for it, for half a minute at most."""
    started = time.monotonic()
    while send_due_acknowledgements(now=timezone.now()) and time.monotonic() - started < SWEEP_SECONDS:
        pass


def raise_alarms_task() -> None:
    raise_alarms(now=timezone.now())


def send_digests_task() -> None:
    send_due_digests(now=timezone.now())
