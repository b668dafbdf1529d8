"""Scoring all leads again after a change of versions, in chunks that several workers share (ADR 0014).

A worker counts its try of a chunk, then holds the chunk's row and its leads while one statement scores them.
A killed worker lets go of both; a chunk that fails too often is parked, and its leads are left to the
pipeline, which looks at them one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Q, QuerySet, Sum

from common.parking import begin_attempt, forget_failure, keep_failure, retry_parked
from common.queue import enqueue
from leads.models import Lead
from leads.newcomers import wait_for_newcomers
from scoring.lifecycle.history import record
from scoring.lifecycle.keeping import keep_leads, keep_leads_of_range, versions_in_use
from scoring.lifecycle.membership import MAX_ID, pilot_members_of_range
from scoring.models import LeadScore, ModelVersion, Rescoring, RescoringChunk, VersionEvent

log = structlog.get_logger(__name__)

# Some seconds of work: short enough for the locks, long enough that the statement's own cost vanishes.
LEADS_PER_CHUNK = 5_000

# Chunks meet one another without a gap, from 0 to the end of all ids, so that a lead that was being recorded
# while they were made lies in one of them.
_MAKE_CHUNKS = """
WITH firsts AS (
  SELECT CASE chunk WHEN 0 THEN 0 ELSE min(id) END AS first_id, count(*) AS leads FROM (
    SELECT id, (row_number() OVER (ORDER BY id) - 1) / %(size)s AS chunk FROM leads_lead
  ) numbered GROUP BY chunk
)
INSERT INTO scoring_rescoringchunk (rescoring_id, first_id, last_id, leads, attempts, error)
SELECT %(rescoring)s, first_id, coalesce(lead(first_id) OVER (ORDER BY first_id) - 1, %(max_id)s), leads,
  0, ''
FROM firsts ORDER BY first_id
"""

# An earlier look at the lead that somebody asked for stays; PostgreSQL's LEAST passes over nulls.
_LOOK_AGAIN = """
UPDATE leads_lead lead SET advance_at = least(lead.advance_at, look.at) FROM (
  SELECT lead_id, CASE WHEN qualifies AND lead_id = ANY(%(unscored)s) THEN %(now)s ELSE next_change_at END
  FROM scoring_leadscore WHERE lead_id = ANY(%(leads)s)
) look(lead_id, at)
WHERE lead.id = look.lead_id AND look.at < coalesce(lead.advance_at, 'infinity')
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a re-scoring has come."""

    rescoring: Rescoring
    leads: int
    done: int
    parked: int

    @property
    def percent(self) -> int:
        return 100 * self.done // self.leads if self.leads else 100


# Beginning


def start_rescoring(version: ModelVersion, *, now: datetime) -> Rescoring:
    """Have every lead looked at in the background that may belong to another version than it is scored by.

    For a pilot too: who joins or leaves it is decided when a chunk holds its leads, so that none is missed
    that changed meanwhile; the others are passed over. What was still under way, or failed, is superseded:
    this one covers it. Call it under the versions' lock.
    """
    Rescoring.objects.filter(finished_at=None).update(finished_at=now)
    rescoring = Rescoring.objects.create(version=version, started_at=now)
    parameters = {"rescoring": rescoring.pk, "size": LEADS_PER_CHUNK, "max_id": MAX_ID}
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_CHUNKS, parameters)
    _finish_if_done(rescoring, now=now)
    _nudge_workers(rescoring)
    return rescoring


def _nudge_workers(rescoring: Rescoring) -> None:
    """For latency only, as the schedule does the same. One worker stays free for what people wait for."""
    waiting = rescoring.chunks.waiting().count()
    for _ in range(min(waiting, max(1, settings.Q_CLUSTER["workers"] - 1))):
        enqueue("scoring.tasks.rescore_task")


# Working


def rescore_all(*, now: datetime) -> int:
    """Work through every waiting chunk; say how many were tried."""
    tried = 0
    while rescore_next_chunk(now=now):
        tried += 1
    return tried


def rescore_for(seconds: float, *, clock: Callable[[], datetime]) -> None:
    """Work through waiting chunks for so long at most; `clock` tells the time anew for each."""
    started = time.monotonic()
    while time.monotonic() - started < seconds and rescore_next_chunk(now=clock()):
        pass


def rescore_next_chunk(*, now: datetime) -> bool:
    """Claim one chunk and score its leads; False when none is free. Several workers share the chunks."""
    chunk = _claim(now=now)
    if chunk is None:
        return False
    row = RescoringChunk.objects.filter(pk=chunk.pk)
    try:
        if chunk.parked_at is None:
            _score_chunk(chunk, now=now)
        else:
            _leave_to_pipeline(chunk, now=now)
    except Exception as error:
        keep_failure(row, error)
    _finish_if_done(chunk.rescoring, now=now)
    return True


@transaction.atomic(durable=True)
def _claim(*, now: datetime) -> RescoringChunk | None:
    """Count the try before it begins, so that a killed worker counts too. Those tried least come first, so
    that two workers that meet do not use up the tries of one chunk. After the last try it is parked."""
    free = (
        unfinished_chunks()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("rescoring__version")
    )
    chunk = free.order_by("attempts", "pk").first()
    if chunk and not begin_attempt(RescoringChunk.objects.filter(pk=chunk.pk), now=now):
        chunk.parked_at = now
    return chunk


@transaction.atomic(durable=True)
def _score_chunk(chunk: RescoringChunk, *, now: datetime) -> None:
    """Score the chunk's leads under their locks, unless another worker has it in hand or it is superseded."""
    row = RescoringChunk.objects.waiting().filter(pk=chunk.pk, rescoring__finished_at=None)
    if row.select_for_update(skip_locked=True, of=("self",)).first() is None:
        return
    _score_stale(chunk.first_id, chunk.last_id, now=now)
    RescoringChunk.objects.filter(pk=chunk.pk).update(done_at=now)
    forget_failure(RescoringChunk.objects.filter(pk=chunk.pk))


def _score_stale(first: int, last: int, *, now: datetime) -> None:
    """Score the leads of the range whose kept score is not by the version that they belong to now.

    All of them are locked before the versions are read: whoever scored one by an older version has committed
    by then, and whoever comes later reads the versions later. So does a lead that is being inserted.
    """
    wait_for_newcomers()
    # Intake inserts rows that refer to the lead: they need not wait.
    leads = Lead.objects.filter(pk__range=(first, last)).select_for_update(of=("self",), no_key=True)
    locked = list(leads.order_by("pk").values_list("pk", flat=True))
    active, pilot = versions_in_use()
    if active is None or not locked:
        return
    first, last = locked[0], locked[-1]
    stale = sorted(_stale(first, last, active, pilot, now=now))
    if not stale:
        return
    unscored = list(Lead.objects.filter(pk__in=stale, score=None).values_list("pk", flat=True))
    if pilot is None and stale == locked:
        keep_leads_of_range(active, first=first, last=last, now=now)
    else:
        keep_leads(stale, now=now)
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_AGAIN, {"leads": stale, "unscored": unscored, "now": now})


def _stale(
    first: int, last: int, active: ModelVersion, pilot: ModelVersion | None, *, now: datetime
) -> set[int]:
    scores = LeadScore.objects.filter(lead__gte=first, lead__lte=last)
    stale = set(scores.exclude(version=active).values_list("lead_id", flat=True))
    stale.update(Lead.objects.filter(pk__range=(first, last), score=None).values_list("pk", flat=True))
    if pilot:
        members = set(pilot_members_of_range(pilot.pilot, first=first, last=last, as_of=now))
        by_pilot = set(scores.filter(version=pilot).values_list("lead_id", flat=True))
        stale = (stale - members) | members.symmetric_difference(by_pilot)
    return stale


def _leave_to_pipeline(chunk: RescoringChunk, *, now: datetime) -> None:
    """Mark the leads of a parked chunk: the pipeline tells the one that fails from the others. One by one, as
    the one that fails may refuse even that."""
    later = Q(advance_at=None) | Q(advance_at__gt=now)
    leads = Lead.objects.filter(later, pk__range=(chunk.first_id, chunk.last_id)).order_by("pk")
    for lead_id in list(leads.values_list("pk", flat=True)):
        try:
            with transaction.atomic():
                Lead.objects.filter(later, pk=lead_id).update(advance_at=now)
        except DatabaseError as error:
            log.exception("lead_not_marked", lead_id=lead_id, error=type(error).__name__)


def _finish_if_done(rescoring: Rescoring, *, now: datetime) -> None:
    """Of several workers that finish at once, one says so."""
    if rescoring.chunks.waiting().exists():
        return
    if Rescoring.objects.filter(pk=rescoring.pk, finished_at=None).update(finished_at=now):
        record(rescoring.version, VersionEvent.Kind.RESCORED, at=now, by=None)
        log.info("scoring.rescored", version=rescoring.version.number)


# Looking


def progress_of_rescoring() -> Progress | None:
    """The re-scoring under way, if there is one; one query."""
    chunks = Count("chunks", filter=Q(chunks__parked_at__isnull=False))
    done = Q(chunks__done_at__isnull=False) | Q(chunks__parked_at__isnull=False)
    running = (
        Rescoring.objects.filter(finished_at=None)
        .select_related("version")
        .annotate(leads=Sum("chunks__leads"), done=Sum("chunks__leads", filter=done), parked=chunks)
        .order_by("-pk")
        .first()
    )
    if running is None:
        return None
    return Progress(running, running.leads or 0, running.done or 0, running.parked)


def unfinished_chunks() -> QuerySet[RescoringChunk]:
    return RescoringChunk.objects.waiting().filter(rescoring__finished_at=None)


def parked_chunks() -> QuerySet[RescoringChunk]:
    """Chunks of the latest re-scoring that failed too often; it makes good what is left of older ones."""
    latest = Rescoring.objects.order_by("-pk").values("pk")[:1]
    return RescoringChunk.objects.filter(parked_at__isnull=False, rescoring__in=latest)


@transaction.atomic
def retry_parked_chunks(*, now: datetime) -> int:
    """Try parked chunks again after the cause was repaired; say how many there were."""
    parked = parked_chunks()
    rescorings = list(parked.values_list("rescoring", flat=True).distinct())
    chunk_ids = list(parked.values_list("pk", flat=True))
    Rescoring.objects.filter(pk__in=rescorings).update(finished_at=None)
    enqueue("scoring.tasks.rescore_task")
    return retry_parked(RescoringChunk.objects.filter(pk__in=chunk_ids))
