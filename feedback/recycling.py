"""Waking recycled leads when their time has come (FEED-2). The mark is Recycling.wake_at."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from common.parking import begin_attempt, forget_failure, keep_failure
from feedback.models import Recycling, Verdict
from leads.models import Lead
from leads.services import release_lead

BATCH = 500


def wake_recyclings(*, now: datetime) -> int:
    """Let leads qualify again whose delay is over; say how many. Safe to repeat and to run twice at once.

    A woken lead becomes an MQL only on evidence newer than its return: the pipeline sees to that. One that
    cannot be woken keeps back no other, and is parked after some tries.
    """
    due = Recycling.objects.due(now).order_by("wake_at", "id")
    return sum(
        _try_to_wake(recycling_id, lead_id, now=now)
        for recycling_id, lead_id in list(due.values_list("pk", "lead_id")[:BATCH])
    )


def _try_to_wake(recycling_id: int, lead_id: int, *, now: datetime) -> bool:
    recycling = Recycling.objects.filter(pk=recycling_id)
    if not begin_attempt(recycling, now=now):
        return False
    try:
        woken = _wake(recycling_id, lead_id, now=now)
    except Exception as error:
        keep_failure(recycling, error)
        return False
    forget_failure(recycling)
    return woken


@transaction.atomic(durable=True)
def _wake(recycling_id: int, lead_id: int, *, now: datetime) -> bool:
    lead = (
        Lead.objects.filter(pk=lead_id).select_for_update(skip_locked=True, no_key=True, of=("self",)).first()
    )
    if lead is None:
        return False  # somebody has it in hand; the mark stays for the next sweep
    if not Recycling.objects.filter(pk=recycling_id, woken_at=None).update(woken_at=now):
        return False
    # Handed off by hand and returned again meanwhile: the newer return decides.
    if lead.hold == Lead.Hold.UNTIL_DATE and lead.held_until is not None and lead.held_until <= now:
        release_lead(lead, at=now)
    return True


def end_recycling(verdict: Verdict, *, now: datetime) -> None:
    """The way back ends before its time: the return is void. Nothing is left to wake. The caller holds the
    lead's lock."""
    Recycling.objects.filter(verdict=verdict, woken_at=None).update(woken_at=now)
