"""Holds one record against ours, field by field, and says what lies behind each difference."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from crm.mapping import FieldRule, Rules, Settlement, as_stored, settle
from crm.masking import mask_fields
from crm.models import Drift, LeadSync
from crm.pull.applying import Reading
from crm.pull.news import has_new_owner, has_new_status
from crm.pull.polling import OVERLAP
from crm.pull.rows import RemoteLead, rules_taken
from crm.reconciling.findings import Difference, Verdict, Why
from crm.records import LeadRecord


@dataclass(frozen=True)
class Pair:
    """A lead and its record there, as both were just read. `row` holds all of the record's mapped fields."""

    sync: LeadSync
    record: LeadRecord
    remote: RemoteLead
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """How far the poll is, which explains what it has not read yet."""

    cursor: datetime | None
    set_aside: Collection[str]
    """Ids of the rows that it could not take over."""


def compared_rules(rules: Rules) -> list[FieldRule]:
    """The fields of the Lead that the portal sends, or has a place for."""
    return [*rules.sent_of_lead, *(rule for rule in rules_taken(rules) if not rule.is_sent)]


def find_differences(pair: Pair, *, reading: Reading) -> list[Difference]:
    """What differs, values masked, whether it explains itself or not."""
    found = [*_compare_standing(pair, reading), *_compare_fields(pair, reading.rules)]
    for each in found:
        each.lead_id, each.salesforce_id = pair.sync.pk, pair.remote.salesforce_id
        each.ours, each.theirs = (
            mask_fields("Lead", {each.field: value}, rules=reading.rules)[each.field]
            for value in (each.ours, each.theirs)
        )
    return found


def explain(difference: Difference, pair: Pair, *, progress: Progress) -> Why | None:
    """Why the two may differ for now; None when nothing explains it, so that it would stay."""
    sync, verdict = pair.sync, difference.verdict
    if verdict is Verdict.KEPT_THERE:
        return Why.KEPT_THERE
    why = explain_standing(sync, asked_at=pair.remote.asked_at)
    # A record that was found is not deleted, whatever we think.
    if why is not None and why is not Why.REMOVED:
        return why
    if verdict is Verdict.UNSENT and sync.send_at is not None:
        return Why.WAITING
    if verdict is Verdict.UNREAD and pair.remote.salesforce_id in progress.set_aside:
        return Why.SET_ASIDE
    if verdict is Verdict.UNREAD and _is_still_to_be_read(pair.remote, progress.cursor):
        return Why.UNREAD
    return None


def explain_standing(sync: LeadSync, *, asked_at: datetime | None) -> Why | None:
    """What where a lead stands explains, whatever differs. Salesforce was not read before `asked_at`."""
    if sync.in_flight_since is not None or _was_written_since(sync, asked_at):
        return Why.ON_ITS_WAY
    if sync.removed_at is not None:
        return Why.REMOVED
    if sync.parked_at is not None:
        return Why.PARKED
    if sync.is_converted:
        return Why.CONVERTED
    return Why.MERGED if sync.master_id else None


def _was_written_since(sync: LeadSync, asked_at: datetime | None) -> bool:
    """Both say a time to the second."""
    if sync.acknowledged_at is None or asked_at is None:
        return False
    return asked_at <= sync.acknowledged_at + timedelta(seconds=1)


def _is_still_to_be_read(remote: RemoteLead, cursor: datetime | None) -> bool:
    return cursor is None or remote.stamp >= cursor - OVERLAP


# --- Fields -------------------------------------------------------------------------------------


def _compare_fields(pair: Pair, rules: Rules) -> Iterator[Difference]:
    facts, acknowledged = pair.record.facts, pair.sync.acknowledged
    for rule in compared_rules(rules):
        name = rule.salesforce_field
        ours, theirs = rule.portal.read(facts, facts.handoff), pair.row.get(name)
        here, there = as_stored(ours, rule), as_stored(theirs, rule)
        if here == there:
            continue
        settled = settle(rule, base=acknowledged.get(name), ours=ours, theirs=theirs)
        verdict = _verdict(rule, settled, was=acknowledged.get(name))
        if verdict is not None:
            yield _field(name, verdict, here, there, held=settled.acknowledged)


def _verdict(rule: FieldRule, settled: Settlement, *, was: object) -> Verdict | None:
    if settled.take:
        # What was emptied here says nothing there, and is filled with their next change.
        is_emptied = rule.is_sent and as_stored(was, rule) == settled.value
        return Verdict.KEPT_THERE if is_emptied else Verdict.UNREAD
    if not settled.send:
        return None
    if as_stored(was, rule) != settled.value:
        return Verdict.UNSENT
    # They were told, and hold something else. Of a field that is not ours alone it is no matter of ours.
    return Verdict.OVERWRITTEN if rule.sends_blanks or rule.is_read else Verdict.KEPT_THERE


def _compare_standing(pair: Pair, reading: Reading) -> Iterator[Difference]:
    """Status and owner, which have mappings of their own, and what became of the record."""
    sync, remote, facts = pair.sync, pair.remote, pair.record.facts
    wanted = {"Status": reading.statuses.get(facts.stage), "OwnerId": facts.owner_salesforce_id}
    theirs = {"Status": remote.status, "OwnerId": remote.owner_id}
    is_news = {
        "Status": has_new_status(sync, remote),
        "OwnerId": has_new_owner(sync, remote, people=reading.people),
    }
    for name, ours in wanted.items():
        if is_news[name]:
            yield _field(name, Verdict.UNREAD, ours, theirs[name], held=theirs[name])
        elif ours and ours != theirs[name]:
            is_told = sync.acknowledged.get(name) == ours
            verdict = Verdict.KEPT_THERE if is_told else Verdict.UNSENT
            yield _field(name, verdict, ours, theirs[name], held=theirs[name])
    if remote.is_converted and not sync.is_converted:
        yield _field("IsConverted", Verdict.UNREAD, None, None, held=True)
    if sync.removed_at is not None:
        yield _field("IsDeleted", Verdict.UNREAD, None, None, held=False)
    if sync.salesforce_id != remote.salesforce_id:
        yield _field("Id", Verdict.UNREAD, sync.salesforce_id, remote.salesforce_id, held=None)


def _field(name: str, verdict: Verdict, ours: object, theirs: object, *, held: object) -> Difference:
    here, there = ("" if value is None else str(value) for value in (ours, theirs))
    return Difference(Drift.Kind.FIELD, verdict, None, field=name, ours=here, theirs=there, held=held)
