"""Reads what people changed in Salesforce (CRM-3).

The cursor is on Salesforce's clock. Stamps are cut to the second and a row may become visible minutes after
its stamp, so every poll reads an overlap again; applying is idempotent, and what is known already costs one
query for hundreds of rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from django.db import transaction

from common.bulk import update_rows
from crm.budget import may_spend
from crm.client import SalesforceClient
from crm.connection import is_paused, pause_connection, record_contact, tell_operators
from crm.mapping import LEAD_KEY, Rules
from crm.models import Lane, LeadSync
from crm.problems import RequestRefused, SalesforceError
from crm.pull.applying import Reading, apply_remote, begin_reading, remember
from crm.pull.batches import Row, read_batches
from crm.pull.cursors import DEALS, LEADS, REMOVALS, as_literal, cursor_of, move_cursor, note_trouble
from crm.pull.deals import pull_deals
from crm.pull.history import read_times
from crm.pull.news import brings_news, is_known
from crm.pull.removals import pull_removals
from crm.pull.rows import RemoteLead, columns_of, id_of, read_row
from crm.rules import load_rules, without_missing
from crm.unread import forget_failure, note_failure
from leads.models import Lead

log = structlog.get_logger("salesforce")

# Rows have been seen to appear five minutes after their stamp.
OVERLAP = timedelta(minutes=10)
# Far more may be waiting than one task has the time to read: the next one goes on.
SECONDS_PER_READING = 20.0
SEEN = (
    "lead_id",
    "salesforce_id",
    "master_id",
    "remote_status",
    "remote_owner_id",
    "remote_owner_name",
    "remote_stamp",
    "remote_digest",
)


@dataclass(frozen=True)
class PullResult:
    """Counts of rows: read, those that brought news, and those to be read again."""

    read: int = 0
    changed: int = 0
    postponed: int = 0
    is_paused: bool = False


def pull_changes(client: SalesforceClient, *, now: datetime) -> PullResult:
    """Read the leads changed since the cursor, their deals, and what was deleted or merged, and apply what
    people did. Safe to repeat.

    A cursor moves up to Salesforce's time of asking, but never past a row that could not be applied.
    """
    if is_paused(now) or not may_spend(Lane.HANDOFF, now=now):
        return PullResult(is_paused=True)
    reading = _LeadReading(client, now=now)
    name = LEADS
    try:
        reading.run()
        result = reading.result
        if may_spend(Lane.LATER, now=now):
            name = DEALS
            result = replace(result, changed=result.changed + pull_deals(client, now=now))
            name = REMOVALS
            result = replace(result, changed=result.changed + pull_removals(client, now=now))
    except SalesforceError as error:
        note_trouble(cursor_of(name), error.problem, now=now)
        pause_connection(error.problem, now=now, client=client)
        return replace(reading.result, is_paused=True)
    record_contact(client, now=now)
    if result.changed or result.postponed:
        log.info("salesforce.pulled", read=result.read, changed=result.changed, postponed=result.postponed)
    return result


class _LeadReading:
    """One reading of the leads."""

    def __init__(self, client: SalesforceClient, *, now: datetime) -> None:
        self._client = client
        self._now = now
        self._cursor = cursor_of(LEADS)
        self._since = self._cursor.cursor and self._cursor.cursor - OVERLAP
        self._until = time.monotonic() + SECONDS_PER_READING
        self._is_cut_short = False
        self._wait_for: list[datetime] = []
        self._asked_at: datetime | None = None
        self.result = PullResult()

    def run(self) -> None:
        """Raises SalesforceError; what came in before stays, and the next reading goes on from there."""
        rules, missing = load_rules(), None
        try:
            self._read(rules)
        except RequestRefused as error:
            readable, missing = without_missing(rules, error.problem), error.problem
            if readable is None:
                raise
            # One field that is gone from Salesforce must not keep all the others from coming in.
            self._read(readable)
        if not self._is_cut_short:
            to = min([*self._wait_for, self._asked_at or self._client.began_at or self._now])
            move_cursor(self._cursor, to=to, now=self._now)
        if missing is not None:
            note_trouble(self._cursor, missing, now=self._now)
            tell_operators(missing, title="Salesforce: a field cannot be read", now=self._now)

    def _read(self, rules: Rules) -> None:
        reading = begin_reading(rules)
        for batch in read_batches(self._client, _changed_since(self._cursor.cursor, rules)):
            self._asked_at = self._asked_at or batch[0].asked_at
            self._take(batch, reading)
            if time.monotonic() > self._until:
                self._is_cut_short = True
                return

    def _take(self, batch: Sequence[Row], reading: Reading) -> None:
        remotes = [remote for row in batch if (remote := self._readable(row, reading))]
        news = sort_out(remotes, reading=reading)
        times = read_times(self._client, news, since=self._since, now=self._now) if news else {}
        changed = sum(self._apply(remote, reading, times.get(remote.salesforce_id, {})) for remote in news)
        self.result = PullResult(
            self.result.read + len(batch), self.result.changed + changed, len(self._wait_for)
        )
        if remotes:
            self._keep_place(remotes[-1].stamp)

    def _keep_place(self, stamp: datetime) -> None:
        """Whatever breaks the reading off, the next one begins with this stamp: rows come in their order. It
        never begins later than after a whole reading, so that what appears late is in its window, too."""
        to = min([*self._wait_for, stamp + OVERLAP, self._asked_at or self._now])
        if self._cursor.cursor is None or to > self._cursor.cursor:
            move_cursor(self._cursor, to=to, now=self._now)
            self._cursor.cursor = to

    def _readable(self, row: Row, reading: Reading) -> RemoteLead | None:
        try:
            return read_row(row.fields, rules=reading.rules, asked_at=row.asked_at)
        except Exception as error:
            self._note_failure(id_of(row.fields), error, stamp=None)
            return None

    def _apply(self, remote: RemoteLead, reading: Reading, times: Mapping[str, datetime]) -> bool:
        try:
            applied = apply_remote(remote, reading=reading, times=times, now=self._now)
        except Exception as error:
            # One row must not keep the others from coming in, nor the cursor for ever.
            self._note_failure(remote.salesforce_id, error, stamp=remote.stamp)
            return False
        forget_failure(remote.salesforce_id)
        if applied is None:
            self._wait_for.append(remote.stamp)
        return bool(applied)

    def _note_failure(self, salesforce_id: str, error: Exception, *, stamp: datetime | None) -> None:
        wait_for = note_failure(salesforce_id, error, stamp=stamp, now=self._now)
        if wait_for is not None:
            self._wait_for.append(wait_for)


def sort_out(remotes: Sequence[RemoteLead], *, reading: Reading) -> list[RemoteLead]:
    """Those that bring news: the others are noted in a few statements, however many they are.

    A row without a lead is another portal's on the same org, and none of our business.
    """
    ids = {remote.public_id for remote in remotes if remote.public_id is not None}
    lead_ids = dict(Lead.objects.filter(public_id__in=ids).values_list("public_id", "pk"))
    syncs = LeadSync.objects.in_bulk(lead_ids.values())
    news: list[RemoteLead] = []
    echoes: dict[int, RemoteLead] = {}
    for remote in remotes:
        lead_id = lead_ids.get(remote.public_id) if remote.public_id else None
        sync = syncs.get(lead_id) if lead_id else None
        if lead_id is None or (sync and is_known(sync, remote)):
            continue
        if sync is None or _has_news(sync, remote, reading):
            news.append(remote)
        elif (sync.remote_stamp, sync.remote_digest) != (remote.stamp, remote.digest):
            echoes[lead_id] = remote
    _note_echoes(echoes, reading)
    return news


@transaction.atomic
def _note_echoes(echoes: Mapping[int, RemoteLead], reading: Reading) -> None:
    """Remember rows that say what we know, as our own writes do that come back.

    Only standings are locked here: leads come before them in the order of locks. One that is busy is left
    out; the overlap shows it again.
    """
    if not echoes:
        return
    free = LeadSync.objects.filter(pk__in=echoes.keys(), in_flight_since=None).order_by("pk")
    syncs = list(free.select_for_update(skip_locked=True))
    noted = [sync for sync in syncs if not _has_news(sync, echoes[sync.pk], reading)]
    for sync in noted:
        remember(sync, echoes[sync.pk])
    update_rows(LeadSync, [{name: getattr(sync, name) for name in SEEN} for sync in noted])


def _has_news(sync: LeadSync, remote: RemoteLead, reading: Reading) -> bool:
    return brings_news(sync, remote, rules=reading.taken, people=reading.people)


def _changed_since(cursor: datetime | None, rules: Rules) -> str:
    since = f" AND SystemModstamp >= {as_literal(cursor - OVERLAP)}" if cursor is not None else ""
    columns = ", ".join(columns_of(rules))
    return f"SELECT {columns} FROM Lead WHERE {LEAD_KEY} != null{since} ORDER BY SystemModstamp, Id"
