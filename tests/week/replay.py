"""Living through the week: people act at their minutes, background work runs at its ticks."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from accounts.models import Absence, User
from handoffs.acknowledgement.sending import send_due_acknowledgements
from handoffs.alarms import raise_alarms
from handoffs.contact.services import record_attempt
from handoffs.digests.sending import send_due_digests
from handoffs.escalation import escalate_due_clocks
from handoffs.invitations.upkeep import mark_outside_hours, reconcile_invitations
from handoffs.models import (
    AcknowledgementPolicy,
    Attempt,
    Handoff,
    Pool,
    PoolMembership,
    RoutingRule,
)
from handoffs.routing.overflow import assign_all_overflow
from handoffs.services import accept_handoff, hand_off, record_opened
from notifications.delivering import deliver_due
from notifications.models import Preference
from protocol.service_levels import HYBRID
from scoring.services import score_lead
from sla.calendar_changes import recompute_changed_clocks
from sla.models import Calendar, CalendarInterval, CalendarPerson, Clock, Closure, Target
from sla.pauses import pause_clock, resume_clock
from sla.presets import load_sla_preset
from sla.sweep import sweep_clocks
from sla.ticket_telling import remind_of_late_tickets, tell_owners
from tests.desk import load_desk, ready_lead
from tests.factories import TeamFactory, UserFactory
from tests.week.world import (
    BEGIN,
    DAY,
    EDITED_AT,
    HOUR,
    OFFICES,
    OUTAGE,
    OUTING,
    Arrival,
    Office,
    Reading,
    Rep,
    make_reps,
    moments,
)

TICK = timedelta(minutes=30)
PAUSE = 3 * HOUR


@dataclass
class Week:
    """What was set up and what happened. `now` is read by the mail server, to know when it took what."""

    now: datetime = BEGIN
    reps: dict[int, Rep] = field(default_factory=dict)
    managers: dict[int, Office] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    arrivals: dict[int, Arrival] = field(default_factory=dict)
    """By the id of the lead."""
    pauses: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    """By the id of the clock."""
    edited_at: datetime | None = None
    """The tick at which the outing had been noticed."""

    def __post_init__(self) -> None:
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._offered: set[tuple[int, datetime | None]] = set()
        self._readings: dict[str, Reading] = {}

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (moment, next(self._numbers), act))

    def live(self, arrivals: list[Arrival]) -> None:
        for arrival in arrivals:
            self.at(arrival.at, lambda arrival=arrival: self._arrive(arrival))
        self.at(EDITED_AT, self._enter_outing)
        for tick in moments(TICK):
            while self._queue and self._queue[0][0] <= tick:
                self.now, _, act = heapq.heappop(self._queue)
                act()
                self._plan_for_new_offers()
            self.now = tick
            self._work_in_background()
            self._plan_for_new_offers()

    def _work_in_background(self) -> None:
        now = self.now
        sweep_clocks(now=now)
        escalate_due_clocks(now=now)
        if now.minute == 0:
            self._work_by_the_hour(now)
        while send_due_acknowledgements(now=now) or deliver_due(now=now, limit=50):
            pass

    def _work_by_the_hour(self, now: datetime) -> None:
        """What runs every minute in the portal; here it costs a week of minutes."""
        if now.hour % 6 == 0:
            recompute_changed_clocks(now=now)
            if self.edited_at is None and now >= EDITED_AT:
                self.edited_at = now
        assign_all_overflow(now=now)
        mark_outside_hours(now=now)
        reconcile_invitations(now=now)
        send_due_digests(now=now)
        raise_alarms(now=now)
        tell_owners(now=now)
        remind_of_late_tickets(now=now)

    # --- People -------------------------------------------------------------------------------------

    def _arrive(self, arrival: Arrival) -> None:
        lead = ready_lead(now=self.now, country=arrival.office.country)
        self.arrivals[lead.pk] = arrival
        score = score_lead(lead, now=self.now)
        # The week is about time: its categories are dealt, not earned.
        score.category = arrival.category
        hand_off(lead, score, trigger=Handoff.Trigger.INSTANT, now=self.now)
        if not OUTAGE[0] <= self.now < OUTAGE[1]:
            send_due_acknowledgements(now=self.now)

    def _enter_outing(self) -> None:
        Closure.objects.create(calendar=Calendar.objects.get(name="Berlin"), on=OUTING, name="Outing")

    def _plan_for_new_offers(self) -> None:
        """Whoever got something sees it after so many of their working minutes."""
        for handoff in (
            Handoff.objects.offered().filter(owner__isnull=False).only("owner", "offered_at", "lead")
        ):
            if (handoff.pk, handoff.offered_at) in self._offered:
                continue
            self._offered.add((handoff.pk, handoff.offered_at))
            rep = self.reps[handoff.owner_id]
            if rep.pace is not None:
                reading = self.reading_of(rep)
                seen_at = reading.after(_whole_minute(self.now), rep.pace)
                self.at(seen_at, lambda pk=handoff.pk, by=handoff.owner_id: self._decide(pk, by))

    def _decide(self, pk: int, by_id: int) -> None:
        handoff, rep = self._theirs(pk, by_id)
        if handoff is None or handoff.status != Handoff.Status.OFFERED:
            return
        record_opened(handoff, by=handoff.owner, now=self.now)
        accept_handoff(handoff, by=handoff.owner, now=self.now)
        if self.arrivals[handoff.lead_id].waits:
            self._pause(handoff)
        calls_at = self.reading_of(rep).after(self.now, rep.pace * 2)
        self.at(calls_at, lambda: self._call(pk, by_id))

    def _pause(self, handoff: Handoff) -> None:
        running = Clock.objects.ticking().filter(handoff_id=handoff.pk, kind=Target.Kind.FIRST_CONTACT)
        clock = running.filter(due_at__gte=self.now).first()
        if clock:
            pause_clock(clock, reason="Asked to be called later", by=handoff.owner, now=self.now)
            self.pauses[clock.pk] = [(self.now, self.now + PAUSE)]
            self.at(self.now + PAUSE, lambda pk=clock.pk, by=handoff.owner: self._resume(pk, by))

    def _resume(self, pk: int, by: User) -> None:
        clock = Clock.objects.select_related("owner").get(pk=pk)
        if clock.paused_at:
            resume_clock(clock, by=by, now=self.now)
        else:  # the call came first
            self.pauses[pk] = [(self.pauses[pk][0][0], clock.stopped_at)]

    def _call(self, pk: int, by_id: int) -> None:
        handoff, _ = self._theirs(pk, by_id)
        if handoff is not None and handoff.first_contact_at is None:
            call = {"channel": Attempt.Channel.CALL, "outcome": Attempt.Outcome.CONNECTED}
            record_attempt(handoff, **call, by=handoff.owner, now=self.now)

    def _theirs(self, pk: int, by_id: int) -> tuple[Handoff | None, Rep]:
        handoff = Handoff.objects.open().select_related("owner").filter(pk=pk, owner=by_id).first()
        return handoff, self.reps[by_id]

    def reading_of(self, rep: Rep) -> Reading:
        """As the rep lives: the outing is known to them from the start."""
        if rep.name not in self._readings:
            self._readings[rep.name] = Reading(rep.office, rep.away, knows_of_outing=True)
        return self._readings[rep.name]


def _whole_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def set_up() -> Week:
    """Four offices with calendars, managers, pools and rules; the hybrid preset's service levels."""
    week = Week()
    load_desk(now=BEGIN - DAY)
    load_sla_preset(HYBRID, by=None, now=BEGIN - DAY)
    AcknowledgementPolicy.objects.create(is_active=True, subject="We have your message", body="Thank you.")
    # Everybody who has not chosen gets the digests too.
    Preference.objects.create(daily_digest_at=time(9), weekly_digest=True)
    Calendar.objects.update(is_default=False)
    RoutingRule.objects.update(is_active=False)
    for position, office in enumerate(OFFICES):
        _open_office(week, office, position)
    return week


def _open_office(week: Week, office: Office, position: int) -> None:
    calendar = Calendar.objects.create(
        name=office.name,
        time_zone=office.zone,
        is_default=position == 0,
        holiday_country=office.holiday_country,
    )
    CalendarInterval.objects.bulk_create(
        CalendarInterval(calendar=calendar, weekday=day, opens_at=opens, closes_at=closes)
        for day in office.days
        for opens, closes in office.shifts
    )
    team = TeamFactory(name=office.name)
    people = {"team": team, "time_zone": office.zone}
    manager = UserFactory(username=f"manager-{position}", role=User.Role.MANAGER, **people)
    week.managers[manager.pk] = office
    CalendarPerson.objects.create(calendar=calendar, person=manager)
    pool = Pool.objects.create(name=office.name, team=team, max_hops=2)
    week.pools[office.name] = pool
    RoutingRule.objects.create(name=office.name, position=position, countries=[office.country], pool=pool)
    for rep in (rep for rep in make_reps() if rep.office == office):
        user = UserFactory(username=rep.name, **people)
        week.reps[user.pk] = rep
        CalendarPerson.objects.create(calendar=calendar, person=user)
        PoolMembership.objects.create(pool=pool, user=user)
        if rep.away:
            Absence.objects.create(user=user, starts_at=rep.away[0], ends_at=rep.away[1], reason="Training")
