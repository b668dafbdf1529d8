"""What goes to Salesforce now, and what had better wait (CRM-4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from crm.budget import may_spend
from crm.bulk import lanes_in_bulk
from crm.client import ROWS_PER_CALL
from crm.models import Lane, LeadSync, LeadSyncQuerySet


def lanes_to_push(*, now: datetime) -> set[Lane]:
    """The lanes that a batch may take leads of: handoffs at once, the others with them, or by themselves once
    they fill a call or have waited for others to join them. None of what travels in bulk, and none that the
    allocation has no calls for. Where nothing waits it is two looks into an index.
    """
    waiting = LeadSync.objects.claimable(now).order_by("lane", "send_at")
    is_urgent = waiting.filter(lane=Lane.HANDOFF).exists()
    if not is_urgent and not _is_worth_a_call(waiting.filter(lane=Lane.LATER), now=now):
        return set()
    lanes = {Lane.HANDOFF, Lane.LATER} if is_urgent else {Lane.LATER}
    return {lane for lane in lanes - lanes_in_bulk(now=now) if may_spend(lane, now=now)}


def _is_worth_a_call(waiting: LeadSyncQuerySet, *, now: datetime) -> bool:
    times = list(waiting.values_list("send_at", flat=True)[:ROWS_PER_CALL])
    if len(times) == ROWS_PER_CALL:
        return True
    gathered = now - timedelta(seconds=settings.SALESFORCE_GATHER_SECONDS)
    return any(time is not None and time <= gathered for time in times[:1])
