"""A month of work as five BDRs, a manager and marketing would do it, through the verbs and by one dice."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import Absence, User
from common.errors import DomainError
from feedback.disputes import dispute_verdict, settle_dispute
from feedback.models import Dispute, MarketingTask, QualityCheck, RejectionReason, Verdict
from feedback.quality import record_quality_check
from feedback.recycling import wake_recyclings
from feedback.services import reject_handoff
from feedback.tasks_for_marketing import complete_task, open_gap_tasks
from feedback.undo import undo_rejection
from handoffs.contact.opportunities import lose_opportunity, open_opportunity, win_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads
from handoffs.routing.overflow import assign_all_overflow
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, claim_handoff, record_opened, withdraw_handoff
from handoffs.undo import undo_acceptance
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activities, record_lead
from leads.models import Lead
from sla.sweep import sweep_clocks

YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

Status = Handoff.Status


@dataclass
class Month:
    """The cast and the dice. `done` counts what was really done, by the name of the act."""

    bdrs: list[User]
    manager: User
    marketing: User
    monday: datetime
    chance: random.Random
    done: dict[str, int] = field(default_factory=dict)
    numbers: Iterable[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def work(self, *, days: int, leads_a_day: int) -> datetime:
        """Let so many working days go by; the moment at which the last one ended."""
        absent = self.bdrs[0]
        Absence.objects.create(
            user=absent, starts_at=self.monday + timedelta(days=7), ends_at=self.monday + timedelta(days=12)
        )
        evening = self.monday
        for day in range(days):
            weeks, weekday = divmod(day, 5)
            morning = self.monday + timedelta(weeks=weeks, days=weekday)
            evening = self._day(morning, leads=leads_a_day)
        return evening

    def _day(self, morning: datetime, *, leads: int) -> datetime:
        wake_recyclings(now=morning)
        self._bring_back(morning)
        self._bring_leads(leads, now=morning)
        while advance_due_leads(now=morning + MINUTE):
            pass
        assign_all_overflow(now=morning + 2 * MINUTE)
        now = morning + HOUR
        for handoff in Handoff.objects.open().order_by("id"):
            now += SECOND
            self._work_on(handoff, now=now)
        self._work_of_marketing(now + MINUTE)
        evening = morning + 9 * HOUR
        assign_all_overflow(now=evening)
        open_gap_tasks(now=evening)
        sweep_clocks(now=evening)
        return evening

    # --- Who comes -------------------------------------------------------------------------------

    def _bring_leads(self, count: int, *, now: datetime) -> None:
        """Most ask for a demo; some only look at prices and do not qualify."""
        items = []
        for _ in range(count):
            number = next(iter(self.numbers))
            company = number // 2  # two people of each company, now and then
            facts = LeadFacts(
                email=f"person{number}@firm{company}.example",
                first_name=self.chance.choice(("Ana", "Ben", "Cleo", "Dan")),
                last_name=f"Number {number}",
                title=self.chance.choice(("VP Sales", "CFO", "Clerk")),
                phone="+49 30 1" if self.chance.random() < 0.4 else "",
                country="Germany",
                source=self.chance.choice(("Webinar", "Search", "Partner")),
                company=CompanyFacts(
                    name=f"Firm {company}", domain=f"firm{company}.example", employee_count=250
                ),
            )
            items.append((facts, "Demo Requested" if self.chance.random() < 0.85 else "Page Viewed"))
        leads = [record_lead(facts, via="test", now=now, nudge=False).lead for facts, _ in items]
        self._act(zip(leads, (event for _, event in items), strict=True), now=now)

    def _bring_back(self, now: datetime) -> None:
        """Some whom sales returned come back by themselves and look again."""
        resting = Lead.objects.filter(stage=Lead.Stage.NURTURE).order_by("id")
        back = [lead for lead in resting if self.chance.random() < 0.05]
        self._act([(lead, "Demo Requested") for lead in back], now=now)

    def _act(self, events: Iterable[tuple[Lead, str]], *, now: datetime) -> None:
        items = [
            (
                lead,
                ActivityFacts(event=event, occurred_at=now, message_id=f"{lead.pk} {now.isoformat()}"),
            )
            for lead, event in events
        ]
        record_activities(items, via="test", now=now, nudge=False)

    # --- What sales does -------------------------------------------------------------------------

    def _work_on(self, handoff: Handoff, *, now: datetime) -> None:
        handoff.refresh_from_db()
        if handoff.owner is None:
            if handoff.is_open and self.chance.random() < 0.3:
                self._try("claim", lambda: claim_handoff(handoff, by=self.chance.choice(self.bdrs), now=now))
            return
        rep = handoff.owner
        if rep not in self.bdrs:
            rep = self.manager
        step = {
            Status.OFFERED: self._decide,
            Status.ACCEPTED: self._call,
            Status.CONTACTED: self._qualify,
            Status.QUALIFIED: self._deal,
            Status.OPPORTUNITY: self._close,
        }[Status(handoff.status)]
        step(handoff, rep, now)

    def _decide(self, handoff: Handoff, rep: User, now: datetime) -> None:
        dice = self.chance.random()
        if dice < 0.15:
            return  # too busy today
        record_opened(handoff, by=rep, now=now)
        if dice < 0.65:
            self._try("accept", lambda: accept_handoff(handoff, by=rep, now=now + 10 * SECOND))
            if self.chance.random() < 0.05:
                self._try("undo accept", lambda: undo_acceptance(handoff, by=rep, now=now + 15 * SECOND))
        elif dice < 0.95:
            self._reject(handoff, rep, now + 20 * SECOND)
        else:
            to = self.chance.choice(self.bdrs)
            self._try(
                "reassign",
                lambda: reassign_handoff(handoff, to=to, by=self.manager, now=now, reason="Balance"),
            )

    def _reject(self, handoff: Handoff, rep: User, now: datetime) -> None:
        reason = self.chance.choice(list(RejectionReason.objects.filter(is_active=True)))
        other = Lead.objects.exclude(pk=handoff.lead_id).order_by("id").first()
        self._try(
            "reject",
            lambda: reject_handoff(
                handoff,
                reason=reason,
                note="Seen",
                duplicate_of=other if reason.requires_duplicate else None,
                by=rep,
                via=Verdict.Via.PAGE,
                now=now,
            ),
        )
        if self.chance.random() < 0.1:
            self._try("undo reject", lambda: undo_rejection(handoff, by=rep, now=now + 5 * SECOND))

    def _call(self, handoff: Handoff, rep: User, now: datetime) -> None:
        outcome = self.chance.choice(("connected", "voicemail"))
        self._try("call", lambda: record_attempt(handoff, channel="call", outcome=outcome, by=rep, now=now))
        if outcome == "connected" and self.chance.random() < 0.5:
            good = QualityCheck.Answer.YES
            self._try(
                "check",
                lambda: record_quality_check(
                    handoff, really_qualified=good, data_matched=good, timing_right=good, conversation=4,
                    by=rep, now=now + MINUTE,
                ),
            )  # fmt: skip

    def _qualify(self, handoff: Handoff, rep: User, now: datetime) -> None:
        dice = self.chance.random()
        if dice < 0.4:
            self._try("qualify", lambda: qualify_handoff(handoff, answers=YES, by=rep, now=now))
        elif dice < 0.7:
            self._reject(handoff, rep, now)

    def _deal(self, handoff: Handoff, rep: User, now: datetime) -> None:
        self._try("deal", lambda: open_opportunity(handoff, amount=Decimal(9000), by=rep, now=now))

    def _close(self, handoff: Handoff, rep: User, now: datetime) -> None:
        dice = self.chance.random()
        if dice < 0.2:
            self._try("win", lambda: win_opportunity(handoff, by=rep, now=now))
        elif dice < 0.5:
            self._try("lose", lambda: lose_opportunity(handoff, reason="Price", by=rep, now=now))

    # --- What marketing does ---------------------------------------------------------------------

    def _work_of_marketing(self, now: datetime) -> None:
        for task in MarketingTask.objects.open().order_by("id")[:3]:
            self._try(
                "fix data",
                lambda task=task: complete_task(task, outcome="Asked them", by=self.marketing, now=now),
            )
        offered = Handoff.objects.offered().order_by("id").last()
        if offered and self.chance.random() < 0.5:
            self._try(
                "withdraw",
                lambda: withdraw_handoff(offered, by=self.marketing, now=now, reason="Wrong list"),
            )
        verdict = Verdict.objects.standing().filter(dispute=None).order_by("-id").first()
        if verdict:
            self._try(
                "dispute",
                lambda: dispute_verdict(verdict, comment="They asked for us", by=self.marketing, now=now),
            )
        for dispute in Dispute.objects.filter(settled_at=None).order_by("id")[:1]:
            outcome = self.chance.choice(list(Dispute.Outcome))
            self._try(
                f"settle: {outcome}",
                lambda dispute=dispute, outcome=outcome: settle_dispute(
                    dispute, outcome=outcome, settlement="Heard both", by=self.manager, now=now + MINUTE
                ),
            )

    def _try(self, act: str, verb: Callable[[], object]) -> None:
        # A refusal is an answer; any other error fails the test.
        with contextlib.suppress(DomainError):
            verb()
            self.done[act] = self.done.get(act, 0) + 1
