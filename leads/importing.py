"""A file of leads, taken in batches: broken rows are told and quarantined, the others kept (INTAKE-5, -6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from common.errors import InvalidInput
from leads.bulk import record_rows
from leads.import_rows import VIA, Line, Row, facts_of_values
from leads.intake import clean_lead
from leads.models import QuarantinedItem
from leads.quarantine import Refusal, quarantine, refusal_of

# Rows that share a transaction: enough to be quick, few enough to hold no lock for long.
BATCH = 500


@dataclass(slots=True)
class Summary:
    rows: int = 0
    created: int = 0
    changed: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def unchanged(self) -> int:
        return self.rows - self.created - self.changed - len(self.refusals)


def import_lines(
    lines: Iterable[Line],
    *,
    origin: str,
    now: datetime,
    dry_run: bool = False,
    progress: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Record every line. Each batch is kept as it is done, so an import that broke off is simply run again:
    what is known already changes nothing. A dry run checks every line and writes nothing."""
    summary = Summary()
    for batch in _batches(lines):
        rows, refusals = _check(batch)
        summary.rows += len(batch)
        summary.refusals += refusals
        if not dry_run:
            created, changed = record_rows(rows, via=VIA, now=now)
            summary.created += created
            summary.changed += changed
            quarantine(refusals, source=QuarantinedItem.Source.IMPORT, origin=origin, now=now)
        progress(summary)
    return summary


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    iterator = iter(lines)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def _check(batch: Iterable[Line]) -> tuple[list[Row], list[Refusal]]:
    rows, refusals = [], []
    for line in batch:
        try:
            if line.problem:
                raise InvalidInput(line.problem)
            row = facts_of_values(line.values)
            rows.append(Row(clean_lead(row.facts), row.created_at))
        except InvalidInput as error:
            refusals.append(refusal_of(error, index=line.number, kind="lead", payload=line.values))
    return rows, refusals
