"""The file that a job takes to Salesforce."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO

from django.db.models import Q

from crm.bulk.filling import leads_of, release_to_collections, release_untried
from crm.claims import read_claims
from crm.client import FileIsFull, UnfitForCsv, writing_csv
from crm.client.bulk import CsvFile
from crm.contested import contested_fields
from crm.mapping import LEAD_KEY, TASK_KEY, Fields
from crm.models import BulkJob
from crm.rules import load_rules
from crm.task_rows import as_upsert, tasks_to_send

LEADS_PER_READ = 1_000


def key_of(job: BulkJob) -> str:
    """The field there by which a job's rows are found."""
    if job.operation == BulkJob.Operation.UPDATE:
        return "Id"
    return LEAD_KEY if job.object_name == "Lead" else TASK_KEY


@contextmanager
def file_of(job: BulkJob, *, now: datetime) -> Iterator[CsvFile]:
    """The rows of every lead that travels with a job. Leads that cannot go by file, or for which it has no
    room, are released before anything is sent."""
    if job.operation == BulkJob.Operation.UPDATE:
        _release_contested(job, now=now)
    with tempfile.TemporaryFile("w+") as kept, writing_csv(_keep_rows(job, kept)) as written:
        kept.seek(0)
        for line in kept:
            lead_id, rows = json.loads(line)
            try:
                for row in rows:
                    written.add(row)
            except UnfitForCsv:
                release_to_collections(leads_of(job).filter(pk=lead_id), now=now)
            except FileIsFull:
                # They are in the order of their keys: this one and all after it.
                release_untried(leads_of(job).filter(pk__gte=lead_id))
                break
        yield written


def _release_contested(job: BulkJob, *, now: datetime) -> None:
    """Those that whoever filled the job was killed before sorting out: written unseen, they would overwrite
    what somebody changed there."""
    contested = contested_fields(load_rules())
    unseen = Q(acknowledged={}) | Q(sending__has_any_keys=sorted(contested))
    release_to_collections(leads_of(job).filter(unseen), now=now)


def _keep_rows(job: BulkJob, kept: IO[str]) -> list[str]:
    """Put the rows aside and return the columns: a file begins with those of all of its rows."""
    columns = {key_of(job): None}
    for lead_id, rows in _rows_of_leads(job) if job.object_name == "Lead" else _rows_of_tasks(job):
        for row in rows:
            columns.update(dict.fromkeys(row))
        kept.write(json.dumps([lead_id, rows]) + "\n")
    return list(columns)


def _rows_of_leads(job: BulkJob) -> Iterator[tuple[int, list[Fields]]]:
    key = key_of(job)
    identity = "salesforce_id" if key == "Id" else "lead__public_id"
    travelling = leads_of(job).order_by("pk").values_list("pk", identity, "sending")
    for lead_id, value, fields in travelling.iterator(chunk_size=LEADS_PER_READ):
        yield lead_id, [{key: str(value), **fields}]


def _rows_of_tasks(job: BulkJob) -> Iterator[tuple[int, list[Fields]]]:
    rules = load_rules()
    last = 0
    while syncs := list(leads_of(job).filter(pk__gt=last).order_by("pk")[:LEADS_PER_READ]):
        for claim in read_claims(syncs):
            tasks = tasks_to_send(claim, who_id=claim.who_id(claim.sync.salesforce_id), rules=rules)
            yield claim.sync.pk, [as_upsert(task) for task in tasks]
        last = syncs[-1].pk
