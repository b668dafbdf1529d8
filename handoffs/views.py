"""The handoff page and what is decided on it. Each action: fetch, validate, one verb, render."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.models import User
from accounts.roles import login_required, may_hand_off, role_required, signed_in_user
from common.errors import DomainError
from common.htmx import wants_fragment
from handoffs.answering import acts_on_handoff, done, fetch_handoff, refuse, render_handoff, undone
from handoffs.forms import ReassignForm, WithdrawForm
from handoffs.models import Handoff
from handoffs.routing.reassignment import reassign_handoff
from handoffs.services import accept_handoff, hand_off_by_hand, record_opened, withdraw_handoff
from handoffs.undo import undo_acceptance
from leads.models import Lead


@require_GET
@login_required
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page, or the same as a pane of the queue. The first look of who may work it is recorded."""
    user = signed_in_user(request)
    handoff = fetch_handoff(request, pk)
    opened = record_opened(handoff, by=user, now=timezone.now())
    response = render_handoff(request, handoff)
    return trigger_client_event(response, "portal:refresh") if opened else response


@acts_on_handoff
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """One click (QUEUE-2). Claims it when it is in the overflow queue (HAND-4)."""
    handoff = fetch_handoff(request, pk)
    try:
        accept_handoff(handoff, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return refuse(request, pk, refusal)
    words = f"{handoff.lead.name} is yours. The first contact is next."
    return done(request, pk, words, undo_url=reverse("handoffs:undo_accept", args=[pk]))


@acts_on_handoff
def undo_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the acceptance back within seconds: the button of its toast, or the key u."""
    handoff = fetch_handoff(request, pk)
    undo_acceptance(handoff, by=signed_in_user(request), now=timezone.now())
    return undone(request, pk, f"Undone: {handoff.lead.name} waits for a decision again.")


@acts_on_handoff
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Marketing takes the lead back before anybody has accepted it (HAND-6)."""
    handoff = fetch_handoff(request, pk)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"withdraw_form": form}, status=422)
    try:
        withdraw_handoff(
            handoff, reason=form.cleaned_data["reason"], by=signed_in_user(request), now=timezone.now()
        )
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"withdraw_form": form})
    return done(request, pk, "Withdrawn. Its owner no longer sees it.")


@acts_on_handoff
def reassign(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = ReassignForm(request.POST, handoff=handoff)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"reassign_form": form}, status=422)
    try:
        reassign_handoff(handoff, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"reassign_form": form})
    return done(request, pk, f"{form.cleaned_data['to']} has it now.")


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """The panel of the lead page: every handoff of this person, newest first."""
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    return _render_lead_panel(request, lead)


@require_POST
@role_required(User.Role.MARKETING, User.Role.MANAGER)
def hand_off_lead(request: HttpRequest, pk: int) -> HttpResponse:
    """Marketing passes a lead on whatever its score, and says why (HAND-6)."""
    user = signed_in_user(request)
    lead = get_object_or_404(Lead.objects.visible_to(user), pk=pk)
    reason = request.POST.get("reason", "")
    try:
        handoff = hand_off_by_hand(lead, by=user, reason=reason, now=timezone.now())
    except DomainError as refusal:
        return _render_lead_panel(request, lead, refusal=refusal, reason=reason, status=refusal.status)
    messages.success(request, f"{lead.name} is handed over to {handoff.owner or 'the overflow queue'}.")
    if wants_fragment(request):
        return HttpResponseClientRedirect(handoff.get_absolute_url())
    return redirect(handoff)


def _render_lead_panel(
    request: HttpRequest,
    lead: Lead,
    *,
    refusal: DomainError | None = None,
    reason: str = "",
    status: int = 200,
) -> HttpResponse:
    user = signed_in_user(request)
    handoffs = (
        Handoff.objects.filter(lead=lead)
        .visible_to(user)
        .with_next_due()
        .select_related("owner", "pool")
        .order_by("-created_at", "-id")
    )
    context = {
        "lead": lead,
        "handoffs": handoffs,
        "may_hand_off": may_hand_off(user) and not any(handoff.is_open for handoff in handoffs),
        "refusal": refusal,
        "reason": reason,
    }
    return render(request, "handoffs/_lead_panel.html", context, status=status)
