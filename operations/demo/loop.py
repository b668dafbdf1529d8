"""Plays the feedback loop: why sales accepted, how the first talk went, disputes, repairs, the pulse."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial

from accounts.models import User
from feedback.acceptance import drivers_of, explain_acceptance
from feedback.commitments import commit_to_month
from feedback.disputes import dispute_verdict, settle_dispute
from feedback.models import (
    Commitment,
    Dispute,
    MarketingTask,
    QualityCheck,
    Reading,
    RejectionReason,
    Verdict,
)
from feedback.pulses import month_of, record_pulse
from feedback.quality import record_quality_check
from feedback.readings import mark_rejections_read
from feedback.tasks_for_marketing import complete_task
from handoffs.models import ContextPackage, Handoff
from operations.demo.clockwork import Clockwork
from operations.demo.staff import Staff
from sla.business_hours import WorkingCalendar

Answer, Outcome = QualityCheck.Answer, Dispute.Outcome

EXPLAINED, CHECKED, DISPUTED, OVERTURNED = 0.35, 0.8, 0.16, 0.4
# Some of what marketing owes is left lying past its time.
PROMPTLY, READ_SHARE = 0.85, 0.7
# What marketing promises for the month that begins within some days: by what it has delivered of late.
RECENT, RECENT_MONTHS = timedelta(days=90), 3
NEXT_MONTH, A_MONTH = timedelta(days=10), timedelta(days=30)
AMBITION, GOOD_PERCENT, ENOUGH_DAYS = 1.1, 75, 8

GOOD_NOTES = ("", "", "Knew what they wanted.", "Had read our case studies.")
BAD_NOTES = ("Smaller than the form says.", "Only gathering offers.", "Somebody else decides.")
PROTESTS = (
    "They run three sites; the parent company is well inside our sizes.",
    "Asked for an offer by name last week. Please look again.",
    "The form had the head count of one branch only.",
)
UPHELD = ("The sites are franchises. Not ours.", "Called them: nothing planned.", "No budget, and no owner.")
REPAIRS = ("Rang their switchboard and corrected the number.", "Found on their website.", "Asked by e-mail.")
COMMENTS: Mapping[str, tuple[str, ...]] = {
    "sales": (
        "Too many downloads sold as interest.",
        "The packages are worth reading now.",
        "Fewer, but better than in spring.",
    ),
    "marketing": (
        "Rejections finally come with reasons.",
        "Some leads still wait two days for a call.",
        "The notes help us with the next campaign.",
    ),
}


@dataclass
class Loop:
    """Reacts to what reps do. `on_returned` hears of leads that go to sales once more."""

    rng: random.Random
    clockwork: Clockwork
    hours: Mapping[int, WorkingCalendar]
    staff: Staff
    on_returned: Callable[[Iterable[int], datetime], None]

    # --- Sales ----------------------------------------------------------------------------------

    def accepted(self, handoff: Handoff, rep: User, now: datetime) -> None:
        """Some say at once why."""
        drivers = drivers_of(handoff)
        if drivers and self.rng.random() < EXPLAINED:
            mattered = self.rng.sample(drivers, min(len(drivers), self.rng.choice((1, 1, 2))))
            explain_acceptance(handoff, drivers=mattered, by=rep, now=now)

    def talked(self, handoff: Handoff, rep: User, now: datetime, *, quality: float) -> None:
        """Three questions and a mark, for a lead of which so large a share turns out qualified."""
        if QualityCheck.objects.filter(handoff=handoff).exists() or self.rng.random() > CHECKED:
            return
        is_good = self.rng.random() < quality + 0.2
        record_quality_check(
            handoff,
            really_qualified=self._answer(0.95 if is_good else 0.05),
            data_matched=self._answer(0.85),
            timing_right=self._answer(0.75 if is_good else 0.3),
            conversation=self.rng.choice((4, 4, 5, 5, 3) if is_good else (1, 2, 2, 3)),
            note=self.rng.choice(GOOD_NOTES if is_good else BAD_NOTES),
            by=rep,
            now=now,
        )

    def _answer(self, yes: float) -> str:
        if self.rng.random() < yes:
            return Answer.YES
        return Answer.PARTLY if self.rng.random() < 0.4 else Answer.NO

    # --- Marketing contradicts ------------------------------------------------------------------

    def returned(self, verdict: Verdict, now: datetime) -> None:
        """A lead passed on is with the next rep; some rejections are disputed."""
        if verdict.reason.type == RejectionReason.Type.PROCEDURAL:
            self.on_returned([verdict.lead_id], now)
        elif (
            verdict.reason.type == RejectionReason.Type.DEFINITIONAL
            and self.rng.random() < DISPUTED
            and verdict.reason.treatment != RejectionReason.Treatment.DISQUALIFY
        ):
            self._later("jo", now, 1, 10, partial(self._dispute, verdict))

    def contradict_the_last(self, now: datetime) -> None:
        """The year ends with a dispute that nobody has settled."""
        verdicts = Verdict.objects.against_marketing().filter(dispute=None, at__lt=now).order_by("-at")
        last = verdicts.exclude(reason__treatment=RejectionReason.Treatment.DISQUALIFY).first()
        if last is not None:
            dispute_verdict(last, comment=self.rng.choice(PROTESTS), by=self.staff["jo"], now=now)

    def _dispute(self, verdict: Verdict, now: datetime) -> None:
        comment = self.rng.choice(PROTESTS)
        dispute = dispute_verdict(verdict, comment=comment, by=self.staff["jo"], now=now)
        self._later("nia", now, 2, 14, partial(self._settle, dispute))

    def _settle(self, dispute: Dispute, now: datetime) -> None:
        is_good = self.rng.random() < OVERTURNED
        again = settle_dispute(
            dispute,
            outcome=Outcome.OVERTURNED if is_good else Outcome.UPHELD,
            settlement="Worth a second look." if is_good else self.rng.choice(UPHELD),
            by=self.staff["nia"],
            now=now,
        )
        if again is not None:
            self.on_returned([again.lead_id], now)

    # --- Marketing repairs ----------------------------------------------------------------------

    def plan_repairs(self, now: datetime, *, since: datetime) -> None:
        """What became due to marketing since that moment will be done, most of it in time."""
        for task in MarketingTask.objects.open().filter(created_at__gt=since, created_at__lte=now):
            high = 6 if self.rng.random() < PROMPTLY else 60
            self._later("lee", now, 0.2, high, partial(self._repair, task))

    def _repair(self, task: MarketingTask, now: datetime) -> None:
        task.refresh_from_db()
        if task.done_at is not None:
            return
        again = complete_task(
            task, outcome=self.rng.choice(REPAIRS), changes=self._found(task), by=self.staff["lee"], now=now
        )
        if again is not None:
            self.on_returned([again.lead_id], now)

    def _found(self, task: MarketingTask) -> dict[str, object]:
        """What can be found out about anybody: the telephone number of the firm."""
        missing = ContextPackage.objects.get(handoff=task.handoff_id).missing
        if task.kind == MarketingTask.Kind.FIX_DATA or "phone" in missing:
            return {"phone": f"+49 30 23125 {self.rng.randrange(1000):03}"}
        return {}

    # --- Marketing reads, and promises --------------------------------------------------------------

    def read_rejections(self, now: datetime) -> None:
        """Jo reads what has come in since the last time; now and then the day has no room for it."""
        if self.rng.random() < READ_SHARE:
            unread = list(Reading.objects.open().values_list("pk", flat=True))
            mark_rejections_read(unread, by=self.staff["jo"], now=now)

    def promise_next_month(self, now: datetime) -> None:
        """Once: a little more than sales has had of late."""
        month = month_of(now + NEXT_MONTH)
        if not Commitment.objects.filter(month=month).exists():
            self._promise(month, _mqls_since(now - RECENT, now) / RECENT_MONTHS * AMBITION, now)

    def promise_more(self, now: datetime) -> None:
        """A month that goes so well is promised anew, at the pace of its first weeks."""
        if now.day < ENOUGH_DAYS:
            return
        month = month_of(now)
        begun = datetime.combine(month, time(), tzinfo=now.tzinfo)
        self._promise(month, _mqls_since(begun, now) * (A_MONTH / (now - begun)), now)

    def _promise(self, month: date, mqls: float, now: datetime) -> None:
        commit_to_month(
            month, mqls=max(1, round(mqls)), good_percent=GOOD_PERCENT, by=self.staff["jo"], now=now
        )

    # --- The pulse ------------------------------------------------------------------------------

    def feel_pulse(self, now: datetime, *, progress: float) -> None:
        """Most answer the monthly question; both sides grow fonder of each other with `progress`, 0 to 1."""
        for person in self.staff.by_username.values():
            side = {User.Role.BDR: "sales", User.Role.MARKETING: "marketing"}.get(User.Role(person.role))
            if side is None or self.rng.random() > 0.85:
                continue
            score = round(self.rng.gauss(5.2 + 2.3 * progress, 1.1))
            comment = self.rng.choice(COMMENTS[side]) if self.rng.random() < 0.2 else ""
            record_pulse(person, score=min(10, max(0, score)), comment=comment, now=now)

    def _later(
        self, username: str, now: datetime, low: float, high: float, act: Callable[[datetime], None]
    ) -> None:
        after = timedelta(hours=self.rng.uniform(low, high))
        at = self.hours[self.staff[username].pk].add_business_time(now, after)
        self.clockwork.schedule(at, partial(self._act, act))

    def _act(self, act: Callable[[datetime], None], now: datetime) -> None:
        act(now)
        self.clockwork.marks_moved()


def _mqls_since(since: datetime, now: datetime) -> int:
    """A lead passed on from rep to rep counts once."""
    return Handoff.objects.filter(hops=0, created_at__gt=since, created_at__lte=now).count()
