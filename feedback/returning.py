"""Back to sales: a lead whose rejection turned out to be wrong, or whose data was repaired."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from feedback.models import Verdict
from feedback.recycling import end_recycling
from handoffs.models import Handoff
from handoffs.services import NoScoringModel, hand_off
from leads.models import Lead
from leads.services import void_return
from scoring.models.scores import ENTRY_STAGES
from scoring.services import score_lead


def give_back(verdict: Verdict, lead: Lead, *, by: User, note: str, now: datetime) -> Handoff | None:
    """Offer the lead to sales again at once, whatever its score and the recycle contract: the return is void.

    None where this return no longer decides about the lead. The caller holds the lead's lock. Raises
    NoScoringModel and NoRouteForLead.
    """
    if not _void_return(verdict, lead, now=now):
        return None
    score = score_lead(lead, now=now)
    if score is None:
        raise NoScoringModel()
    return hand_off(lead, score, trigger=Handoff.Trigger.MANUAL, now=now, by=by, note=note)


def give_back_repaired(verdict: Verdict, lead: Lead, *, by: User, now: datetime) -> Handoff | None:
    """As give_back, if the lead qualifies by what is known of it now; else it is only free to qualify."""
    if not _void_return(verdict, lead, now=now):
        return None
    score, trigger = score_lead(lead, now=now), Handoff.Trigger(verdict.handoff.trigger)
    if score is None or not (score.qualifies or trigger == Handoff.Trigger.MANUAL):
        return None
    return hand_off(lead, score, trigger=trigger, now=now, by=by, note="Marketing fixed the data.")


def handoff_given_back(verdict: Verdict, *, at: datetime | None) -> Handoff | None:
    """The handoff that giving this lead back at that moment made; None if it made none."""
    if at is None:
        return None
    made = Handoff.objects.filter(lead=verdict.lead_id, created_at=at).exclude(pk=verdict.handoff_id)
    return made.select_related("owner").first()


def _void_return(verdict: Verdict, lead: Lead, *, now: datetime) -> bool:
    """End what the return began. False when sales has the lead, it is a customer, or it was returned again
    since: then this return decides nothing."""
    end_recycling(verdict, now=now)
    latest = Verdict.objects.standing().filter(lead=lead).order_by("-at", "-pk").first()
    is_with_sales = Handoff.objects.open().filter(lead=lead).exists()
    if latest != verdict or is_with_sales or lead.stage not in (*ENTRY_STAGES, Lead.Stage.DISQUALIFIED):
        return False
    void_return(lead, handoff_id=verdict.handoff_id, at=now)
    return True
