"""Who a step is for, and when they are at work: read once for all that a sweep has in hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from accounts.models import User
from handoffs.models import PoolMembership
from sla.breaches import managers_of
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_of
from sla.shifts import is_at_work
from sla.timeline import CalendarError


class People:
    """People at one moment."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._hours: dict[int, WorkingCalendar] = {}
        self._managers: dict[int | None, list[User]] = {}
        self._members: dict[int, list[User]] = {}

    def managers_of(self, team_id: int | None) -> list[User]:
        if team_id not in self._managers:
            self._managers[team_id] = list(managers_of(team_id))
        return self._managers[team_id]

    def members_of(self, pool_id: int) -> list[User]:
        """Who takes leads of a pool."""
        if pool_id not in self._members:
            memberships = PoolMembership.objects.filter(pool=pool_id, is_active=True, user__is_active=True)
            self._members[pool_id] = [each.user for each in memberships.select_related("user")]
        return self._members[pool_id]

    def at_work(self, people: Sequence[User]) -> list[User]:
        """Those of them who work now."""
        self._look_up(people)
        return [one for one in people if not one.away_since and is_at_work(self._hours[one.pk], self._now)]

    def is_out_of_office(self, person: User) -> bool:
        """Whether an absence covers this moment, as opposed to a night or a weekend."""
        self._look_up([person])
        return any(each.start <= self._now < each.end for each in self._hours[person.pk].absences)

    def back_at(self, people: Sequence[User]) -> datetime | None:
        """When the first of them works again. None when one works now, and when nobody can say."""
        if self.at_work(people):
            return None
        openings = [self._opening(one) for one in people if not one.away_since]
        return min((opening for opening in openings if opening), default=None)

    def _opening(self, person: User) -> datetime | None:
        try:
            return self._hours[person.pk].next_open(self._now)
        except CalendarError:  # no hour in the years their calendar knows
            return None

    def _look_up(self, people: Iterable[User]) -> None:
        unknown = [one for one in people if one.pk not in self._hours]
        if unknown:
            found = working_hours_of(unknown, around=self._now)
            self._hours |= {pk: hours for pk, (_, hours) in found.items()}
