"""What the log says of a handoff while its clocks ran, and so who lost the time: reading, never writing.

The log is asked, not the handoff: the handoff keeps only its last owner, and lies above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from common.bulk import among
from leads.models import Activity, LeadEvent
from sla.attribution import Attribution, Course, Stretch, attribute_time
from sla.deadlines import terms_of
from sla.hours_of_clocks import hours_of_clocks
from sla.models import Clock, Target
from sla.rests import Rest, rests_of

Kind = LeadEvent.Kind

# After these somebody else has it, or nobody.
CHANGES_OF_OWNER = (Kind.OVERFLOWED, Kind.ASSIGNED, Kind.CLAIMED)
LOOKS = (Kind.OPENED, Kind.ACCEPTED)

# Handoffs of these triggers were due as soon as we knew enough; the others waited for a person.
AUTOMATIC = ("threshold", "instant")


def attribute_clock(clock: Clock, *, now: datetime) -> Attribution:
    """Who lost the time of one clock, up to `now` while it runs."""
    return attribute_clocks([clock], now=now)[clock.pk]


def attribute_clocks(clocks: Sequence[Clock], *, now: datetime) -> dict[int, Attribution]:
    """`attribute_clock` for many, by their ids, in a few queries."""
    hours, courses = hours_of_clocks(clocks), _courses_of(clocks, now=now)
    found = {}
    for clock, course in zip(clocks, courses, strict=True):
        worked_by = hours[clock.pk]
        counted_by, _ = terms_of(clock, worked_by, clock.started_at)
        # The transfer to Salesforce is work for machines: they have no shifts.
        is_ours = clock.kind == Target.Kind.CRM_TRANSFER
        found[clock.pk] = attribute_time(
            course, counted_by=counted_by, worked_by=counted_by if is_ours else worked_by
        )
    return found


def _courses_of(clocks: Sequence[Clock], *, now: datetime) -> list[Course]:
    ways = _ways_of({clock.handoff_id for clock in clocks}, now=now)
    rests = rests_of([clock.pk for clock in clocks])
    return [_course(clock, ways[clock.handoff_id], rests[clock.pk], now=now) for clock in clocks]


def _course(clock: Clock, way: _Way, rests: Sequence[Rest], *, now: datetime) -> Course:
    paused = [(rest.start, rest.end or now) for rest in rests]
    ended_at = max(clock.stopped_at or now, clock.started_at)
    began_with_handoff = clock.started_at == way.handed_off_at
    qualified_at = way.qualified_at if began_with_handoff else None
    if clock.kind == Target.Kind.CRM_TRANSFER:
        # Who has it and whether they looked at it does not hold up Salesforce.
        whole = [(clock.started_at, ended_at)]
        return Course(clock.started_at, ended_at, paused, unsynced=whole, qualified_at=qualified_at)
    return Course(clock.started_at, ended_at, paused, way.unowned, way.unsynced, way.seen, qualified_at)


# --- The way of a handoff, by the log -----------------------------------------------------------


@dataclass
class _Way:
    """A handoff from the moment it was made, as its clocks see it."""

    handed_off_at: datetime | None = None
    qualified_at: datetime | None = None
    unowned: Sequence[Stretch] = ()
    unsynced: list[Stretch] = field(default_factory=list)
    seen: Sequence[Stretch] = ()


def _ways_of(handoff_ids: Collection[int], *, now: datetime) -> defaultdict[int, _Way]:
    ways: defaultdict[int, _Way] = defaultdict(_Way)
    for handoff_id, log in groupby(_log_of(handoff_ids), key=attrgetter("handoff_id")):
        ways[handoff_id] = _follow(list(log), now=now)
    for handoff_id, qualified_at in _qualified(handoff_ids):
        ways[handoff_id].qualified_at = qualified_at
    transfers = Clock.objects.filter(handoff_id__in=among(handoff_ids), kind=Target.Kind.CRM_TRANSFER)
    rows = transfers.order_by("started_at", "id").values_list("handoff_id", "started_at", "stopped_at")
    for handoff_id, started_at, stopped_at in rows:
        ways[handoff_id].unsynced.append((started_at, stopped_at or now))
    return ways


def _log_of(handoff_ids: Collection[int]) -> QuerySet[LeadEvent]:
    kinds = (Kind.HANDED_OFF, *CHANGES_OF_OWNER, *LOOKS, Kind.UNDONE)
    entries = LeadEvent.objects.filter(handoff_id__in=among(handoff_ids), kind__in=kinds)
    return entries.order_by("handoff_id", "id")


def _follow(log: Sequence[LeadEvent], *, now: datetime) -> _Way:
    """Follow a handoff through its log: whether somebody had it, and whether they had looked at it."""
    way, unowned, seen = _Way(), _Switch(), _Switch()
    seen_by: int | None = None
    for entry in _standing(log):
        if entry.kind == Kind.HANDED_OFF:
            way.handed_off_at = entry.at
        elif entry.kind in LOOKS:
            seen.turn_on(entry.at)
            seen_by = entry.by_id
        else:
            # Whoever gets it has not seen it, unless they looked at it where it waited.
            if entry.kind != Kind.CLAIMED or entry.by_id != seen_by:
                seen.turn_off(entry.at)
            unowned.turn_off(entry.at)
            if entry.kind == Kind.OVERFLOWED:
                unowned.turn_on(entry.at)
    way.unowned, way.seen = unowned.stretches_until(now), seen.stretches_until(now)
    return way


def _standing(log: Sequence[LeadEvent]) -> list[LeadEvent]:
    """The entries that nobody took back. Who took an acceptance back gave up the claim of the same click."""
    undone = {entry.detail.get("entry") for entry in log if entry.kind == Kind.UNDONE}
    acts = {(entry.by_id, entry.at) for entry in log if entry.pk in undone}
    return [
        entry
        for entry in log
        if entry.kind != Kind.UNDONE
        and entry.pk not in undone
        and not (entry.kind == Kind.CLAIMED and (entry.by_id, entry.at) in acts)
    ]


class _Switch:
    """What is on or off, and when it was on. Turning on what is on changes nothing, and so for off."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self.stretches: list[Stretch] = []

    def turn_on(self, at: datetime) -> None:
        self.since = self.since or at

    def turn_off(self, at: datetime) -> None:
        if self.since:
            self.stretches.append((self.since, at))
        self.since = None

    def stretches_until(self, now: datetime) -> list[Stretch]:
        self.turn_off(now)
        return self.stretches


def _qualified(handoff_ids: Collection[int]) -> Iterator[tuple[int, datetime]]:
    """When we knew the last thing each lead did before it was handed over by itself, by handoff.

    A lead that was looked at between the two waited for something else than scoring: for marketing to release
    it, for the end of a hold, for time to pass. It is left out.
    """
    offers = LeadEvent.objects.filter(
        handoff_id__in=among(handoff_ids), kind=Kind.HANDED_OFF, by=None, detail__trigger__in=AUTOMATIC
    )
    # PostgreSQL's GREATEST passes over nulls.
    known = Activity.objects.filter(lead=OuterRef("lead")).annotate(
        at=Greatest("received_at", "attributed_at")
    )
    looks = LeadEvent.objects.filter(
        lead=OuterRef("lead"), kind__in=(Kind.SCORE_CHANGED, Kind.RELEASED), at__lt=OuterRef("at")
    )
    rows = offers.annotate(
        known_at=Subquery(known.filter(at__lte=OuterRef("at")).order_by("-occurred_at").values("at")[:1]),
        looked_at=Subquery(looks.order_by("-at").values("at")[:1]),
    ).values_list("handoff_id", "known_at", "looked_at")
    for handoff_id, known_at, looked_at in rows:
        if handoff_id and known_at and (looked_at is None or looked_at < known_at):
            yield handoff_id, known_at
