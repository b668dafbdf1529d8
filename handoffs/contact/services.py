"""After acceptance: attempts to reach the lead, BANT, and the gate to SQL (QUEUE-3, QUEUE-4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from common.errors import InvalidInput
from handoffs.acting import HandoffChanged, NotAcceptedYet, allow_text, lock_handoff, require_worker
from handoffs.contact.gate import PARTS, Gate, current_gate
from handoffs.contact.promises import keep_promises
from handoffs.models import Attempt, Handoff, Qualification
from leads.models import Lead, LeadEvent
from leads.services import log_event, move_stage
from sla.models import Target
from sla.services import stop_clock

# The same attempt by the same person within this time is a double-click, not a second attempt.
DOUBLE_CLICK = timedelta(seconds=5)
# An attempt made so shortly before a planned contact is that contact.
BEFORE_PLAN = timedelta(hours=1)
EVIDENCE_LENGTH = 500
ATTEMPT_NOTE_LENGTH = 1000


class NotQualified(InvalidInput):
    """The gate to SQL is not met. `missing` names the parts."""

    code = "not_qualified"

    def __init__(self, gate: Gate, missing: list[str]) -> None:
        super().__init__(
            f"Not sales-qualified yet: it still needs a yes to {gate.name_all(missing)}.", field=missing[0]
        )
        self.missing = missing


class EvidenceMissing(InvalidInput):
    """The gate to SQL wants to know what each yes rests on. `missing` names the parts that do not say it."""

    code = "evidence_missing"

    def __init__(self, gate: Gate, missing: list[str]) -> None:
        super().__init__(
            f"Not sales-qualified yet: say what they said of {gate.name_all(missing)}.",
            field=f"{missing[0]}_evidence",
        )
        self.missing = missing


@dataclass(frozen=True, kw_only=True)
class BantAnswers:
    """Answers to BANT: "yes", "no" or "unknown" with evidence. None leaves what was said before."""

    budget: str | None = None
    budget_evidence: str | None = None
    authority: str | None = None
    authority_evidence: str | None = None
    need: str | None = None
    need_evidence: str | None = None
    timeline: str | None = None
    timeline_evidence: str | None = None

    def given(self) -> Iterator[tuple[str, str]]:
        """The fields that are answered. Raises InvalidInput naming a field that cannot be taken."""
        for field in fields(self):
            value: str | None = getattr(self, field.name)
            if value is None:
                continue
            if field.name not in PARTS:
                value = allow_text(value, field=field.name, length=EVIDENCE_LENGTH)
            elif value not in Qualification.Answer:
                raise InvalidInput("Answer yes, no or unknown.", field=field.name)
            yield field.name, value


# --- Attempts -----------------------------------------------------------------------------------


@transaction.atomic
def record_attempt(
    handoff: Handoff, *, channel: str, outcome: str, note: str = "", by: User, now: datetime
) -> Attempt:
    """Keep an attempt to reach the lead. The first one stops the first-contact clock and makes it contacted;
    one that reaches somebody, or is the last of those promised, ends the attempts.

    Raises InvalidInput, NotAcceptedYet, HandoffChanged, NotAllowed.
    """
    if channel not in Attempt.Channel:
        raise InvalidInput(f"Choose a channel: {', '.join(Attempt.Channel.values)}.", field="channel")
    if outcome not in Attempt.Outcome:
        raise InvalidInput(f"Choose an outcome: {', '.join(Attempt.Outcome.values)}.", field="outcome")
    note = allow_text(note, field="note", length=ATTEMPT_NOTE_LENGTH)
    lead = lock_accepted(handoff, by=by, now=now)
    same = handoff.attempts.filter(by=by, channel=channel, outcome=outcome, note=note)
    double_clicked = same.filter(at__gt=now - DOUBLE_CLICK, at__lte=now).first()
    if double_clicked:
        return double_clicked
    attempt = handoff.attempts.create(by=by, at=now, channel=channel, outcome=outcome, note=note)
    log_event(
        lead, LeadEvent.Kind.ATTEMPTED, at=now, by=by, handoff_id=handoff.pk, channel=channel, outcome=outcome
    )
    if handoff.first_contact_at is None:
        note_first_contact(handoff, lead, by=by, now=now)
    keep_promises(handoff, lead, attempt)
    _fulfil_plan(handoff, now=now)
    return attempt


def _fulfil_plan(handoff: Handoff, *, now: datetime) -> None:
    """What was planned for now has been done; a plan for later stands."""
    if handoff.planned_contact_at is None or handoff.planned_contact_at > now + BEFORE_PLAN:
        return
    handoff.planned_contact_at, handoff.planned_channel, handoff.planned_note = None, "", ""
    handoff.save(update_fields=["planned_contact_at", "planned_channel", "planned_note"])


def note_first_contact(handoff: Handoff, lead: Lead, *, by: User | None, now: datetime) -> None:
    """Make it contacted and stop the first-contact clock. The caller has locked both."""
    handoff.first_contact_at = now
    if handoff.status == Handoff.Status.ACCEPTED:
        handoff.status = Handoff.Status.CONTACTED
    handoff.save(update_fields=["first_contact_at", "status"])
    stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.FIRST_CONTACT, at=now, by=by)
    log_event(lead, LeadEvent.Kind.CONTACTED, at=now, by=by, handoff_id=handoff.pk)


# --- BANT ---------------------------------------------------------------------------------------


@transaction.atomic
def record_bant(handoff: Handoff, *, answers: BantAnswers, by: User, now: datetime) -> Qualification:
    """Keep what is known of budget, authority, need and timeline. Only what is answered changes.

    Raises InvalidInput, NotAcceptedYet, HandoffChanged, NotAllowed.
    """
    given = dict(answers.given())
    lead = lock_accepted(handoff, by=by, now=now)
    return _store_answers(handoff, lead, given, by=by, now=now)


def _store_answers(
    handoff: Handoff, lead: Lead, given: dict[str, str], *, by: User, now: datetime
) -> Qualification:
    blank = {"updated_at": now, "updated_by": by}
    qualification, _ = Qualification.objects.get_or_create(handoff=handoff, defaults=blank)
    changed = {name: value for name, value in given.items() if getattr(qualification, name) != value}
    if not changed:
        return qualification
    for name, value in changed.items():
        setattr(qualification, name, value)
    qualification.updated_at, qualification.updated_by = now, by
    qualification.save(update_fields=[*changed, "updated_at", "updated_by"])
    # The evidence is text about a person: it stays out of the log, which nobody can edit.
    parts = {name: value for name, value in changed.items() if name in PARTS}
    log_event(lead, LeadEvent.Kind.BANT_RECORDED, at=now, by=by, handoff_id=handoff.pk, **parts)
    return qualification


def required_parts() -> list[str]:
    """Which parts of BANT the protocol wants."""
    return list(current_gate().requires)


@transaction.atomic
def qualify_handoff(handoff: Handoff, *, answers: BantAnswers, by: User, now: datetime) -> Handoff:
    """Make the lead sales-qualified, if all that the protocol requires is a yes (QUEUE-4).

    Qualifying what is qualified already changes nothing. Raises NotQualified or EvidenceMissing naming what
    is missing (the answers are not kept then), InvalidInput, NotAcceptedYet, HandoffChanged, NotAllowed.
    """
    given = dict(answers.given())
    lead = lock_accepted(handoff, by=by, now=now)
    qualification = _store_answers(handoff, lead, given, by=by, now=now)
    if handoff.status in (Handoff.Status.QUALIFIED, Handoff.Status.OPPORTUNITY):
        return handoff
    gate = current_gate()
    missing = gate.missing(qualification)
    if missing:
        raise NotQualified(gate, missing)
    unproven = gate.unproven(qualification)
    if unproven:
        raise EvidenceMissing(gate, unproven)
    note_qualified(handoff, lead, rep=by, by=by, now=now)
    return handoff


def note_qualified(
    handoff: Handoff, lead: Lead, *, rep: User, by: User | None, now: datetime, **detail: str
) -> None:
    """Make it sales-qualified by `rep`: status, log with that `detail`, stage. `by` is None when they did it
    in Salesforce. The caller has locked both, and asked the gate where it is to be asked.
    """
    handoff.status = Handoff.Status.QUALIFIED
    handoff.qualified_at, handoff.qualified_by = now, rep
    handoff.save(update_fields=["status", "qualified_at", "qualified_by"])
    log_event(lead, LeadEvent.Kind.QUALIFIED, at=now, by=by, handoff_id=handoff.pk, **detail)
    move_stage(lead, to=Lead.Stage.SQL, at=now, by=by, handoff_id=handoff.pk)


def lock_accepted(handoff: Handoff, *, by: User, now: datetime) -> Lead:
    """The locked lead of a handoff that `by` works. Raises NotAcceptedYet, HandoffChanged, NotAllowed."""
    lead = lock_handoff(handoff)
    if not handoff.is_open:
        raise HandoffChanged(handoff, now=now)
    require_worker(handoff, by, now=now)
    if handoff.status == Handoff.Status.OFFERED:
        raise NotAcceptedYet()
    return lead
