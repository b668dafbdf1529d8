"""One page of the comparison of leads: what Salesforce holds under our key, in the order of its ids."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from crm.client import SalesforceClient
from crm.ids import full_id
from crm.mapping import LEAD_KEY, Rules
from crm.models import Drift, LeadSync, PullCursor, PullFailure
from crm.pull.applying import Reading, begin_reading
from crm.pull.batches import Row, read_batches
from crm.pull.cursors import LEADS
from crm.pull.removals import find_masters
from crm.pull.rows import RemoteLead, columns_of, id_of, read_row
from crm.reconciling.findings import Difference, Page, Verdict, Why
from crm.reconciling.judging import (
    Pair,
    Progress,
    compared_rules,
    explain,
    explain_standing,
    find_differences,
)
from crm.reconciling.repairing import repair_fields, repair_missing
from crm.records import read_records
from crm.rules import load_rules
from leads.models import Lead

# As many as Salesforce gives in one call.
ROWS_PER_PAGE = 2000
KEY_OF_NOBODY = "Its portal id is nobody's here: of another portal, or of a lead that was erased."
TWICE = "Another record, {other}, stands for the same lead. Merge the two there."


@dataclass
class _Found:
    """What there is of a page on both sides."""

    page: Page
    remotes: list[RemoteLead] = field(default_factory=list)
    lead_ids: Mapping[UUID, int] = field(default_factory=dict)
    syncs: Mapping[int, LeadSync] = field(default_factory=dict)
    absent: list[LeadSync] = field(default_factory=list)
    """Leads whose record should be among the rows, and is not."""
    gone: Mapping[str, str] = field(default_factory=dict)
    """Ids of records that are not there, and what they were merged into; see `find_masters`."""


def compare_leads(client: SalesforceClient, *, after: str, repairs: bool, now: datetime) -> Page:
    """Compare the records with ids after this one. One call, and one for every 200 records that are missing.

    Raises SalesforceError.
    """
    reading = begin_reading(load_rules())
    rows = [row for batch in read_batches(client, _soql(reading.rules, after)) for row in batch]
    found = _find_ours(rows, reading, after=after)
    asked_at = rows[0].asked_at if rows else client.began_at
    found.gone = find_masters(client, _doubtful(found, asked_at))
    pairs = list(_pairs(found, rows))
    differing = _compare(found.page, pairs, reading)
    missing = list(_missing(found, asked_at))
    if repairs:
        for pair, differences in differing:
            repair_fields(pair.sync.pk, pair.remote, differences, reading=reading, now=now)
        for difference in missing:
            if difference.verdict is not Verdict.FOR_A_PERSON:
                repair_missing(difference, rules=reading.rules, now=now)
    found.page.differences += [each for _, differences in differing for each in differences]
    found.page.differences += missing
    return found.page


def _soql(rules: Rules, after: str) -> str:
    asked = columns_of(rules)
    known = {name.lower() for name in asked}
    asked += [
        rule.salesforce_field for rule in compared_rules(rules) if rule.salesforce_field.lower() not in known
    ]
    where = f"{LEAD_KEY} != null" + (f" AND Id > '{after}'" if after else "")
    return f"SELECT {', '.join(asked)} FROM Lead WHERE {where} ORDER BY Id LIMIT {ROWS_PER_PAGE}"


def _find_ours(rows: Sequence[Row], reading: Reading, *, after: str) -> _Found:
    page = Page(compared=len(rows), reached=id_of(rows[-1].fields) if len(rows) == ROWS_PER_PAGE else "")
    found = _Found(page)
    for row in rows:
        try:
            found.remotes.append(read_row(row.fields, rules=reading.rules, asked_at=row.asked_at))
        except (KeyError, ValueError, TypeError):
            page.explained[Why.SET_ASIDE] += 1
    keys = {remote.public_id for remote in found.remotes if remote.public_id}
    found.lead_ids = dict(Lead.objects.filter(public_id__in=keys).values_list("public_id", "pk"))
    found.syncs = LeadSync.objects.in_bulk(found.lead_ids.values())
    here = LeadSync.objects.filter(salesforce_id__gt=after)
    if page.reached:
        here = here.filter(salesforce_id__lte=page.reached)
    found.absent = list(here.exclude(salesforce_id__in=[id_of(row.fields) for row in rows]))
    return found


def _pairs(found: _Found, rows: Sequence[Row]) -> Iterator[Pair]:
    """The records that are a lead's; of the others, that they are nobody's, or one of two."""
    fields = {id_of(row.fields): row.fields for row in rows}
    records = read_records(found.lead_ids.values())
    for remote in found.remotes:
        lead_id = found.lead_ids.get(remote.public_id) if remote.public_id else None
        record = records.get(lead_id or 0)
        if lead_id is None or record is None:
            found.page.differences.append(_nobodys(remote))
            continue
        sync = found.syncs.get(lead_id) or LeadSync(lead_id=lead_id)
        if _is_elsewhere(sync, remote) and sync.salesforce_id not in found.gone:
            found.page.differences.append(_twice(sync, remote))
            continue
        yield Pair(sync, record, remote, fields[remote.salesforce_id])


def _compare(page: Page, pairs: Sequence[Pair], reading: Reading) -> list[tuple[Pair, list[Difference]]]:
    """What nothing explains, lead by lead; the others are counted."""
    progress = _read_progress([pair.remote.salesforce_id for pair in pairs])
    differing = []
    for pair in pairs:
        explained: list[Why] = []
        left = []
        for difference in find_differences(pair, reading=reading):
            why = explain(difference, pair, progress=progress)
            if why is None:
                left.append(difference)
            else:
                explained.append(why)
        if left:
            differing.append((pair, left))
        elif explained:
            page.explained[explained[0]] += 1
    return differing


def _read_progress(ids: Collection[str]) -> Progress:
    cursor = PullCursor.objects.filter(object_name=LEADS).values_list("cursor", flat=True).first()
    failures = PullFailure.objects.filter(salesforce_id__in=ids)
    return Progress(cursor, set(failures.values_list("salesforce_id", flat=True)))


# --- Records that are missing, doubled, or nobody's ----------------------------------------------


def _doubtful(found: _Found, asked_at: datetime | None) -> list[str]:
    """Ids that we know and that were not among the rows, unless where the lead stands explains it."""
    ids = {sync.salesforce_id for sync in found.absent if explain_standing(sync, asked_at=asked_at) is None}
    for remote in found.remotes:
        sync = found.syncs.get(found.lead_ids.get(remote.public_id, 0)) if remote.public_id else None
        if sync is not None and _is_elsewhere(sync, remote):
            ids.add(sync.salesforce_id)
    return sorted(ids)


def _missing(found: _Found, asked_at: datetime | None) -> Iterator[Difference]:
    elsewhere = set(found.lead_ids.values())
    for sync in found.absent:
        why = explain_standing(sync, asked_at=asked_at)
        if why is not None:
            found.page.explained[why] += 1
        elif sync.pk in elsewhere:
            # Its key is on another record of this page, and was dealt with there.
            continue
        elif sync.salesforce_id in found.gone:
            master_id = found.gone[sync.salesforce_id]
            kind, verdict = Drift.Kind.MISSING_THERE, Verdict.GONE
            yield Difference(kind, verdict, sync.pk, sync.salesforce_id, master_id=master_id)
        else:
            yield Difference(Drift.Kind.FIELD, Verdict.KEY_LOST, sync.pk, sync.salesforce_id, LEAD_KEY)


def _is_elsewhere(sync: LeadSync, remote: RemoteLead) -> bool:
    return full_id(sync.salesforce_id) not in ("", remote.salesforce_id)


def _nobodys(remote: RemoteLead) -> Difference:
    kind, verdict = Drift.Kind.UNKNOWN_HERE, Verdict.FOR_A_PERSON
    return Difference(kind, verdict, None, remote.salesforce_id, LEAD_KEY, words=KEY_OF_NOBODY)


def _twice(sync: LeadSync, remote: RemoteLead) -> Difference:
    kind, verdict = Drift.Kind.DOUBLED, Verdict.FOR_A_PERSON
    words = TWICE.format(other=sync.salesforce_id)
    return Difference(kind, verdict, sync.pk, remote.salesforce_id, words=words)


# --- Leads that never arrived ----------------------------------------------------------------------


def compare_unknown_there(*, repairs: bool, now: datetime) -> Page:
    """Leads without a record: most wait to be sent. Those that nothing holds up should have one; of very many
    this takes the first thousands, and the next comparison the others. No call."""
    page = Page()
    without = LeadSync.objects.filter(salesforce_id="", is_converted=False, removed_at=None)
    page.explained[Why.PARKED] = without.parked().count()
    free = without.filter(parked_at=None)
    page.explained[Why.ON_ITS_WAY] = free.in_flight().count()
    free = free.filter(in_flight_since=None)
    page.explained[Why.WAITING] = free.stale().count()
    rules = load_rules()
    for sync in free.filter(send_at=None).order_by("pk")[:ROWS_PER_PAGE]:
        difference = Difference(Drift.Kind.MISSING_THERE, Verdict.NEVER_ARRIVED, sync.pk)
        if repairs:
            repair_missing(difference, rules=rules, now=now)
        page.differences.append(difference)
    return page
