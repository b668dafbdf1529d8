"""When leads travel in bulk, and which."""

from __future__ import annotations

from datetime import datetime, timedelta

from crm.claims import TRAVELS_IN_BULK
from crm.connection import connection_state
from crm.models import BulkJob, Lane, LeadSync

# An org that refuses bulk jobs, or has lost one, is spared them for so long: collections do it meanwhile.
SPARED_AFTER_FAILURE = timedelta(hours=1)


def lanes_in_bulk(*, now: datetime) -> set[Lane]:
    """The lanes whose leads a bulk job takes, or is taking: collections leave these alone. Handoffs go ahead
    by collections as long as they are few."""
    most = connection_state().bulk_from
    if not _more_wait_than(most, now=now) and not is_filling():
        return set()
    if _failed_lately(now=now):
        return set()
    lanes = {lane for lane in Lane if _more_wait_than(most, now=now, lane=lane)}
    return lanes | {Lane.LATER} if is_filling() else lanes


def _more_wait_than(most: int, *, now: datetime, lane: Lane | None = None) -> bool:
    """Whether more leads wait, looking at that many entries of an index and one more."""
    waiting = LeadSync.objects.claimable(now).filter(TRAVELS_IN_BULK)
    if lane is not None:
        waiting = waiting.filter(lane=lane)
    return bool(waiting.order_by("lane", "send_at").values("pk")[most : most + 1])


def is_filling() -> bool:
    """Whether a job takes leads at present."""
    return BulkJob.objects.filter(state=BulkJob.State.FILLING, object_name="Lead").exists()


def _failed_lately(*, now: datetime) -> bool:
    since = now - SPARED_AFTER_FAILURE
    return BulkJob.objects.filter(state=BulkJob.State.FAILED, finished_at__gt=since).exists()
