"""One missed target with what its steps are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import User
from handoffs.models import Handoff
from sla.business_hours import WorkingCalendar
from sla.escalations import time_of_step
from sla.ladder import Decision
from sla.models import Clock
from sla.versions import Step


@dataclass
class Case:
    """A missed clock, its ladder, and the open handoff it is about; None when that is closed."""

    clock: Clock
    ladder: tuple[Step, ...]
    hours: WorkingCalendar
    handoff: Handoff | None
    results: list[tuple[Decision, str]] = field(default_factory=list)
    """What was decided now, with what was done or why not, in words."""

    @property
    def owner(self) -> User | None:
        return self.clock.owner

    @property
    def next_step_at(self) -> datetime | None:
        """When the first step that is not settled is due; None at the end of the ladder."""
        settled = self.clock.steps_taken
        return self.time_of(settled) if settled < len(self.ladder) else None

    def time_of(self, position: int) -> datetime:
        return time_of_step(self.ladder[position], self.clock, self.hours)

    def overdue(self, now: datetime) -> list[int]:
        """The positions of the steps whose time has come, in order."""
        ahead = range(self.clock.steps_taken, len(self.ladder))
        return [position for position in ahead if self.time_of(position) <= now]

    def is_last(self, position: int) -> bool:
        return position == len(self.ladder) - 1
