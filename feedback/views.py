"""The reject dialog of sales, and what sales said about a lead."""

from __future__ import annotations

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect, retarget, trigger_client_event

from accounts.roles import login_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.htmx import wants_fragment
from feedback.duplicates import duplicates_of, leads_shown_to
from feedback.forms import RejectForm
from feedback.models import RejectionReason, Verdict
from feedback.services import reject_handoff
from feedback.undo import undo_rejection
from handoffs.answering import acts_on_handoff, current_path, fetch_handoff, undone
from handoffs.models import Handoff
from handoffs.permissions import permissions_for
from handoffs.queue.rows import next_handoff
from handoffs.recycle_contract import Standing, standing_of
from leads.models import Lead
from scoring.models.scores import ENTRY_STAGES

# --- Sales: reject -------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@login_required
def reject(request: HttpRequest, pk: int) -> HttpResponse:
    """A dialog over the queue; a page of its own without script. No reason, no rejection (QUEUE-2)."""
    user = signed_in_user(request)
    handoff = get_object_or_404(
        Handoff.objects.visible_to(user).select_related("lead__company", "owner"), pk=pk
    )
    if request.method == "GET":
        if not (wants_fragment(request) or permissions_for(user, handoff).reject):
            return redirect(handoff)  # a refused answer was reloaded, or an old address opened
        return _render_dialog(request, handoff, RejectForm())
    form = RejectForm(_given(request))
    if not form.is_valid():
        return _render_dialog(request, handoff, form, status=422)
    try:
        verdict = reject_handoff(
            handoff, **form.cleaned_data, by=user, via=Verdict.Via.PAGE, now=timezone.now()
        )
    except InvalidInput as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _render_dialog(request, handoff, form, status=refusal.status)
    except DomainError as refusal:
        return _render_dialog(request, handoff, form, refusal=refusal, status=refusal.status)
    return _rejected(request, handoff, verdict)


def _given(request: HttpRequest) -> QueryDict:
    """What was sent; the button beside a reason chooses it and confirms in one tap."""
    given = request.POST.copy()
    if "straight" in given:
        given.setlist("reason", given.getlist("straight"))
    return given


def _render_dialog(
    request: HttpRequest,
    handoff: Handoff,
    form: RejectForm,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    reasons = list(RejectionReason.objects.filter(is_active=True))
    asks_for_attempts = any(reason.requires_attempts for reason in reasons)
    context = {
        "handoff": handoff,
        "lead": handoff.lead,
        "form": form,
        "reasons": reasons,
        "attempts_made": handoff.attempts.count() if asks_for_attempts else 0,
        "refusal": refusal,
        "next_handoff": next_handoff(signed_in_user(request), after=handoff) if refusal else None,
    }
    template = "feedback/_reject.html" if wants_fragment(request) else "feedback/reject.html"
    response = render(request, template, context, status=status)
    return trigger_client_event(response, "portal:refresh") if refusal else response


def _rejected(request: HttpRequest, handoff: Handoff, verdict: Verdict) -> HttpResponse:
    """Say what happens to the lead now, name the next one, and offer to take it back."""
    words = f"{handoff.lead.name}: {verdict.reason}. {verdict.reason.promise}"
    undo_url = reverse("feedback:undo_reject", args=[handoff.pk])
    if not wants_fragment(request):
        messages.success(request, words, extra_tags=undo_url)
        return redirect("handoffs:queue")
    if current_path(request) != reverse("handoffs:queue"):
        messages.success(request, words, extra_tags=undo_url)
        return HttpResponseClientRedirect(reverse("handoffs:queue"))
    context = {
        "verdict": verdict,
        "lead": handoff.lead,
        "next_handoff": next_handoff(signed_in_user(request), after=handoff),
        "words": words,
        "undo_url": undo_url,
    }
    response = retarget(render(request, "feedback/_rejected.html", context), "#pane")
    for event in ("portal:close-dialogs", "portal:rejected", "portal:refresh"):
        trigger_client_event(response, event)
    return response


@acts_on_handoff
def undo_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the rejection back within seconds: the button of its toast, or the key u."""
    handoff = fetch_handoff(request, pk)
    undo_rejection(handoff, by=signed_in_user(request), now=timezone.now())
    return undone(request, pk, f"Undone: {handoff.lead.name} is back as it was.")


# --- The lead's page -----------------------------------------------------------------------------


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of the lead page: what sales said about this person, newest first; what brings it back."""
    user = signed_in_user(request)
    lead = get_object_or_404(Lead.objects.visible_to(user), pk=pk)
    now = timezone.now()
    verdicts = Verdict.objects.filter(lead=lead).select_related(
        "reason", "by", "duplicate_of", "recycling", "dispute__by", "undoing"
    )
    newest_first, duplicates = list(verdicts.order_by("-at", "-id")), duplicates_of(lead)
    standing = standing_of(lead, now=now) if lead.stage in ENTRY_STAGES else None
    context = {
        "lead": lead,
        "verdicts": newest_first,
        "duplicates": duplicates,
        "leads_shown": leads_shown_to(user, [*newest_first, *duplicates]),
        "standing": standing,
        "not_before": _not_before(lead, standing, now=now),
    }
    return render(request, "feedback/_lead_panel.html", context)


def _not_before(lead: Lead, standing: Standing | None, *, now: datetime) -> datetime | None:
    """When both the cool-off and the hold are over, if that is to come."""
    ends = [standing.free_at] if standing else []
    if lead.hold and lead.held_until:
        ends.append(lead.held_until)
    return max((end for end in ends if end > now), default=None)
