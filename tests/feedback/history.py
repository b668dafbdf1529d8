"""A history of decisions at a desk, small and with a bit of everything that must or must not count."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from accounts.models import User
from feedback.disputes import dispute_verdict, settle_dispute
from feedback.models import Dispute, FeedbackPolicy, Verdict
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.contact.opportunities import open_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff, record_attempt
from handoffs.models import Attempt, Handoff
from handoffs.services import accept_handoff
from leads.models import Lead
from tests.desk import do, offer, ready_lead, reason

PARTS = ("budget", "authority", "need", "timeline")
YES = BantAnswers(**dict.fromkeys(PARTS, "yes"), **{f"{part}_evidence": "They said so." for part in PARTS})


def rejected(code: str, *, at: datetime, note: str = "", lead: Lead | None = None, **facts: str) -> Verdict:
    handoff = offer(lead or ready_lead(now=at, **facts), now=at)
    return reject(handoff, code, at=at, note=note)


def reject(handoff: Handoff, code: str, *, at: datetime, note: str = "") -> Verdict:
    if reason(code).requires_attempts:
        accept_handoff(handoff, by=handoff.owner, now=at)
        call = {"channel": Attempt.Channel.CALL, "outcome": Attempt.Outcome.NO_ANSWER}
        record_attempt(handoff, **call, by=handoff.owner, now=at)
    return reject_handoff(
        handoff, reason=reason(code), note=note, by=handoff.owner, via=Verdict.Via.PAGE, now=at
    )


def accepted(*, at: datetime, lead: Lead | None = None, **facts: str) -> Handoff:
    handoff = offer(lead or ready_lead(now=at, **facts), now=at)
    return accept_handoff(handoff, by=handoff.owner, now=at)


def reader_of_prices(*, at: datetime, **facts: str) -> Lead:
    """A lead on whom the rule “Pricing page” fires too."""
    lead = ready_lead(now=at, **facts)
    do(lead, "Page Viewed", now=at, path="/pricing")
    return lead


def deal_from(lead: Lead, *, at: datetime) -> Handoff:
    """The lead goes to sales once more, and becomes an opportunity."""
    handoff = accepted(at=at, lead=lead)
    talk = {"channel": Attempt.Channel.MEETING, "outcome": Attempt.Outcome.CONNECTED}
    record_attempt(handoff, **talk, note="", by=handoff.owner, now=at)
    qualify_handoff(handoff, answers=YES, by=handoff.owner, now=at)
    open_opportunity(handoff, amount=None, close_on=None, by=handoff.owner, now=at)
    return handoff


@dataclass
class History:
    """Four readers of prices refused as wrong ICP, four others accepted, and all that must not count."""

    since: datetime
    refused: list[Verdict] = field(default_factory=list)
    accepted: list[Handoff] = field(default_factory=list)
    overturned: Verdict | None = None


def write_history(*, at: datetime, marketing: User, manager: User) -> History:
    FeedbackPolicy.objects.update_or_create(defaults={"min_decided": 4})
    history = History(since=at - timedelta(hours=1))
    for _ in range(4):
        lead = reader_of_prices(at=at, source="Trade fair", campaign="Spring")
        history.refused.append(rejected("wrong-icp", at=at, lead=lead))
        history.accepted.append(accepted(at=at, source="Webinar"))
    rejected("premature", at=at, source="Webinar")
    _write_what_does_not_count(history, at=at, marketing=marketing, manager=manager)
    return history


def _write_what_does_not_count(history: History, *, at: datetime, marketing: User, manager: User) -> None:
    """One too early, one passed on, one undone; and one overturned, which counts as decided."""
    rejected("wrong-icp", at=at - timedelta(days=2), source="Trade fair")
    passed_on = rejected("wrong-rep", at=at, source="Trade fair")
    again = Handoff.objects.open().get(lead=passed_on.lead)
    history.accepted.append(accept_handoff(again, by=again.owner, now=at))
    undone = rejected("no-budget", at=at, source="Trade fair").handoff
    undone.refresh_from_db()
    undo_rejection(undone, by=undone.owner, now=at + timedelta(seconds=5))
    overturned = rejected("wrong-icp", at=at, source="Webinar")
    dispute = dispute_verdict(overturned, comment="They are in the ICP", by=marketing, now=at)
    settle_dispute(dispute, outcome=Dispute.Outcome.OVERTURNED, by=manager, now=at)
    history.overturned = overturned
