"""The reject dialog of sales and the inbox of marketing."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import HttpResponseClientRedirect, retarget, trigger_client_event

from accounts.models import User
from accounts.roles import login_required, role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from feedback.forms import InboxFilterForm, RejectForm
from feedback.inbox import count_reasons, count_rules, latest_verdicts, measure_inbox
from feedback.models import RejectionReason, Verdict
from feedback.services import reject_handoff
from handoffs.models import Handoff
from handoffs.queue import next_handoff
from leads.models import Lead

PAGE_SIZE = 25


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
        return _render_dialog(request, handoff, RejectForm(viewer=user))
    form = RejectForm(request.POST, viewer=user)
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


def _render_dialog(
    request: HttpRequest,
    handoff: Handoff,
    form: RejectForm,
    *,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "handoff": handoff,
        "lead": handoff.lead,
        "form": form,
        "reasons": RejectionReason.objects.filter(is_active=True),
        "refusal": refusal,
        "next_handoff": next_handoff(signed_in_user(request), after=handoff) if refusal else None,
    }
    template = "feedback/_reject.html" if wants_fragment(request) else "feedback/reject.html"
    response = render(request, template, context, status=status)
    return trigger_client_event(response, "portal:refresh") if refusal else response


def _rejected(request: HttpRequest, handoff: Handoff, verdict: Verdict) -> HttpResponse:
    """Say what happens to the lead now, and name the next one."""
    words = f"{handoff.lead.name}: {verdict.reason}. {verdict.reason.consequence}"
    if not wants_fragment(request):
        messages.success(request, words)
        return redirect("handoffs:queue")
    if not _in_queue(request):
        messages.success(request, words)
        return HttpResponseClientRedirect(reverse("handoffs:queue"))
    upcoming = next_handoff(signed_in_user(request), after=handoff)
    context = {"verdict": verdict, "lead": handoff.lead, "next_handoff": upcoming, "words": words}
    response = retarget(render(request, "feedback/_rejected.html", context), "#pane")
    for event in ("portal:close-dialogs", "portal:rejected", "portal:refresh"):
        trigger_client_event(response, event)
    return response


def _in_queue(request: HttpRequest) -> bool:
    path = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    return path is not None and path.partition("?")[0] == reverse("handoffs:queue")


# --- Marketing: the inbox ------------------------------------------------------------------------


@require_GET
@role_required(User.Role.MARKETING, User.Role.MANAGER, User.Role.READ_ONLY)
def inbox(request: HttpRequest) -> HttpResponse:
    """Which of our leads did sales refuse, and which rule let them through?"""
    form = InboxFilterForm(request.GET)
    form.is_valid()
    since = timezone.now() - timedelta(days=form.period())
    reason = form.cleaned_data.get("reason")
    verdicts = latest_verdicts(since=since, reason=reason)
    context = {
        "form": form,
        "figures": measure_inbox(since=since),
        "reasons": list(count_reasons(since=since)),
        "rules": count_rules(since=since),
        "chosen_reason": reason,
        "page": newest_first_page(verdicts, at="at", after=request.GET.get("after", ""), size=PAGE_SIZE),
    }
    return render(request, "feedback/inbox.html", context, status=422 if form.errors else 200)


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of the lead page: what sales said about this person, newest first."""
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    verdicts = Verdict.objects.filter(lead=lead).select_related("reason", "by", "duplicate_of", "recycling")
    return render(
        request, "feedback/_lead_panel.html", {"lead": lead, "verdicts": verdicts.order_by("-at", "-id")}
    )
