"""Everything the handoff page tells about one handoff, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from handoffs.contact.cadence import quick_times
from handoffs.contact.cadences import hours_of, progress_of
from handoffs.contact.gate import current_gate
from handoffs.contact.opportunities import usual_lost_reasons
from handoffs.forms import (
    QUICK_ATTEMPTS,
    AttemptForm,
    BantForm,
    LostForm,
    OpportunityForm,
    PlanForm,
    ReassignForm,
    WithdrawForm,
)
from handoffs.models import Attempt, Handoff, Opportunity, Qualification
from handoffs.package.page import tell_package
from handoffs.permissions import permissions_for
from handoffs.routing.explanation import tell_decisions
from leads.models import LeadEvent
from sla.models import Clock, Target


def tell_story(
    handoff: Handoff, *, viewer: User, now: datetime, forms: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The context of the handoff page. `forms` replaces fresh forms by ones that hold refused input."""
    may = permissions_for(viewer, handoff)
    attempts = list(Attempt.objects.filter(handoff=handoff).select_related("by"))
    qualification = Qualification.objects.filter(handoff=handoff).first()
    opportunity = Opportunity.objects.filter(handoff=handoff).first()
    gate = current_gate()
    clocks = clocks_of(handoff)
    context: dict[str, Any] = {
        "handoff": handoff,
        "lead": handoff.lead,
        **tell_package(handoff),
        "may": may,
        "clocks": clocks,
        "attempts": attempts,
        "quick_attempts": QUICK_ATTEMPTS,
        **(_what_is_next(handoff, attempts, clocks, viewer=viewer, now=now) if may.attempt else {}),
        "qualification": qualification,
        "gate": gate,
        "opportunity": opportunity,
        "lost_reasons": usual_lost_reasons(viewer) if may.close_opportunity else [],
        "decisions": tell_decisions(handoff, viewer=viewer),
        "log": log_of(handoff),
        "attempt_form": AttemptForm(),
        "bant_form": BantForm(qualification=qualification, gate=gate),
        "opportunity_form": OpportunityForm(initial=_terms(handoff, opportunity)),
        "lost_form": LostForm(),
        "withdraw_form": WithdrawForm(),
        "reassign_form": ReassignForm(handoff=handoff),
    }
    return context | dict(forms or {})


def _what_is_next(
    handoff: Handoff,
    attempts: Sequence[Attempt],
    clocks: Sequence[tuple[str, Clock]],
    *,
    viewer: User,
    now: datetime,
) -> dict[str, Any]:
    """The attempt that is due by the cadence, and times to plan the next contact for."""
    hours = hours_of(handoff.owner, around=now)
    progress = progress_of(handoff, attempts, [clock for _, clock in clocks], hours=hours)
    channel = handoff.planned_channel or (progress.next_channel if progress else "") or Attempt.Channel.CALL
    return {
        "progress": progress,
        "next_channel": Attempt.Channel(progress.next_channel) if progress and progress.due_at else None,
        "quick_times": quick_times(hours, zone=viewer.time_zone, now=now),
        "planned_channel": Attempt.Channel(handoff.planned_channel) if handoff.planned_channel else None,
        "plan_form": PlanForm(initial={"channel": channel}),
    }


def _terms(handoff: Handoff, opportunity: Opportunity | None) -> dict[str, Any]:
    """What the form of the opportunity begins with: what is kept, else the size the lead named."""
    if opportunity is None:
        return {"amount": handoff.lead.deal_size}
    return {name: getattr(opportunity, name) for name in ("amount", "currency", "close_on")}


# Short names for the chips of the header.
PROMISES: dict[str, str] = {
    Target.Kind.OPENED: "Opened",
    Target.Kind.DECISION: "Decision",
    Target.Kind.FIRST_CONTACT: "First contact",
    Target.Kind.CADENCE: "Attempts",
    Target.Kind.QUALITY_CHECK: "Quality check",
    Target.Kind.RETURN: "Returned",
}


def clocks_of(handoff: Handoff) -> list[tuple[str, Clock]]:
    """The promises made to this lead, in the order they fall due. What the portal promises is left out."""
    clocks = (
        Clock.objects.filter(handoff_id=handoff.pk, kind__in=PROMISES)
        .exclude(outcome=Clock.Outcome.CANCELLED)
        .order_by("due_at", "id")
    )
    return [(PROMISES[clock.kind], clock) for clock in clocks]


def log_of(handoff: Handoff) -> QuerySet[LeadEvent]:
    """What people did, newest first. The clocks are told by the chips of the header."""
    clockwork = (LeadEvent.Kind.CLOCK_STARTED, LeadEvent.Kind.CLOCK_STOPPED)
    events = LeadEvent.objects.filter(handoff_id=handoff.pk).exclude(kind__in=clockwork)
    return events.select_related("by").order_by("-at", "-id")
