"""The feedback panel of the handoff page: why it was accepted, how the first conversation went, what became
of a rejection, and marketing's objection to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_htmx.http import reswap

from accounts.models import User
from accounts.roles import login_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.htmx import wants_fragment
from feedback.acceptance import drivers_of, explain_acceptance
from feedback.disputes import dispute_verdict
from feedback.duplicates import leads_shown_to
from feedback.forms_loop import AcceptanceForm, DisputeForm, QualityForm
from feedback.models import AcceptanceReason, MarketingTask, QualityCheck, RejectionReason, Verdict
from feedback.quality import had_conversation, record_quality_check
from handoffs.acting import may_work
from handoffs.answering import acts_on_handoff
from handoffs.models import Handoff


@require_GET
@login_required
def handoff_panel(request: HttpRequest, pk: int) -> HttpResponse:
    return _render_panel(request, _fetch(request, pk))


@acts_on_handoff
def check_quality(request: HttpRequest, pk: int) -> HttpResponse:
    """Each tap sends the form; nothing is kept, nor said, until all four questions are answered."""
    handoff = _fetch(request, pk)
    form = QualityForm(request.POST)
    if not form.is_valid():
        if form.is_unfinished() and "save" not in request.POST:
            return HttpResponse(status=204)
        return _render_panel(request, handoff, forms={"quality_form": form}, status=422)
    try:
        check = record_quality_check(
            handoff, **form.cleaned_data, by=signed_in_user(request), now=timezone.now()
        )
    except DomainError as refusal:
        return _refuse(request, handoff, refusal, name="quality_form", form=form)
    return _kept(request, handoff, check, part="check", words="Noted. Marketing sees it.")


@acts_on_handoff
def explain(request: HttpRequest, pk: int) -> HttpResponse:
    """Each tap on a driver is kept at once."""
    handoff = _fetch(request, pk)
    form = AcceptanceForm(request.POST, drivers=drivers_of(handoff))
    if not form.is_valid():
        return _render_panel(request, handoff, forms={"acceptance_form": form}, status=422)
    try:
        why = explain_acceptance(handoff, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, handoff, refusal, name="acceptance_form", form=form)
    return _kept(request, handoff, why, part="why", words="Noted: why you accepted it.")


@acts_on_handoff
def dispute(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = _fetch(request, pk)
    verdict = get_object_or_404(Verdict.objects.standing().select_related("reason"), handoff=handoff)
    form = DisputeForm(request.POST)
    if not form.is_valid():
        return _render_panel(request, handoff, forms={"dispute_form": form}, status=422)
    try:
        dispute_verdict(verdict, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _refuse(request, handoff, refusal, name="dispute_form", form=form)
    return _done(request, handoff, "Disputed. A manager settles it.")


def _fetch(request: HttpRequest, pk: int) -> Handoff:
    visible = Handoff.objects.visible_to(signed_in_user(request))
    return get_object_or_404(visible.select_related("lead", "owner"), pk=pk)


# --- Answers ------------------------------------------------------------------------------------


def _kept(
    request: HttpRequest, handoff: Handoff, answer: AcceptanceReason | QualityCheck, *, part: str, words: str
) -> HttpResponse:
    """Only who answered and when, and the toast. The form stays as it is: the next tap may be on its way.

    A form that shows what was wrong asks to be redrawn, for that is settled now.
    """
    if not wants_fragment(request) or "redraw" in request.POST:
        return _done(request, handoff, words)
    context = {"handoff": handoff, "answer": answer, "part": part, "toast": words, "replaces": True}
    return reswap(render(request, "feedback/_kept.html", context), "none")


def _done(request: HttpRequest, handoff: Handoff, words: str) -> HttpResponse:
    if wants_fragment(request):
        return _render_panel(request, handoff, toast=words)
    messages.success(request, words)
    return redirect(handoff)


def _refuse(
    request: HttpRequest, handoff: Handoff, refusal: DomainError, *, name: str, form: Any
) -> HttpResponse:
    """The panel with what was typed, and why not."""
    field = refusal.field if isinstance(refusal, InvalidInput) and refusal.field in form.fields else None
    form.add_error(field, str(refusal))
    return _render_panel(request, handoff, forms={name: form}, status=refusal.status)


def _render_panel(
    request: HttpRequest,
    handoff: Handoff,
    *,
    forms: Mapping[str, Any] | None = None,
    toast: str = "",
    status: int = 200,
) -> HttpResponse:
    user = signed_in_user(request)
    context = _about_acceptance(handoff, user) | _about_rejection(handoff, user) | dict(forms or {})
    context |= {"handoff": handoff, "lead": handoff.lead, "toast": toast}
    page = (
        "_handoff_panel.html" if wants_fragment(request) or request.method == "GET" else "handoff_panel.html"
    )
    return render(request, f"feedback/{page}", context, status=status)


def _about_acceptance(handoff: Handoff, user: User) -> dict[str, Any]:
    """Why it was accepted, and the check after the first conversation: to fill in for who works it."""
    if handoff.accepted_at is None:
        return {}
    may_answer = may_work(handoff, user)
    why = AcceptanceReason.objects.filter(handoff=handoff).select_related("by").first()
    check = QualityCheck.objects.filter(handoff=handoff).select_related("by").first()
    context: dict[str, Any] = {"may_answer": may_answer, "why": why, "check": check}
    if may_answer:
        context["acceptance_form"] = AcceptanceForm(drivers=drivers_of(handoff), kept=why)
        if had_conversation(handoff):
            context["quality_form"] = QualityForm(check=check)
    return context


def _about_rejection(handoff: Handoff, user: User) -> dict[str, Any]:
    """The verdict, where its lead is on the way back, what marketing owes, and whether it may object."""
    verdicts = Verdict.objects.standing().filter(handoff=handoff)
    verdict = verdicts.select_related(
        "reason", "by", "recycling", "duplicate_of", "dispute__by", "dispute__settled_by"
    ).first()
    owed = MarketingTask.objects.filter(handoff=handoff).select_related("done_by").order_by("created_at")
    context: dict[str, Any] = {"verdict": verdict, "tasks": owed}
    context["leads_shown"] = leads_shown_to(user, [verdict] if verdict else [])
    disputed = getattr(verdict, "dispute", None)
    context["dispute"] = disputed
    is_procedural = verdict is not None and verdict.reason.type == RejectionReason.Type.PROCEDURAL
    if verdict and not disputed and not is_procedural and user.role == User.Role.MARKETING:
        context["dispute_form"] = DisputeForm()
    return context
