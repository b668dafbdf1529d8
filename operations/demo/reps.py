"""Plays the reps: they open, accept or reject, call, qualify, sell; each in their own working hours."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from accounts.models import User
from feedback.models import RejectionReason, Verdict
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.contact.opportunities import lose_opportunity, open_opportunity, win_opportunity
from handoffs.contact.planning import plan_contact
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt, record_bant
from handoffs.models import Attempt, Handoff
from handoffs.services import accept_handoff, record_opened
from leads.models import Lead
from operations.demo import judgement
from operations.demo.clockwork import Clockwork
from operations.demo.judgement import HOUR, Haste, Temper
from operations.demo.loop import Loop
from operations.demo.stories import Story
from sla.business_hours import WorkingCalendar

Channel, Outcome, Status = Attempt.Channel, Attempt.Outcome, Handoff.Status

# The year ends with more leads than the team can look at.
BUSY_DAYS = timedelta(days=11)
SECONDS_TO_UNDO = timedelta(seconds=6)
# Call, write, call again: what a rep tries, in this order.
CADENCE = (Channel.CALL, Channel.EMAIL, Channel.CALL, Channel.LINKEDIN, Channel.CALL, Channel.EMAIL)

TALK_NOTES = (
    "Half an hour with the planner in the call; sends us an export.",
    "Showed scheduling; wants to see the ERP connector next.",
    "Good talk. Two sites first, the others later.",
)
REACHED_NOTES = (
    "Picked up at once, call booked.",
    "Asked for a call on Thursday.",
    "Called back, has ten minutes.",
)
CURRENCIES = {"United States": "USD", "Canada": "USD", "United Kingdom": "GBP"}


@dataclass(frozen=True)
class Case:
    """One handoff in a rep's hands, with who the lead really is."""

    handoff_id: int
    story: Story
    temper: Temper


class Reps:
    """Reacts to every handoff of a story, by scheduling what its owner will do about it."""

    def __init__(
        self,
        *,
        rng: random.Random,
        clockwork: Clockwork,
        hours: Mapping[int, WorkingCalendar],
        lead_of_story: Callable[[int], int | None],
        loop: Loop,
    ) -> None:
        self._rng = rng
        self._clockwork = clockwork
        self._hours = hours
        self._lead_of_story = lead_of_story
        self._loop = loop
        self._busy_turns: Counter[int | None] = Counter()
        self._reasons = {reason.code: reason for reason in RejectionReason.objects.all()}

    def take_up(self, handoff: Handoff, story: Story, now: datetime) -> None:
        """The owner has got a new offer: plan when they look at it and when they decide."""
        employer = story.person.employer
        temper = judgement.temper_of(
            story.persona,
            returning=handoff.is_returning,
            growing=employer is not None and employer.is_growing,
        )
        case = Case(handoff.pk, story, temper)
        decide_after = judgement.time_to_decide(self._rng, self._haste(handoff.owner_id, now))
        open_after = min(judgement.time_to_open(self._rng), decide_after)
        self._plan(case, handoff.owner_id, now, open_after, self._look)
        self._plan(case, handoff.owner_id, now, decide_after, self._decide)

    def _haste(self, owner_id: int | None, now: datetime) -> Haste:
        if now < self._clockwork.until - BUSY_DAYS:
            return judgement.usual_haste(self._rng)
        turn = self._busy_turns[owner_id]
        self._busy_turns[owner_id] += 1
        return judgement.BUSY_HASTE[turn % len(judgement.BUSY_HASTE)]

    # --- The decision ---------------------------------------------------------------------------

    def _look(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        record_opened(handoff, by=rep, now=now)

    def _decide(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        if handoff.status != Status.OFFERED:
            return
        record_opened(handoff, by=rep, now=now)
        if self._rng.random() < case.temper.accepted:
            accept_handoff(handoff, by=rep, now=now)
            self._loop.accepted(handoff, rep, now)
            self._later(case, rep, now, 0.1, 5, partial(self._attempt, 0))
        elif self._rng.randrange(100) < judgement.SLIPS:
            self._slip(case, handoff, rep, now)
        else:
            self._reject(case, handoff, rep, now, case.temper.refusals)

    def _slip(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        """Rejected by mistake, taken back within seconds, and decided again with more care."""
        reason = self._reasons[judgement.PREMATURE.code]
        reject_handoff(handoff, reason=reason, by=rep, via=Verdict.Via.PAGE, now=now)
        undo_rejection(handoff, by=rep, now=now + SECONDS_TO_UNDO)
        self._later(case, rep, now, 0.1, 1, self._decide)

    def _reject(
        self,
        case: Case,
        handoff: Handoff,
        rep: User,
        now: datetime,
        refusals: tuple[tuple[judgement.Refusal, int], ...],
    ) -> None:
        code, note = judgement.pick_refusal(self._rng, refusals)
        verdict = reject_handoff(
            handoff,
            reason=self._reasons[code],
            note=note,
            duplicate_of=self._other_lead(case.story) if code == "duplicate" else None,
            by=rep,
            via=Verdict.Via.PAGE,
            now=now,
        )
        self._loop.returned(verdict, now)

    def _other_lead(self, story: Story) -> Lead | None:
        """The lead under the person's first address."""
        lead_id = None if story.same_person_as is None else self._lead_of_story(story.same_person_as)
        return None if lead_id is None else Lead.objects.get(pk=lead_id)

    # --- Contact --------------------------------------------------------------------------------

    def _attempt(self, number: int, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        channel = CADENCE[number]
        reached = self._rng.random() < case.temper.reached
        outcome = Outcome.CONNECTED if reached else self._no_luck(channel)
        note = self._rng.choice(REACHED_NOTES) if reached else ""
        record_attempt(handoff, channel=channel, outcome=outcome, note=note, by=rep, now=now)
        if reached:
            self._later(case, rep, now, 6, 40, self._talk)
        elif number + 1 < len(CADENCE) and self._rng.random() < 0.93:
            at = self._later(case, rep, now, 4, 14, partial(self._attempt, number + 1))
            plan_contact(handoff, at=at, channel=CADENCE[number + 1], by=rep, now=now)
        else:
            self._later(case, rep, now, 2, 9, self._give_up)

    def _no_luck(self, channel: Attempt.Channel) -> Attempt.Outcome:
        if channel == Channel.CALL:
            return self._rng.choice((Outcome.VOICEMAIL, Outcome.NO_ANSWER, Outcome.NO_ANSWER))
        if channel == Channel.EMAIL and self._rng.random() < 0.06:
            return Outcome.BOUNCED
        return Outcome.SENT

    def _give_up(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        self._reject(case, handoff, rep, now, ((judgement.UNREACHABLE, 1),))

    def _talk(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        """The first real conversation: a meeting, the four BANT questions, and a verdict."""
        note = self._rng.choice(TALK_NOTES)
        record_attempt(
            handoff, channel=Channel.MEETING, outcome=Outcome.CONNECTED, note=note, by=rep, now=now
        )
        self._loop.talked(handoff, rep, now, quality=case.temper.qualified)
        if self._rng.random() < case.temper.qualified:
            qualify_handoff(handoff, answers=self._all_yes(case.story), by=rep, now=now)
            self._later(case, rep, now, 2, 24, self._propose)
        elif self._rng.random() < 0.6:
            record_bant(handoff, answers=self._half_known(case.story), by=rep, now=now)
            self._later(case, rep, now, 12, 60, self._talk)
        else:
            self._later(case, rep, now, 1, 10, self._return)

    def _return(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        self._reject(case, handoff, rep, now, judgement.AFTER_A_TALK)

    def _all_yes(self, story: Story) -> BantAnswers:
        answers = story.answers
        return BantAnswers(
            budget="yes",
            budget_evidence=f"Named a frame: {answers.budget}.",
            authority="yes",
            authority_evidence=f"{story.person.title}, signs together with finance.",
            need="yes",
            need_evidence=answers.pain_point,
            timeline="yes",
            timeline_evidence=f"Wants to start: {answers.timeline.lower()}.",
        )

    def _half_known(self, story: Story) -> BantAnswers:
        return BantAnswers(
            need="yes", need_evidence=story.answers.pain_point, authority="unknown", budget="unknown"
        )

    # --- The deal -------------------------------------------------------------------------------

    def _propose(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        days = self._rng.randint(20, 75)
        open_opportunity(
            handoff,
            amount=self._amount(case.story),
            currency=CURRENCIES.get(case.story.person.place.country, "EUR"),
            close_on=(now + timedelta(days=days)).date(),
            by=rep,
            now=now,
        )
        self._later(case, rep, now, days * 4.5, days * 6.5, self._settle)

    def _settle(self, case: Case, handoff: Handoff, rep: User, now: datetime) -> None:
        if self._rng.random() < case.temper.won:
            win_opportunity(handoff, by=rep, now=now)
        else:
            lose_opportunity(handoff, reason=self._rng.choice(judgement.LOST_REASONS), by=rep, now=now)

    def _amount(self, story: Story) -> Decimal:
        heads = story.person.employer.employee_count if story.person.employer else 10
        return Decimal(round(min(max(heads * self._rng.uniform(60, 140), 4_000), 400_000) / 500) * 500)

    # --- Planning -------------------------------------------------------------------------------

    def _later(
        self,
        case: Case,
        rep: User,
        now: datetime,
        low_hours: float,
        high_hours: float,
        do: Callable[[Case, Handoff, User, datetime], None],
    ) -> datetime:
        return self._plan(case, rep.pk, now, self._rng.uniform(low_hours, high_hours) * HOUR, do)

    def _plan(
        self,
        case: Case,
        rep_id: int | None,
        now: datetime,
        after: timedelta,
        do: Callable[[Case, Handoff, User, datetime], None],
    ) -> datetime:
        """Have the rep do it after so much of their working time, if the handoff is still open and theirs;
        say when."""
        assert rep_id is not None
        at = self._hours[rep_id].add_business_time(now, after)
        self._clockwork.schedule(at, partial(self._act, case, rep_id, do))
        return at

    def _act(
        self,
        case: Case,
        rep_id: int,
        do: Callable[[Case, Handoff, User, datetime], None],
        now: datetime,
    ) -> None:
        handoff = Handoff.objects.select_related("owner").get(pk=case.handoff_id)
        if handoff.owner is not None and handoff.owner.pk == rep_id and handoff.is_open:
            do(case, handoff, handoff.owner, now)
            self._clockwork.marks_moved()
