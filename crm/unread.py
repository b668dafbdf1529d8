"""Rows of Salesforce that could not be taken over: read again a few times, then set aside for a person."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from django.db.models import F

from common.parking import MAX_ATTEMPTS, describe_failure
from crm.models import PullCursor, PullFailure

log = structlog.get_logger("salesforce")


def note_failure(
    salesforce_id: str, error: Exception, *, stamp: datetime | None, now: datetime
) -> datetime | None:
    """Count a row that failed; return the stamp that the cursor must not pass, or None once it is set aside.

    A row without a readable stamp is set aside at once: reading it again would give the same.
    """
    log.error("salesforce.not_applied", record=salesforce_id, error=type(error).__name__)
    failure, _ = PullFailure.objects.get_or_create(salesforce_id=salesforce_id)
    words = describe_failure(error)
    row = PullFailure.objects.filter(pk=failure.pk)
    row.filter(attempts__lt=MAX_ATTEMPTS).update(attempts=F("attempts") + 1)
    row.update(stamp=stamp, error=words)
    last = stamp is None or failure.attempts + 1 >= MAX_ATTEMPTS
    if last and row.filter(parked_at=None).update(parked_at=now):
        log.warning("salesforce.row_parked", record=salesforce_id)
    return None if last else stamp


def forget_failure(salesforce_id: str) -> None:
    """The row came in after all."""
    PullFailure.objects.filter(salesforce_id=salesforce_id).delete()


@transaction.atomic
def read_again(*, now: datetime) -> int:
    """Have the next poll read the rows that were set aside; say how many there were."""
    parked = PullFailure.objects.select_for_update().filter(parked_at__isnull=False)
    since = [failure.stamp or failure.parked_at or now for failure in parked]
    if since:
        PullCursor.objects.filter(cursor__gt=min(since)).update(cursor=min(since))
        PullFailure.objects.filter(parked_at__isnull=False).delete()
    return len(since)
