"""Work that a mark asks for and that may fail: tries are counted, and after the last it is parked.

Without this, one row that always fails would be the oldest of its mark for ever, and keep back all others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import models
from django.db.models import Case, F, QuerySet, Value, When

from common.errors import DomainError

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 5
ERROR_LENGTH = 500


class MarkedWork(models.Model):
    """A row whose mark a sweep acts upon. Parked, it waits for a person; the mark stays as it is."""

    attempts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="Counted before each try; back to 0 when one succeeds."
    )
    parked_at = models.DateTimeField(null=True, blank=True, editable=False)
    error = models.CharField(max_length=ERROR_LENGTH, blank=True, editable=False)

    class Meta:
        abstract = True


def begin_attempt(row: QuerySet[Any], *, now: datetime) -> bool:
    """Count a try of this one row before it begins, so that a killed worker counts too.

    False when the row has used up its tries: then it is parked instead. Call it outside a transaction that
    the failure would undo.
    """
    waiting = row.filter(parked_at=None)
    if waiting.filter(attempts__lt=MAX_ATTEMPTS).update(attempts=F("attempts") + 1):
        return True
    died = Value("The worker stopped each time this was tried.")
    if waiting.update(parked_at=now, error=Case(When(error="", then=died), default=F("error"))):
        log.warning("work_parked", what=row.model._meta.model_name)
    return False


def keep_failure(row: QuerySet[Any], error: Exception) -> None:
    """Remember why a try failed. Called where the error was caught."""
    log.exception("work_failed", what=row.model._meta.model_name, error=type(error).__name__)
    row.update(error=describe_failure(error))


def forget_failure(row: QuerySet[Any]) -> None:
    """A try succeeded: what went wrong before no longer counts."""
    row.filter(attempts__gt=0).update(attempts=0, parked_at=None, error="")


def retry_parked(rows: QuerySet[Any]) -> int:
    """Give parked rows all their tries again, after the cause was repaired; say how many there were."""
    return rows.filter(parked_at__isnull=False).update(attempts=0, parked_at=None, error="")


def describe_failure(error: Exception) -> str:
    # A refusal of the domain is written for people; any other message may hold values, so its kind must do.
    words = str(error) if isinstance(error, DomainError) else type(error).__name__
    return words[:ERROR_LENGTH]
