"""The handoff page and what is done on it. Each action: fetch, validate, one verb, render."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from accounts.models import User
from accounts.roles import login_required, may_hand_off, role_required, signed_in_user
from common.errors import DomainError
from common.htmx import wants_fragment
from handoffs.contact import BantAnswers, qualify_handoff, record_attempt, record_bant
from handoffs.forms import AttemptForm, BantForm, LostForm, OpportunityForm, ReassignForm, WithdrawForm
from handoffs.models import Handoff
from handoffs.opportunities import lose_opportunity, open_opportunity, win_opportunity
from handoffs.queue import next_handoff
from handoffs.reassignment import reassign_handoff
from handoffs.services import accept_handoff, hand_off_by_hand, record_opened, withdraw_handoff
from handoffs.story import tell_story
from leads.models import Lead


def fetch_handoff(request: HttpRequest, pk: int) -> Handoff:
    """The handoff if this person may see it, with what its page shows; 404 otherwise."""
    visible = Handoff.objects.visible_to(signed_in_user(request))
    return get_object_or_404(
        visible.select_related("lead__company", "lead__score", "owner", "package", "pool"), pk=pk
    )


@require_GET
@login_required
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page, or the same as a pane of the queue. The first look of who may work it is recorded."""
    user = signed_in_user(request)
    handoff = fetch_handoff(request, pk)
    opened = record_opened(handoff, by=user, now=timezone.now())
    response = _render_handoff(request, handoff)
    return trigger_client_event(response, "portal:refresh") if opened else response


@require_POST
@login_required
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """One click (QUEUE-2). Claims it when it is in the overflow queue (HAND-4)."""
    handoff = fetch_handoff(request, pk)
    try:
        accept_handoff(handoff, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal)
    return _done(request, pk, f"{handoff.lead.name} is yours. The first contact is next.")


@require_POST
@login_required
def add_attempt(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = AttemptForm(request.POST)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"attempt_form": form}, status=422)
    try:
        attempt = record_attempt(handoff, **form.facts(), by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal)
    return _done(request, pk, f"Logged: {attempt}.")


@require_POST
@login_required
def save_bant(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the answers; with the button “qualify”, pass the gate to SQL as well (QUEUE-4)."""
    handoff = fetch_handoff(request, pk)
    form = BantForm(request.POST)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"bant_form": form}, status=422)
    answers = BantAnswers(**form.cleaned_data)
    verb = qualify_handoff if "qualify" in request.POST else record_bant
    try:
        verb(handoff, answers=answers, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal, forms={"bant_form": form})
    return _done(request, pk, "Sales-qualified." if "qualify" in request.POST else "Answers kept.")


@require_POST
@login_required
def add_opportunity(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = OpportunityForm(request.POST)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"opportunity_form": form}, status=422)
    try:
        open_opportunity(handoff, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal, forms={"opportunity_form": form})
    return _done(request, pk, "Opportunity opened.")


@require_POST
@login_required
def win(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    try:
        win_opportunity(handoff, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal)
    return _done(request, pk, f"{handoff.lead.name} is a customer.")


@require_POST
@login_required
def lose(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = LostForm(request.POST)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"lost_form": form}, status=422)
    try:
        lose_opportunity(
            handoff, reason=form.cleaned_data["reason"], by=signed_in_user(request), now=timezone.now()
        )
    except DomainError as refusal:
        return _refuse(request, pk, refusal, forms={"lost_form": form})
    return _done(request, pk, "Closed as lost. The reason is kept.")


@require_POST
@login_required
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Marketing takes the lead back before anybody has accepted it (HAND-6)."""
    handoff = fetch_handoff(request, pk)
    form = WithdrawForm(request.POST)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"withdraw_form": form}, status=422)
    try:
        withdraw_handoff(
            handoff, reason=form.cleaned_data["reason"], by=signed_in_user(request), now=timezone.now()
        )
    except DomainError as refusal:
        return _refuse(request, pk, refusal, forms={"withdraw_form": form})
    return _done(request, pk, "Withdrawn. Its owner no longer sees it.")


@require_POST
@login_required
def reassign(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = ReassignForm(request.POST, handoff=handoff)
    if not form.is_valid():
        return _render_handoff(request, handoff, forms={"reassign_form": form}, status=422)
    try:
        reassign_handoff(handoff, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, pk, refusal, forms={"reassign_form": form})
    return _done(request, pk, f"{form.cleaned_data['to']} has it now.")


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


# --- Answers -------------------------------------------------------------------------------------


def _done(request: HttpRequest, pk: int, words: str) -> HttpResponse:
    """Show the handoff as it is now and say what happened; the queue beside it redraws itself."""
    if not wants_fragment(request):
        messages.success(request, words)
        return redirect("handoffs:detail", pk=pk)
    response = _render_handoff(request, fetch_handoff(request, pk), toast=words)
    return trigger_client_event(response, "portal:refresh")


def _refuse(
    request: HttpRequest, pk: int, refusal: DomainError, *, forms: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Show why, the handoff as it is now, what was typed, and what to do next (QUEUE-5)."""
    handoff = fetch_handoff(request, pk)
    context = {"refusal": refusal, "next_handoff": next_handoff(signed_in_user(request), after=handoff)}
    response = _render_handoff(request, handoff, forms=context | dict(forms or {}), status=refusal.status)
    return trigger_client_event(response, "portal:refresh") if wants_fragment(request) else response


def _render_handoff(
    request: HttpRequest,
    handoff: Handoff,
    *,
    forms: Mapping[str, Any] | None = None,
    toast: str = "",
    status: int = 200,
) -> HttpResponse:
    viewer: User = signed_in_user(request)
    template = "handoffs/_handoff.html" if wants_fragment(request) else "handoffs/detail.html"
    context = tell_story(handoff, viewer=viewer, forms=forms) | {"toast": toast}
    return render(request, template, context, status=status)
