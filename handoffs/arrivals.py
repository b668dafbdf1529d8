"""A lead that comes in and is answered at once: recorded and moved along in one transaction (ADR 0021)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from accounts.models import User
from handoffs.pipeline import advance_locked, advance_newcomer
from leads.facts import LeadFacts
from leads.intake import record_clean_lead, record_lead, retry_lost_races
from leads.models import Lead
from scoring.models import LeadScore

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """`created`: the person was not known. `score`: none while no model is active, or moving on failed."""

    lead: Lead
    created: bool
    score: LeadScore | None

    @property
    def is_with_sales(self) -> bool:
        return self.lead.stage == Lead.Stage.MQL


def take_lead(facts: LeadFacts, *, via: str, by: User, now: datetime) -> Arrival:
    """Record what a source says of a person, score the lead, and hand it to sales if it is due. The facts
    are clean (`leads.intake.clean_lead`).

    What goes wrong after the recording must not fail the message: then the lead is recorded alone, and its
    mark has the sweep try again.
    """

    def take() -> Arrival:
        recorded = record_clean_lead(facts, via=via, now=now, by=by, nudge=False, marks_new=False)
        advance = advance_newcomer if recorded.created else advance_locked
        score = advance(recorded.lead, now=now)
        return Arrival(recorded.lead, recorded.created, score)

    try:
        return retry_lost_races(take)
    except Exception as error:
        log.exception("lead_not_advanced", error=type(error).__name__)
        recorded = record_lead(facts, via=via, now=now, by=by, nudge=False)
        return Arrival(recorded.lead, recorded.created, None)
