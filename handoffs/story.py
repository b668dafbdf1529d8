"""Everything the handoff page tells about one handoff, read in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from handoffs.contact import required_parts
from handoffs.forms import (
    QUICK_ATTEMPTS,
    AttemptForm,
    BantForm,
    LostForm,
    OpportunityForm,
    ReassignForm,
    WithdrawForm,
)
from handoffs.models import Attempt, Handoff, Opportunity, Qualification, RoutingDecision
from handoffs.package_page import tell_package
from handoffs.permissions import permissions_for
from leads.models import LeadEvent
from sla.models import Clock, Target


def tell_story(handoff: Handoff, *, viewer: User, forms: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The context of the handoff page. `forms` replaces fresh forms by ones that hold refused input."""
    qualification = Qualification.objects.filter(handoff=handoff).first()
    context: dict[str, Any] = {
        "handoff": handoff,
        "lead": handoff.lead,
        **tell_package(handoff),
        "may": permissions_for(viewer, handoff),
        "clocks": clocks_of(handoff),
        "attempts": Attempt.objects.filter(handoff=handoff).select_related("by"),
        "quick_attempts": QUICK_ATTEMPTS,
        "qualification": qualification,
        "gate": required_parts(),
        "opportunity": Opportunity.objects.filter(handoff=handoff).first(),
        "decisions": RoutingDecision.objects.filter(handoff=handoff).select_related("chosen").order_by("-at"),
        "log": log_of(handoff),
        "attempt_form": AttemptForm(),
        "bant_form": BantForm(qualification=qualification),
        "opportunity_form": OpportunityForm(),
        "lost_form": LostForm(),
        "withdraw_form": WithdrawForm(),
        "reassign_form": ReassignForm(handoff=handoff),
    }
    return context | dict(forms or {})


# Short names for the chips of the header.
PROMISES: dict[str, str] = {
    Target.Kind.OPENED: "Opened",
    Target.Kind.DECISION: "Decision",
    Target.Kind.FIRST_CONTACT: "First contact",
}


def clocks_of(handoff: Handoff) -> list[tuple[str, Clock]]:
    """The promises made to this lead, in the order they fall due. Ours towards Salesforce is left out."""
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
