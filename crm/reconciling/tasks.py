"""One page of the comparison of tasks, in the order of our key: two with the same one are side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from crm.changes import send_again
from crm.client import SalesforceClient
from crm.mapping import TASK_KEY, FieldRule, Rules, as_sent, as_stored
from crm.masking import mask_fields
from crm.models import Drift, LeadSync, TaskSync
from crm.reconciling.findings import Difference, Page, Verdict
from crm.reconciling.judging import explain_standing
from crm.reconciling.leads import ROWS_PER_PAGE
from crm.rules import load_rules

TWICE = "Another task, {other}, carries the same portal id. Delete one of them there."

Row = Mapping[str, Any]


class _Found(NamedTuple):
    """A task and what differs on it."""

    sync: TaskSync
    difference: Difference


def compare_tasks(client: SalesforceClient, *, after: str, repairs: bool, now: datetime) -> Page:
    """Compare the tasks with keys after this one, in one call: whether there are two of one, and what is ours
    alone on them. What a rep made of a task, and that they deleted it, is theirs. Raises SalesforceError."""
    rules = load_rules()
    rows = list(client.query(_soql(rules, after)))
    is_last = len(rows) < ROWS_PER_PAGE
    if not is_last:
        # Its twin may be on the next page.
        rows = [row for row in rows if row[TASK_KEY] != rows[-1][TASK_KEY]] or rows
    page = Page(compared=len(rows), reached="" if is_last else rows[-1][TASK_KEY])
    page.differences = list(_doubled(rows))
    found = [each for sync, row in _ours(rows) for each in _compare(page, sync, row, rules, client.began_at)]
    for each in found:
        if repairs:
            _repair(each, now=now)
        page.differences.append(each.difference)
    return page


def _soql(rules: Rules, after: str) -> str:
    names = [TASK_KEY, "WhoId", *(rule.salesforce_field for rule in _alone(rules))]
    where = f"{TASK_KEY} != null" + (f" AND {TASK_KEY} > '{after}'" if after else "")
    return f"SELECT Id, {', '.join(names)} FROM Task WHERE {where} ORDER BY {TASK_KEY} LIMIT {ROWS_PER_PAGE}"


def _alone(rules: Rules) -> list[FieldRule]:
    return [rule for rule in rules.sent_of_task if rule.sends_blanks]


def _doubled(rows: Sequence[Row]) -> Iterator[Difference]:
    twins = [list(group) for _, group in groupby(rows, key=lambda row: row[TASK_KEY].lower())]
    who = {row["WhoId"] for group in twins if len(group) > 1 for row in group}
    leads = (
        dict(LeadSync.objects.filter(salesforce_id__in=who).values_list("salesforce_id", "pk")) if who else {}
    )
    for first, *others in twins:
        for other in others:
            words = TWICE.format(other=first["Id"])
            lead_id = leads.get(other["WhoId"])
            yield Difference(
                Drift.Kind.DOUBLED, Verdict.FOR_A_PERSON, lead_id, other["Id"], TASK_KEY, words=words
            )


def _ours(rows: Sequence[Row]) -> Iterator[tuple[TaskSync, Row]]:
    """The tasks of handoffs, by the id under which we know them. An attempt's task never changes."""
    by_id = {row["Id"]: row for row in rows}
    keys = [row[TASK_KEY] for row in rows]
    syncs = TaskSync.objects.filter(handoff__public_id__in=[key for key in keys if _is_uuid(key)])
    for sync in syncs.select_related("handoff__lead__sync"):
        if sync.salesforce_id in by_id:
            yield sync, by_id[sync.salesforce_id]


def _compare(
    page: Page, sync: TaskSync, row: Row, rules: Rules, asked_at: datetime | None
) -> Iterator[_Found]:
    """Fields of ours alone that hold something else than we told."""
    lead = sync.handoff.lead.sync
    for rule in _alone(rules):
        name = rule.salesforce_field
        ours, theirs = as_stored(sync.acknowledged.get(name), rule), as_stored(row.get(name), rule)
        if ours == theirs:
            continue
        why = explain_standing(lead, asked_at=asked_at)
        if why is not None:
            page.explained[why] += 1
            return
        here, there = (
            str(mask_fields("Task", {name: value}, rules=rules)[name] or "") for value in (ours, theirs)
        )
        difference = Difference(
            Drift.Kind.FIELD,
            Verdict.OVERWRITTEN,
            lead.pk,
            row["Id"],
            name,
            here,
            there,
            held=as_sent(theirs, rule),
        )
        yield _Found(sync, difference)


@transaction.atomic
def _repair(found: _Found, *, now: datetime) -> None:
    """Have the field sent again with its lead, unless that is on its way just now."""
    lead_id, difference = found.sync.handoff.lead_id, found.difference
    if LeadSync.objects.select_for_update().filter(pk=lead_id, in_flight_since=None).first() is None:
        return
    task = TaskSync.objects.select_for_update().get(pk=found.sync.pk)
    task.acknowledged[difference.field] = difference.held
    task.save(update_fields=["acknowledged"])
    send_again(LeadSync.objects.filter(pk=lead_id), now=now)
    difference.is_mended = True


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
