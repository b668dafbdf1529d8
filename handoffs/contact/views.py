"""What a rep does after accepting: attempts, the next contact, BANT, the deal (QUEUE-3, QUEUE-4)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import login_required, signed_in_user
from common.errors import DomainError, InvalidInput
from handoffs.answering import acts_on_handoff, done, fetch_handoff, refuse, render_handoff
from handoffs.contact.opportunities import (
    correct_opportunity,
    lose_opportunity,
    open_opportunity,
    win_opportunity,
)
from handoffs.contact.planning import calendar_entry, plan_contact
from handoffs.contact.services import qualify_handoff, record_attempt, record_bant
from handoffs.forms import AttemptForm, BantForm, LostForm, OpportunityForm, PlanForm
from handoffs.models import Handoff


@acts_on_handoff
def add_attempt(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = AttemptForm(request.POST)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"attempt_form": form}, status=422)
    try:
        attempt = record_attempt(handoff, **form.facts(), by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return refuse(request, pk, refusal)
    return done(request, pk, f"Logged: {attempt}.")


# --- The next contact ----------------------------------------------------------------------------


@acts_on_handoff
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """One tap on a usual time, or a time of one's own; “forget” takes the plan away."""
    handoff = fetch_handoff(request, pk)
    forgets = "forget" in request.POST
    form = PlanForm(request.POST)
    if not (forgets or form.is_valid()):
        return render_handoff(request, handoff, extra={"plan_form": form}, status=422)
    facts = {"at": None} if forgets else form.facts()
    try:
        plan_contact(handoff, **facts, by=signed_in_user(request), now=timezone.now())
    except InvalidInput as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return render_handoff(request, handoff, extra={"plan_form": form}, status=refusal.status)
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"plan_form": form})
    return done(request, pk, "The plan is taken away." if forgets else "The next contact is planned.")


@require_GET
@login_required
def plan_ics(request: HttpRequest, pk: int) -> HttpResponse:
    """The planned contact as a file that calendars open."""
    handoff = fetch_handoff(request, pk)
    if handoff.planned_contact_at is None:
        raise Http404("Nothing is planned.")
    entry = calendar_entry(
        handoff,
        starts_at=handoff.planned_contact_at,
        zone=signed_in_user(request).time_zone,
        now=timezone.now(),
    )
    headers = {"Content-Disposition": f'attachment; filename="contact-{handoff.pk}.ics"'}
    return HttpResponse(entry, content_type="text/calendar; charset=utf-8", headers=headers)


# --- Qualification -------------------------------------------------------------------------------


@acts_on_handoff
def save_bant(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the answers; with the button “qualify”, pass the gate to SQL as well (QUEUE-4).

    The button's value "all" answers yes to all that the gate asks for: one tap after a good conversation,
    with one line of what was said where the gate wants to know.
    """
    handoff = fetch_handoff(request, pk)
    form = BantForm(request.POST)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"bant_form": form}, status=422)
    answers = form.all_yes() if request.POST.get("qualify") == "all" else form.answers()
    verb = qualify_handoff if "qualify" in request.POST else record_bant
    try:
        verb(handoff, answers=answers, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"bant_form": form})
    return done(request, pk, "Sales-qualified." if "qualify" in request.POST else "Answers kept.")


# --- The deal ------------------------------------------------------------------------------------


@acts_on_handoff
def add_opportunity(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the opportunity, or correct its amount and close date."""
    handoff = fetch_handoff(request, pk)
    is_correction = handoff.status == Handoff.Status.OPPORTUNITY
    form = OpportunityForm(request.POST)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"opportunity_form": form}, status=422)
    by, now = signed_in_user(request), timezone.now()
    try:
        if is_correction:
            correct_opportunity(handoff, changes=form.corrections(), by=by, now=now)
        else:
            open_opportunity(handoff, **form.cleaned_data, by=by, now=now)
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"opportunity_form": form})
    return done(request, pk, "Opportunity corrected." if is_correction else "Opportunity opened.")


@acts_on_handoff
def win(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    try:
        win_opportunity(handoff, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return refuse(request, pk, refusal)
    return done(request, pk, f"{handoff.lead.name} is a customer.")


@acts_on_handoff
def lose(request: HttpRequest, pk: int) -> HttpResponse:
    handoff = fetch_handoff(request, pk)
    form = LostForm(request.POST)
    if not form.is_valid():
        return render_handoff(request, handoff, extra={"lost_form": form}, status=422)
    try:
        lose_opportunity(
            handoff, reason=form.cleaned_data["reason"], by=signed_in_user(request), now=timezone.now()
        )
    except DomainError as refusal:
        return refuse(request, pk, refusal, forms={"lost_form": form})
    return done(request, pk, "Closed as lost. The reason is kept.")
