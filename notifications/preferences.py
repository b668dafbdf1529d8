"""Reading and changing how people want to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import Q

from accounts.models import User
from notifications.by_email import is_set_up
from notifications.models import Preference
from notifications.quiet_hours import QuietHours, end_of_quiet


class Quietness:
    """Who wants to be left alone when, for some people at once: one query."""

    def __init__(self, preferences: Mapping[int | None, Preference]) -> None:
        self._preferences = preferences

    @classmethod
    def of(cls, people: Iterable[User | None]) -> Quietness:
        ids = {person.pk for person in people if person}
        if not ids:
            return cls({})
        rows = Preference.objects.filter(Q(person__in=ids) | Q(person=None))
        return cls({row.person_id: row for row in rows})

    def end(self, person: User | None, at: datetime) -> datetime | None:
        """When this person's quiet hours around `at` end; None when they may be told now."""
        if person is None:
            return None
        preference = self._preferences.get(person.pk) or self._preferences.get(None) or Preference()
        if preference.quiet_from is None or preference.quiet_until is None:
            return None
        hours = QuietHours(preference.quiet_from, preference.quiet_until, zone_of(person))
        return end_of_quiet(hours, at)


def zone_of(person: User) -> ZoneInfo:
    """The person's time zone; UTC where none is known by that name."""
    try:
        return ZoneInfo(person.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def who_wants_invitations(people: Iterable[User]) -> set[int]:
    """The ids of those who get calendar invitations: they want them, and e-mail reaches them. One query."""
    reachable = {person.pk for person in people if person.is_active and person.email}
    if not reachable or not is_set_up():
        return set()
    choices = Preference.objects.filter(Q(person__in=reachable) | Q(person=None))
    chosen: dict[int | None, bool] = dict(choices.values_list("person_id", "wants_invitations"))
    usual = chosen.get(None, Preference().wants_invitations)
    return {person for person in reachable if chosen.get(person, usual)}


def set_preference(person: User, choices: Mapping[str, Any]) -> Preference:
    """Keep what a person chose, all of it at once. Repeating it changes nothing."""
    preference, _ = Preference.objects.update_or_create(person=person, defaults=dict(choices))
    return preference


def forget_preference(person: User) -> None:
    """Back to what holds for everybody who has not chosen."""
    Preference.objects.filter(person=person).delete()
