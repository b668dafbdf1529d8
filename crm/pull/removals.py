"""Leads that were deleted in Salesforce, or merged into another record (CRM-3).

A deleted record is in no query, so the log of deletions is read as well; it has a cursor of its own, the time
that Salesforce says it covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.urls import reverse

from accounts.models import User
from crm.client import SalesforceClient
from crm.ids import full_id
from crm.models import LeadSync
from crm.problems import sort_problem
from crm.pull.cursors import REMOVALS, cursor_of, move_cursor
from leads.models import Lead, LeadEvent
from leads.services import log_event
from notifications.models import Notification
from notifications.services import notify_users

log = structlog.get_logger("salesforce")

# The log reaches back 15 days, and a request that asks for a second more is refused.
REACHES_BACK = timedelta(days=15) - timedelta(hours=1)
# Deletions are rare: a call every now and then is enough.
EVERY = timedelta(minutes=5)
IDS_PER_QUERY = 200
# A winner may itself have been merged away since.
MOST_MERGES = 10
DELETED = sort_problem("ENTITY_IS_DELETED", "")


@dataclass(frozen=True)
class Gone:
    """A record that is not there any more, and the one that it was merged into, if it was."""

    salesforce_id: str
    at: datetime
    master_id: str = ""


def pull_removals(client: SalesforceClient, *, now: datetime) -> int:
    """Find our leads among what was deleted or merged since the last time; say how many. Safe to repeat.

    Asks only every few minutes. Raises SalesforceError. Needs a call made before, which tells what time it is
    over there.
    """
    cursor, there = cursor_of(REMOVALS), client.began_at
    if there is None or (cursor.cursor is not None and there - cursor.cursor < EVERY):
        return 0
    start = max(cursor.cursor or there - REACHES_BACK, there - REACHES_BACK)
    deleted = client.deleted("Lead", start=start, end=there)
    if cursor.cursor is not None and deleted.known_from is not None and deleted.known_from > cursor.cursor:
        # Salesforce purges the log when it grows big. The weekly comparison finds what is missing there.
        log.warning("salesforce.removals_forgotten", until=deleted.known_from.isoformat())
    times = {full_id(each): at for each, at in deleted.times.items()}
    found, postponed = 0, []
    for gone in _find_ours(client, times):
        is_noted = _note_or_postpone(gone, now=now)
        found += bool(is_noted)
        postponed += [gone.at] if is_noted is None else []
    if found:
        log.info("salesforce.removals_found", leads=found)
        _tell_operators(found, key=f"crm-removed-{start.isoformat()}", now=now)
    move_cursor(cursor, to=min([*postponed, deleted.covered_until]), now=now)
    return found


def take_back_removal(lead: Lead, sync: LeadSync, *, now: datetime) -> bool:
    """The record is there after all: somebody took it out of the recycle bin, or made it anew. Noted on
    `sync`; the caller holds the locks and saves it."""
    if sync.removed_at is None:
        return False
    sync.removed_at = None
    if sync.error_code == DELETED.code:
        sync.parked_at, sync.error_code, sync.error = None, "", ""
        sync.save(update_fields=["parked_at", "error_code", "error"])
    _log(lead, became="false", why="there again in Salesforce", now=now)
    return True


def find_masters(client: SalesforceClient, ids: Sequence[str]) -> Mapping[str, str]:
    """Of records that cannot be found any more, the ones that they were merged into and that live; blank for
    one that was deleted. One that is there again is missing. Raises SalesforceError."""
    rows = dict(_read(client, ids))
    known = dict(rows)
    for _ in range(MOST_MERGES):
        unknown = {master for is_deleted, master in known.values() if is_deleted and master} - known.keys()
        if not unknown:
            break
        known |= dict(_read(client, sorted(unknown)))
    masters = {}
    for each in ids:
        is_deleted, master = rows.get(each, (True, ""))
        if is_deleted:
            masters[each] = _last_of(master, known)
    return masters


def _last_of(master: str, known: Mapping[str, tuple[bool, str]]) -> str:
    for _ in range(MOST_MERGES):
        is_deleted, next_one = known.get(master, (True, ""))
        if not is_deleted:
            return master
        master = next_one
    return ""


def _read(client: SalesforceClient, ids: Sequence[str]) -> Iterator[tuple[str, tuple[bool, str]]]:
    for start in range(0, len(ids), IDS_PER_QUERY):
        listed = ", ".join(f"'{each}'" for each in ids[start : start + IDS_PER_QUERY])
        soql = f"SELECT Id, IsDeleted, MasterRecordId FROM Lead WHERE Id IN ({listed})"
        for row in client.query_all(soql):
            yield row["Id"], (row["IsDeleted"], row["MasterRecordId"] or "")


def _find_ours(client: SalesforceClient, times: Mapping[str, datetime]) -> Iterator[Gone]:
    ids = list(times)
    ours: list[str] = []
    for start in range(0, len(ids), 1000):
        syncs = LeadSync.objects.filter(salesforce_id__in=ids[start : start + 1000], removed_at=None)
        ours += syncs.order_by("salesforce_id").values_list("salesforce_id", flat=True).distinct()
    for salesforce_id, master_id in find_masters(client, ours).items():
        yield Gone(salesforce_id, times[salesforce_id], master_id)


# --- Noting -----------------------------------------------------------------------------------------


def _note_or_postpone(gone: Gone, *, now: datetime) -> bool | None:
    noted = [
        note_gone(lead_id, gone, now=now)
        for lead_id in LeadSync.objects.filter(salesforce_id=gone.salesforce_id).values_list("pk", flat=True)
    ]
    return None if None in noted else any(noted)


@transaction.atomic
def note_gone(lead_id: int, gone: Gone, *, now: datetime) -> bool | None:
    """Point the lead to the record that its own was merged into, or note that it was deleted: it then waits
    for an operator to say whether it is made anew, and is never made anew by itself.

    False when that is known already; None when it is on its way out or in another worker's hands.
    """
    winner_id = _lead_of(gone.master_id, not_of=lead_id) if gone.master_id else None
    wanted = [pk for pk in (lead_id, winner_id) if pk]
    free = Lead.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=wanted)
    locked = {lead.pk: lead for lead in free.order_by("pk")}
    if len(locked) < len(wanted):
        return None
    lead = locked[lead_id]
    sync = LeadSync.objects.select_for_update().get(lead=lead)
    if sync.in_flight_since is not None:
        return None
    if sync.salesforce_id != gone.salesforce_id or sync.removed_at is not None:
        return False
    if gone.master_id:
        sync.salesforce_id = sync.master_id = gone.master_id
        _log_merged(lead, locked.get(winner_id or 0), gone.master_id, now=now)
    else:
        sync.removed_at, sync.parked_at = gone.at, now
        sync.error_code, sync.error = DELETED.code, DELETED.in_plain_words
        _log(lead, became="true", why="deleted in Salesforce", now=now)
    sync.save(update_fields=["salesforce_id", "master_id", "removed_at", "parked_at", "error_code", "error"])
    return True


def _lead_of(salesforce_id: str, *, not_of: int) -> int | None:
    """The lead whose own record this is."""
    syncs = LeadSync.objects.filter(salesforce_id=salesforce_id, master_id="").exclude(pk=not_of)
    return syncs.order_by("pk").values_list("pk", flat=True).first()


def _log_merged(lead: Lead, winner: Lead | None, master_id: str, *, now: datetime) -> None:
    """Both leads say so: that they are the same person is for somebody here to see to."""
    with_whom = f"lead {winner.pk}" if winner else "a record that the portal did not know"
    why = f"merged in Salesforce with {with_whom}"
    _log(lead, field="MasterRecordId", became=master_id, why=why, now=now)
    if winner is not None:
        why = f"lead {lead.pk} was merged into it in Salesforce"
        _log(winner, field="MasterRecordId", became=master_id, why=why, now=now)


def _log(lead: Lead, *, became: str, why: str, now: datetime, field: str = "IsDeleted") -> None:
    log_event(lead, LeadEvent.Kind.CRM_CHANGED, at=now, field=field, was="", became=became, why=why)


def _tell_operators(number: int, *, key: str, now: datetime) -> None:
    leads = f"{number} leads were" if number > 1 else "A lead was"
    notify_users(
        User.objects.filter(role=User.Role.OPERATOR, is_active=True),
        kind=Notification.Kind.CRM,
        dedupe_key=key,
        title=f"{leads} deleted or merged in Salesforce",
        body="What was merged follows the record that is left. What was deleted waits for you: make it anew, "
        "or leave it.",
        url=reverse("crm:overview"),
        now=now,
    )
