"""What Salesforce does not know yet of the work on a lead: a Task for each handoff and each attempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crm.claims import Claim
from crm.mapping import TASK_KEY, Fields, Rules, changed_fields, map_attempt, map_task
from crm.models import AttemptSync, TaskSync


@dataclass(frozen=True)
class TaskRow:
    """One Task to be sent: what it shall say, and what of that is news."""

    key: str
    wanted: Fields
    changes: Fields
    salesforce_id: str = ""
    """Blank as long as none was confirmed."""
    handoff_id: int | None = None
    attempt_id: int | None = None

    def standing(self, salesforce_id: str) -> TaskSync | AttemptSync:
        """The row that says that it arrived, unsaved."""
        if self.attempt_id is not None:
            return AttemptSync(attempt_id=self.attempt_id, salesforce_id=salesforce_id)
        assert self.handoff_id is not None
        return TaskSync(handoff_id=self.handoff_id, salesforce_id=salesforce_id, acknowledged=self.wanted)


def tasks_to_send(claim: Claim, *, who_id: str, rules: Rules) -> list[TaskRow]:
    """The tasks of a lead that differ from what Salesforce confirmed, those of handoffs first. `who_id` is
    the record there that they belong to; without one there are none."""
    if not who_id:
        return []
    return [*_tasks_of_handoffs(claim, who_id, rules), *_tasks_of_attempts(claim, who_id)]


def _tasks_of_handoffs(claim: Claim, who_id: str, rules: Rules) -> Iterator[TaskRow]:
    for pk, handoff in claim.record.handoffs.items():
        wanted = map_task(claim.record.facts, handoff, who_id=who_id, rules=rules)
        known = claim.tasks.get(pk)
        changes = changed_fields(wanted, known.acknowledged if known else {})
        if changes:
            yield TaskRow(
                handoff.public_id, wanted, changes, known.salesforce_id if known else "", handoff_id=pk
            )


def _tasks_of_attempts(claim: Claim, who_id: str) -> Iterator[TaskRow]:
    for pk, attempt in claim.record.attempts.items():
        fields = map_attempt(claim.record.facts, attempt, who_id=who_id)
        yield TaskRow(attempt.public_id, fields, fields, attempt_id=pk)


def as_upsert(row: TaskRow) -> Fields:
    """The row with its key, as an upsert takes it."""
    return {TASK_KEY: row.key, **row.changes}
