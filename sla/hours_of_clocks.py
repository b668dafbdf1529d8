"""The working hours by which clocks count, for many clocks of few owners."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_by
from sla.models import Clock


def hours_of_clocks(clocks: Iterable[Clock]) -> dict[int, WorkingCalendar]:
    """By the ids of the clocks, in a few queries. Public holidays are known for some years around a moment,
    so clocks that started in different years are looked up apart."""
    by_year: defaultdict[int, list[Clock]] = defaultdict(list)
    for clock in clocks:
        by_year[clock.started_at.year].append(clock)
    found: dict[int, WorkingCalendar] = {}
    for each in by_year.values():
        desks = {(clock.calendar_id, clock.owner_id) for clock in each}
        hours = working_hours_by(desks, around=each[0].started_at)
        found |= {clock.pk: hours[clock.calendar_id, clock.owner_id] for clock in each}
    return found
