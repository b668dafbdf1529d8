"""Whose turn it is to get a summary, and of which day. Reads, never writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q

from accounts.models import User
from notifications.models import Digest, Preference
from notifications.preferences import zone_of
from sla.business_hours import WorkingCalendar
from sla.calendars import working_hours_of
from sla.timeline import CalendarError

DAY = timedelta(days=1)
# After downtime: what is said of the day as it begins says little when it is half over.
LATEST_DAILY = timedelta(hours=4)
LATEST_WEEKLY = DAY


@dataclass(frozen=True)
class Turn:
    """A summary that one person is to get now: of the day, or of the week before the one that begins `on`."""

    person: User
    kind: Digest.Kind
    on: date
    zone: ZoneInfo

    def midnight(self, days: int = 0) -> datetime:
        """The beginning of the day so many days after `on`, by the person's clock."""
        return datetime.combine(self.on + days * DAY, time(), tzinfo=self.zone)


def turns_at(now: datetime) -> list[Turn]:
    """Everybody whose summary is due and not made yet: reps on their working days at the time they chose,
    managers when the work of the week begins."""
    people = User.objects.filter(is_active=True, role__in=(User.Role.BDR, User.Role.MANAGER))
    wanted = list(_wanted(people.select_related("team"), now=now))
    made = _made(wanted, now=now)
    waiting = [turn for turn in wanted if (turn.person.pk, turn.kind, turn.on) not in made]
    hours = working_hours_of([turn.person for turn in waiting], around=now)
    return [turn for turn in waiting if _is_at_work(turn, hours[turn.person.pk][1], now=now)]


def _wanted(people: Iterable[User], *, now: datetime) -> Iterator[Turn]:
    """Those who ask for one, at any time of the day or the week at which it may still be made."""
    people = list(people)
    rows = Preference.objects.filter(Q(person__in=people) | Q(person=None))
    preferences = {row.person_id: row for row in rows}
    for person in people:
        preference = preferences.get(person.pk) or preferences.get(None) or Preference()
        zone = zone_of(person)
        today = now.astimezone(zone).date()
        if person.role == User.Role.MANAGER:
            if preference.weekly_digest:
                monday = today - today.weekday() * DAY
                yield Turn(person, Digest.Kind.WEEKLY, monday, zone)
        elif preference.daily_digest_at is not None:
            at = datetime.combine(today, preference.daily_digest_at, tzinfo=zone)
            if at <= now < at + LATEST_DAILY:
                yield Turn(person, Digest.Kind.DAILY, today, zone)


def _made(turns: Iterable[Turn], *, now: datetime) -> set[tuple[int, str, date]]:
    ids = [turn.person.pk for turn in turns]
    # A week and a day: by any clock, the Monday of this week is not further back.
    lately = Digest.objects.filter(person__in=ids, on__gte=now.date() - 8 * DAY)
    return set(lately.values_list("person_id", "kind", "on"))


def _is_at_work(turn: Turn, hours: WorkingCalendar, *, now: datetime) -> bool:
    """Whether this is a working day of theirs; for the week, whether its work has begun just now."""
    if turn.kind == Digest.Kind.DAILY:
        return bool(hours.business_time_between(turn.midnight(), turn.midnight(days=1)))
    try:
        begins = hours.next_open(turn.midnight())
    except CalendarError:  # no hour in the years it knows
        return False
    return begins <= now < begins + LATEST_WEEKLY
