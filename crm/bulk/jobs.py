"""A job's way from mark to mark: filled, handed over, asked after, recorded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F

from common.parking import MAX_ATTEMPTS
from crm.budget import may_spend
from crm.bulk.files import file_of, key_of
from crm.bulk.filling import fill_job, is_worth_a_job, leads_of, release_to_collections
from crm.bulk.lanes import is_filling, lanes_in_bulk
from crm.bulk.results import record_results
from crm.client import JobStatus, SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact
from crm.models import BulkJob, Connection
from crm.problems import Problem, Remedy, RequestRefused, SalesforceError

log = structlog.get_logger("salesforce")

State = BulkJob.State

# Longer than a task may run: a job that was taken so long ago is nobody's.
LEASE = timedelta(minutes=2)
# Asked again after as long as it has taken so far, within these.
SHORTEST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=1)
# A lead on its way with a job can tell nothing new, an acceptance neither: what Salesforce has not come to by
# then goes by collections.
PATIENCE = timedelta(minutes=20)
# Salesforce works on jobs in parallel, and then rows of one owner wait for each other's locks.
MOST_AT_ONCE = 4
# They lie with the connection, not with the job.
PASSING = (Remedy.RETRY, Remedy.QUOTA, Remedy.AUTH)


def carry_on(client: SalesforceClient, *, now: datetime) -> bool:
    """Take the next step of the job that waits longest for one, and begin a job where many leads wait. False:
    there is nothing to do now."""
    if is_paused(now):
        return False
    _begin_job(now=now)
    job = _take_job(now=now)
    if job is None:
        return False
    if job.attempts > MAX_ATTEMPTS:
        _give_up(job, "The worker stopped each time this was tried.", now=now)
        return True
    try:
        _STEPS[State(job.state)](client, job, now=now)
    except SalesforceError as error:
        _meet(job, error.problem, now=now)
    else:
        BulkJob.objects.filter(pk=job.pk).update(attempts=0)
    return True


def _begin_job(*, now: datetime) -> None:
    """Make a job of new records and one of known ones if enough leads wait, unless some are being filled."""
    lanes = set() if is_filling() else lanes_in_bulk(now=now)
    under_way = BulkJob.objects.filter(object_name="Lead", look_at__isnull=False)
    if not lanes or under_way.count() >= MOST_AT_ONCE or not may_spend(min(lanes), now=now):
        return
    with transaction.atomic():
        # Of several workers one makes it.
        Connection.objects.select_for_update().get()
        if not is_filling():
            for operation in BulkJob.Operation:
                job = BulkJob(object_name="Lead", operation=operation, created_at=now, look_at=now)
                job.save()


@transaction.atomic
def _take_job(*, now: datetime) -> BulkJob | None:
    """A job whose mark is due, for the time of a lease; the try is counted. Whoever dies with it leaves it to
    the next one."""
    due = BulkJob.objects.filter(look_at__lte=now).order_by("look_at")
    job = due.select_for_update(skip_locked=True).first()
    if job is not None:
        job.look_at = now + LEASE
        job.attempts += 1
        job.save(update_fields=["look_at", "attempts"])
    return job


# --- Steps ---------------------------------------------------------------------------------------


def _fill(client: SalesforceClient, job: BulkJob, *, now: datetime) -> None:
    if job.object_name == "Lead" and fill_job(job, now=now):
        _look_again(job, at=now)
    elif is_worth_a_job(job):
        job.state = State.OPENING
        job.save(update_fields=["state"])
        _look_again(job, at=now)
    else:
        # Others took the rest meanwhile, or there were hardly any.
        release_to_collections(leads_of(job), now=now)
        _end(job, State.DONE, now=now)
        BulkJob.objects.filter(pk=job.pk, followers=None).delete()


def _hand_over(client: SalesforceClient, job: BulkJob, *, now: datetime) -> None:
    """Make the job there, give it its file, and say that this is complete.

    Salesforce takes a file only once, and nobody knows whether a worker that was killed had given it: such a
    job is aborted and made anew. Unless it was complete already: then it is on its way.
    """
    if job.salesforce_id and _is_on_its_way(client, job):
        _handed_over(client, job, now=now)
        return
    with file_of(job, now=now) as written:
        if not written.rows:
            _end(job, State.DONE, now=now)
            return
        job.rows = written.rows
        job.salesforce_id = client.open_job(job.object_name, key=key_of(job))
        job.save(update_fields=["rows", "salesforce_id"])
        client.upload_file(job.salesforce_id, written.file)
        client.start_job(job.salesforce_id)
    _handed_over(client, job, now=now)


def _is_on_its_way(client: SalesforceClient, job: BulkJob) -> bool:
    try:
        status = client.job_status(job.salesforce_id)
        if status.is_open:
            client.abort_job(job.salesforce_id)
    except RequestRefused:
        # It is not there any more.
        return False
    return not status.is_open and status.state != "Aborted"


def _handed_over(client: SalesforceClient, job: BulkJob, *, now: datetime) -> None:
    job.state, job.handed_over_at = State.UPLOADED, now
    job.save(update_fields=["state", "handed_over_at"])
    _look_again(job, at=now + SHORTEST_WAIT)
    record_contact(client, now=now, pushed=True)
    log.info("salesforce.job_handed_over", job=job.pk, object=job.object_name, rows=job.rows)


def _ask(client: SalesforceClient, job: BulkJob, *, now: datetime) -> None:
    status = client.job_status(job.salesforce_id)
    record_contact(client, now=now)
    job.processed, job.refused = status.processed, status.failed
    job.save(update_fields=["processed", "refused"])
    so_far = now - (job.handed_over_at or now)
    if not status.has_ended:
        if so_far > PATIENCE:
            client.abort_job(job.salesforce_id)
        _look_again(job, at=now + min(max(so_far, SHORTEST_WAIT), LONGEST_WAIT))
    elif record_results(client, job, status, now=now):
        _look_again(job, at=now)
    elif status.is_complete:
        _end(job, State.DONE, now=now)
    else:
        _end(job, State.FAILED, now=now, error=_told(status))


def _told(status: JobStatus) -> str:
    if status.state == "Aborted":
        return "The job was aborted before Salesforce came to all of it. Its leads are sent in another way."
    return f"Salesforce could not process the job: {status.message} Its leads are sent in another way."


_STEPS: dict[State, Callable[..., None]] = {
    State.FILLING: _fill,
    State.OPENING: _hand_over,
    State.UPLOADED: _ask,
}


# --- Ends ----------------------------------------------------------------------------------------


def _meet(job: BulkJob, problem: Problem, *, now: datetime) -> None:
    """What passes by itself pauses everything, and counts as a try only while handing over: it may be the
    file. Anything else is Salesforce's last word on this job."""
    if problem.remedy not in PASSING:
        _give_up(job, problem.in_plain_words, now=now)
        return
    pause_connection(problem, now=now)
    _look_again(job, at=now)
    if job.state != State.OPENING:
        BulkJob.objects.filter(pk=job.pk).update(attempts=F("attempts") - 1)


def _give_up(job: BulkJob, words: str, *, now: datetime) -> None:
    """Have the leads sent by collections instead. Whatever of them arrived all the same is upserted again."""
    release_to_collections(leads_of(job), now=now)
    _end(job, State.FAILED, now=now, error=words)


@transaction.atomic
def _end(job: BulkJob, state: State, *, now: datetime, error: str = "") -> None:
    """The job is over, and that of its tasks may go: both or neither, as nobody looks at this one again."""
    job.state, job.finished_at, job.look_at, job.error = state, now, None, error[:500]
    job.save(update_fields=["state", "finished_at", "look_at", "error"])
    BulkJob.objects.filter(follows=job, state=State.FILLING).update(look_at=now)
    log.info("salesforce.job_ended", job=job.pk, object=job.object_name, state=state, refused=job.refused)


def _look_again(job: BulkJob, *, at: datetime) -> None:
    BulkJob.objects.filter(pk=job.pk).update(look_at=at)
