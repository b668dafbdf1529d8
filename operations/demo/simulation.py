"""The year, played: people visit, the pipeline hands off, reps react, sweeps run; in order of time."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial

from django.db import connection

from accounts.models import User
from handoffs.alarms import raise_alarms
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads
from handoffs.routing.overflow import assign_all_overflow
from handoffs.services import claim_handoff, record_opened
from leads.models import Activity, Lead
from notifications.services import mark_read
from operations.demo import promises
from operations.demo.clockwork import Clockwork
from operations.demo.judgement import HOUR
from operations.demo.loop import Loop
from operations.demo.managers import answer_tickets, pass_on_an_offer, review_last_week
from operations.demo.reps import Reps
from operations.demo.staff import Staff
from operations.demo.stories import YEAR, Story, write_stories
from operations.demo.visitors import Visitors
from sla.business_hours import WorkingCalendar
from sla.calendars import calendar_of, working_hours

DAY = timedelta(days=1)
# Before most of the team begins: what waited overnight is handed out, yesterday's messages have been read.
MORNING = time(5, 30)
# On working days, while all offices are open: alarms go off, tickets are answered, rejections are read.
AFTERNOON = time(14, 20)
PULSE_DAY, PROMISES_FROM = 8, 24
# What has come in since then is still open at the end: tickets, rejections to be read.
LEFT_OPEN = timedelta(days=3)
LAST_WORD = timedelta(hours=3)
SATURDAY = 5
# How many of a rep's working hours before the end a colleague's offer is passed to them. Most of the day's
# work that a decision may take (24 hours in `classic`) is gone then: their queue ends with a warning in it.
COVER_HOURS = tuple(13 + number / 2 for number in range(14))


@dataclass(frozen=True)
class Summary:
    """What a simulation has left behind."""

    leads: int
    activities: int
    handoffs: int
    open_handoffs: int


class Simulation:
    """One invented year for one staff. All of it happens through the portal's verbs, the time passed in."""

    def __init__(self, *, seed: int, size: int, until: datetime, staff: Staff) -> None:
        self._rng = random.Random(f"reactions {seed}")
        self._staff = staff
        self._until = until
        self._stories = write_stories(seed=seed, size=size, until=until)
        self._clockwork = Clockwork(until=until, on_woken=self._look_after, on_lapsed=self._passed_on)
        self._visitors = Visitors(self._clockwork, seed, self._advanced)
        self._hours: dict[int, WorkingCalendar] = {
            one.pk: working_hours(calendar_of(one), person=one, around=until)
            for one in staff.by_username.values()
        }
        self._loop = Loop(
            rng=random.Random(f"loop {seed}"),
            clockwork=self._clockwork,
            hours=self._hours,
            staff=staff,
            on_returned=self._look_after,
        )
        self._reps = Reps(
            rng=self._rng,
            clockwork=self._clockwork,
            hours=self._hours,
            lead_of_story=self._visitors.lead_ids.get,
            loop=self._loop,
        )
        self._story_of_lead: dict[int, Story] = {}
        self._taken_up: set[int] = set()
        self._waiting: dict[int, Story] = {}
        self._covering: set[int] = set()

    def play(self) -> Summary:
        """Play the whole year, and leave the portal as it would be at the end of it."""
        for story in self._stories:
            self._visitors.schedule(story)
        self._schedule_days()
        for username in ("mara", "theo"):
            self._schedule_cover(self._staff[username])
        self._clockwork.schedule(
            promises.morning_before(self._until - promises.REVISED),
            partial(promises.revise_terms, by=self._staff["nia"]),
        )
        self._clockwork.schedule(self._until - LEFT_OPEN, self._loop.promise_more)
        outage = promises.morning_before(self._until - promises.FAILED)
        declared = partial(self._declare_outage, started_at=outage)
        self._clockwork.schedule(outage + promises.OUTAGE + HOUR, declared)
        self._clockwork.schedule(self._until - LAST_WORD, self._loop.contradict_the_last)
        self._clockwork.run()
        while advance_due_leads(now=self._until):
            pass
        self._look_after(Handoff.objects.open().values_list("lead_id", flat=True), self._until)
        return Summary(
            leads=Lead.objects.count(),
            activities=Activity.objects.count(),
            handoffs=Handoff.objects.count(),
            open_handoffs=Handoff.objects.open().count(),
        )

    # --- Handoffs -------------------------------------------------------------------------------

    def _advanced(self, story: Story, now: datetime) -> None:
        lead_id = self._visitors.lead_ids[story.number]
        self._story_of_lead.setdefault(lead_id, story)
        self._look_after([lead_id], now)

    def _look_after(self, lead_ids: Iterable[int], now: datetime) -> None:
        """Let the reps react to open handoffs of these leads that are new to them."""
        for handoff in Handoff.objects.offered().filter(lead_id__in=list(lead_ids)).order_by("pk"):
            if handoff.pk in self._taken_up or handoff.pk in self._waiting:
                continue
            self._clockwork.marks_moved()
            self._passed_on([handoff], now)

    def _take_up(self, handoff: Handoff, story: Story, now: datetime) -> None:
        self._taken_up.add(handoff.pk)
        self._reps.take_up(handoff, story, now)

    def _passed_on(self, handoffs: Iterable[Handoff], now: datetime) -> None:
        """What one rep has let lie is news to the next."""
        for handoff in handoffs:
            story = self._story_of_lead[handoff.lead_id]
            if handoff.owner_id is None:
                self._waiting[handoff.pk] = story
                self._plan_claim(handoff, now)
            else:
                self._take_up(handoff, story, now)

    # --- The overflow queue ---------------------------------------------------------------------

    def _plan_claim(self, handoff: Handoff, now: datetime) -> None:
        """Some of what waits is claimed by a colleague before it is handed out."""
        if self._rng.random() < 0.35:
            claimer = self._staff["mara"]
            at = self._hours[claimer.pk].add_business_time(now, self._rng.uniform(3, 12) * HOUR)
            self._clockwork.schedule(at, partial(self._claim, handoff.pk))

    def _claim(self, handoff_id: int, now: datetime) -> None:
        claimer = self._staff["mara"]
        handoff = Handoff.objects.get(pk=handoff_id)
        in_her_pool = claimer.memberships.filter(pool=handoff.pool_id).exists()
        if handoff.owner_id is None and handoff.is_open and in_her_pool:
            claim_handoff(handoff, by=claimer, now=now)
            self._clockwork.marks_moved()
            self._take_up(handoff, self._waiting.pop(handoff_id), now)

    # --- Covering for a colleague ---------------------------------------------------------------

    def _schedule_cover(self, rep: User) -> None:
        hours = self._hours[rep.pk]
        back = (self._until - number * HOUR for number in range(24 * 30))
        for wanted in COVER_HOURS:
            at = next(
                moment for moment in back if hours.business_time_between(moment, self._until) >= wanted * HOUR
            )
            self._clockwork.schedule(at, partial(self._cover, rep))

    def _cover(self, rep: User, now: datetime) -> None:
        """Once: what `rep` gets so late is looked at and stays undecided."""
        if rep.pk in self._covering:
            return
        handoff = pass_on_an_offer(rep, by=self._staff["nia"], now=now)
        if handoff:
            record_opened(handoff, by=rep, now=now)
            self._covering.add(rep.pk)
            self._taken_up.add(handoff.pk)
            self._clockwork.marks_moved()

    # --- Days -----------------------------------------------------------------------------------

    def _schedule_days(self) -> None:
        day = (self._until - YEAR - 14 * DAY).date()
        while day <= self._until.date():
            at = datetime.combine(day, MORNING, tzinfo=self._until.tzinfo)
            self._clockwork.schedule(at, self._begin_day)
            if day.weekday() < SATURDAY:
                at = datetime.combine(day, AFTERNOON, tzinfo=self._until.tzinfo)
                self._clockwork.schedule(at, self._do_the_rounds)
            day += DAY

    def _begin_day(self, now: datetime) -> None:
        if now.weekday() == 0 or now > self._until - 3 * DAY:
            advance_due_leads(now=now)
            for user in self._staff.by_username.values():
                mark_read(user, now=now)
        if now.weekday() == 0:
            review_last_week(self._rng, by=self._staff["nia"], now=now)
        self._loop.plan_repairs(now, since=now - DAY)
        if now.day == PULSE_DAY:
            progress = 1 - (self._until - now) / YEAR
            self._loop.feel_pulse(now, progress=progress)
        if now.day == 1:
            # The planner knows nothing of tables that were empty a moment ago.
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        if self._waiting:
            assign_all_overflow(now=now)
            for handoff in Handoff.objects.filter(pk__in=self._waiting, owner__isnull=False).order_by("pk"):
                self._take_up(handoff, self._waiting.pop(handoff.pk), now)
        self._clockwork.marks_moved()

    def _do_the_rounds(self, now: datetime) -> None:
        if now < self._until - LEFT_OPEN:
            answer_tickets(self._rng, now)
            self._loop.read_rejections(now)
        # Switched on with the revised terms, which promise what most of them watch.
        if now > self._until - promises.REVISED:
            raise_alarms(now=now)
        if now.day >= PROMISES_FROM:
            self._loop.promise_next_month(now)
        self._clockwork.marks_moved()

    def _declare_outage(self, now: datetime, *, started_at: datetime) -> None:
        promises.declare_outage(now, started_at=started_at, by=self._staff["ola"])
        self._clockwork.marks_moved()
