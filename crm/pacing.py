"""What goes to Salesforce now, and what had better wait (CRM-4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings

from crm.budget import may_spend
from crm.bulk import lanes_in_bulk
from crm.client import ROWS_PER_CALL
from crm.models import Lane, LeadSync


def lanes_to_push(*, now: datetime) -> set[Lane]:
    """The lanes that a batch may take leads of: handoffs at once, the others with them, or by themselves once
    they fill a call or have waited for others to join them. None of what travels in bulk, and none that the
    allocation has no calls for. Where nothing waits it is two looks into an index.
    """
    waiting = LeadSync.objects.claimable(now).order_by("lane", "send_at")
    is_urgent = waiting.filter(lane=Lane.HANDOFF).exists()
    others = waiting.filter(lane=Lane.LATER).values_list("send_at", flat=True)
    times = [time for time in others[:ROWS_PER_CALL] if time is not None]
    fill_a_call = len(times) == ROWS_PER_CALL
    if not (is_urgent or fill_a_call or _have_gathered(times, now=now)):
        return set()
    lanes = {Lane.HANDOFF, Lane.LATER} if is_urgent else {Lane.LATER}
    lanes = {lane for lane in lanes - lanes_in_bulk(now=now) if may_spend(lane, now=now)}
    # Read and written together with many others, a handoff would take as long as these.
    return {Lane.HANDOFF} if Lane.HANDOFF in lanes and fill_a_call else lanes


def _have_gathered(times: Sequence[datetime], *, now: datetime) -> bool:
    """Whether the first of them has waited for others long enough."""
    gathered = now - timedelta(seconds=settings.SALESFORCE_GATHER_SECONDS)
    return any(time <= gathered for time in times[:1])
