"""Takes over what people did to one lead, under its lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from crm.changes import send_again
from crm.mapping import FieldRule, Fields, Rules
from crm.models import LeadSync
from crm.pull.conversions import take_conversion
from crm.pull.details import take_details
from crm.pull.keeping import keep_reading
from crm.pull.owner import known_people, take_owner
from crm.pull.removals import take_back_removal
from crm.pull.rows import RemoteLead, rules_taken
from crm.pull.status import take_status
from crm.records import status_of_stage
from leads.models import Lead

Times = Mapping[str, datetime]
"""When fields of one record were changed there, by their names; those that are not tracked are missing."""

REMEMBERED = (
    "salesforce_id",
    "master_id",
    "acknowledged",
    "remote_status",
    "remote_owner_id",
    "remote_owner_name",
    "is_converted",
    "removed_at",
    "remote_stamp",
    "remote_digest",
)


@dataclass(frozen=True)
class Reading:
    """What a whole poll goes by: the mappings, as they stood when it began."""

    rules: Rules
    taken: tuple[FieldRule, ...]
    statuses: Mapping[str, str]
    people: Mapping[str, int]


def begin_reading(rules: Rules) -> Reading:
    return Reading(rules, rules_taken(rules), status_of_stage(), known_people())


@transaction.atomic
def apply_remote(remote: RemoteLead, *, reading: Reading, times: Times, now: datetime) -> bool | None:
    """Take over what people changed on one lead; say whether they did. None: not now, read it again.

    A lead on its way out or in another worker's hands waits, and so does a row that was read before our own
    last write was answered: it may be older than that. Safe to repeat.
    """
    assert remote.public_id is not None, "rows without a readable key are left out before"
    leads = Lead.objects.filter(public_id=remote.public_id).select_related("company")
    lead = leads.select_for_update(of=("self",), skip_locked=True, no_key=True).first()
    if lead is None:
        return None
    sync = LeadSync.objects.select_for_update().get_or_create(lead=lead)[0]
    if sync.in_flight_since is not None or may_be_older(sync, remote):
        return None
    settled = take_details(lead, sync, remote, rules=reading.taken, times=times, now=now)
    others = _take_the_rest(lead, sync, remote, reading=reading, times=times, now=now)
    if settled or others:
        keep_reading(lead, remote, settled=settled, others=others, rules=reading.rules, now=now)
    if "IsDeleted" in others or any(each.settlement.send for each in settled):
        send_again(LeadSync.objects.filter(pk=lead.pk), now=now)
    remember(sync, remote)
    sync.save(update_fields=REMEMBERED)
    return bool(settled or others)


def _take_the_rest(
    lead: Lead, sync: LeadSync, remote: RemoteLead, *, reading: Reading, times: Times, now: datetime
) -> Fields:
    """What is news of where the lead stands there, by its fields."""
    status_at = min(times.get("Status", remote.stamp), now)
    owner_at = min(times.get("Owner", remote.stamp), now)
    converted_at = times.get("leadConverted", remote.stamp)
    news: Fields = {}
    if take_back_removal(lead, sync, now=now):
        news["IsDeleted"] = False
    # The owner first: it is they who took it up.
    if take_owner(lead, sync, remote, people=reading.people, at=owner_at, now=now):
        news["OwnerId"] = remote.owner_id
    if take_status(lead, sync, remote, statuses=reading.statuses, at=status_at, now=now):
        news["Status"] = remote.status
    if take_conversion(lead, sync, remote, at=converted_at, now=now):
        news["IsConverted"] = True
    return news


def remember(sync: LeadSync, remote: RemoteLead) -> None:
    """Note on the standing, unsaved, what the row said."""
    # A merged lead whose key was moved to the record that is left has that one for its own.
    if sync.master_id in ("", remote.salesforce_id):
        sync.salesforce_id, sync.master_id = remote.salesforce_id, ""
    sync.remote_status, sync.remote_owner_id = remote.status, remote.owner_id
    sync.remote_owner_name = remote.owner_name
    sync.remote_stamp, sync.remote_digest = remote.stamp, remote.digest


def may_be_older(sync: LeadSync, remote: RemoteLead) -> bool:
    """Whether it may have been read before our last write took effect: both say a time to the second."""
    if sync.acknowledged_at is None or remote.asked_at is None:
        return False
    return remote.asked_at <= sync.acknowledged_at + timedelta(seconds=1)
