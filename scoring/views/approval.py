"""Proposing a version, deciding upon it, and rolling back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from leads.models import Lead
from scoring.lifecycle.approval import approve_version, needs_second_person, propose_version, return_proposal
from scoring.lifecycle.versions import require_active, roll_back
from scoring.models import ModelVersion
from scoring.pages.overview import version_context
from scoring.views.forms import ApproveForm, ProposeForm, ReturnForm
from scoring.views.versions import version_by_number


@require_http_methods(["GET", "POST"])
@role_required(User.Role.MARKETING)
def propose_page(request: HttpRequest, number: int) -> HttpResponse:
    """Says what would change and asks why, when and for whom; then proposes."""
    version, user = version_by_number(number), signed_in_user(request)
    form = ProposeForm(request.POST or None)
    refusal, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            refusal, status = _propose(version, form, by=user)
            if status == 302:
                return redirect("scoring:version", version.number)
    context = version_context(version_by_number(number), user) | {
        "form": form,
        "refusal": refusal,
        "lead_count": Lead.objects.count(),
        "needs_second_person": needs_second_person(),
    }
    return render(request, "scoring/propose.html", context, status=status)


def _propose(version: ModelVersion, form: ProposeForm, *, by: User) -> tuple[str, int]:
    """Propose as the form says; the refusal in words and the answer's status."""
    cleaned = form.cleaned_data
    number = cleaned["replacing"]
    compared = get_object_or_404(ModelVersion, number=number) if number else None
    try:
        # What was compared with nothing may not replace anything either.
        require_active(compared)
        propose_version(
            version,
            by=by,
            note=cleaned["note"],
            takes_effect_at=cleaned["takes_effect_at"] if cleaned["when"] == "later" else None,
            pilot=form.plan(),
            replacing=compared,
            now=timezone.now(),
        )
    except InvalidInput as error:
        if error.field in form.fields:
            form.add_error(error.field, str(error))
            return "", error.status
        return str(error), error.status
    except DomainError as error:
        return str(error), error.status
    return "", 302


@require_POST
@role_required(User.Role.MARKETING)
def approve(request: HttpRequest, number: int) -> HttpResponse:
    version, form = version_by_number(number), ApproveForm(request.POST)
    if not form.is_valid():
        return _refuse(request, version, _first_error(form), status=422)
    try:
        approve_version(version, by=signed_in_user(request), now=timezone.now(), **form.cleaned_data)
    except DomainError as error:
        return _refuse(request, version, str(error), status=error.status)
    return redirect("scoring:version", version.number)


@require_POST
@role_required(User.Role.MARKETING)
def return_to_draft(request: HttpRequest, number: int) -> HttpResponse:
    version, form = version_by_number(number), ReturnForm(request.POST)
    if not form.is_valid():
        return _refuse(request, version, _first_error(form), status=422)
    try:
        return_proposal(
            version, by=signed_in_user(request), comment=form.cleaned_data["comment"], now=timezone.now()
        )
    except DomainError as error:
        return _refuse(request, version, str(error), status=error.status)
    return redirect("scoring:version", version.number)


@require_POST
@role_required(User.Role.MARKETING)
def roll_back_to(request: HttpRequest, number: int) -> HttpResponse:
    """One click: it can be undone in the same way."""
    version = version_by_number(number)
    compared = request.POST.get("replacing", "")
    replacing = version_by_number(int(compared)) if compared.isdecimal() and len(compared) < 10 else None
    try:
        require_active(replacing)
        roll_back(version, by=signed_in_user(request), replacing=replacing, now=timezone.now())
    except DomainError as error:
        return _refuse(request, version, str(error), status=error.status)
    return redirect("scoring:overview")


def _refuse(request: HttpRequest, version: ModelVersion, words: str, *, status: int) -> HttpResponse:
    """The version's page as it stands now, with why nothing happened."""
    context = version_context(version_by_number(version.number), signed_in_user(request))
    return render(request, "scoring/version.html", context | {"refusal": words}, status=status)


def _first_error(form: ApproveForm | ReturnForm) -> str:
    return next(str(error) for errors in form.errors.values() for error in errors)
