"""Leads that wait for a person: send them again once the cause is gone."""

from __future__ import annotations

from datetime import datetime

import structlog

from accounts.models import User
from common.errors import DomainError
from crm.models import LeadSync, LeadSyncQuerySet

log = structlog.get_logger("salesforce")


class NotParked(DomainError):
    """Somebody was quicker, or it went through."""

    def __init__(self) -> None:
        super().__init__("This lead is not waiting any more: it is being sent, or has been.")


def retry_push(sync: LeadSync, *, by: User, now: datetime) -> None:
    """Have a parked lead sent again with the next batch, with all its attempts back. Raises NotParked."""
    if not _unpark(LeadSync.objects.filter(pk=sync.pk), now=now):
        raise NotParked
    log.info("salesforce.retried", lead=sync.lead_id, by=by.pk, at=now.isoformat())


def retry_all(code: str, *, by: User, now: datetime) -> int:
    """The same for every lead that was parked for one cause; says how many."""
    freed = _unpark(LeadSync.objects.filter(error_code=code), now=now)
    log.info("salesforce.retried_all", code=code, leads=freed, by=by.pk, at=now.isoformat())
    return freed


def _unpark(syncs: LeadSyncQuerySet, *, now: datetime) -> int:
    freed = syncs.parked()
    return freed.update(parked_at=None, attempts=0, send_at=now, error_code="", error="")
