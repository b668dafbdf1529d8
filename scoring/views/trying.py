"""The try-it box: what a version says of a lead, known or imagined, beside what the active one says."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from leads.models import Lead
from scoring.language.rules import Model, RuleRefused
from scoring.loading import load_model
from scoring.models import ModelVersion
from scoring.trying import Side, active_rules, find_leads, try_imagined, try_lead
from scoring.views.forms_try import ImaginedLeadForm, KnownLeadForm
from scoring.views.versions import READERS, version_by_number


@require_http_methods(["GET", "POST"])
@role_required(*READERS)
def try_version(request: HttpRequest, number: int) -> HttpResponse:
    """GET is the box, POST its answer by the version as it is saved."""
    version = version_by_number(number)
    if request.method == "GET":
        return render(request, "scoring/_try.html", {"version": version, **empty_forms()})
    try:
        model = load_model(version)
    except RuleRefused as refusal:
        return render_tried(request, sentences=[str(refusal)])
    return answer(request, version, model)


def empty_forms() -> dict[str, object]:
    """The context of scoring/_try.html."""
    return {"known": KnownLeadForm(), "imagined": ImaginedLeadForm(prefix="try")}


def answer(request: HttpRequest, version: ModelVersion, model: Model) -> HttpResponse:
    """What the model says of whom the request names, as a fragment."""
    now = timezone.now()
    if request.POST.get("try-imagined"):
        form = ImaginedLeadForm(request.POST, prefix="try")
        if not form.is_valid():
            return render_tried(request, sentences=form.sentences)
        return _compare(request, version, model, partial(try_imagined, form=form), "somebody imagined", now)
    leads, sentence = _leads_named(request)
    if len(leads) != 1:
        return render_tried(request, leads=leads, sentences=[sentence] if sentence else [])
    return _compare(request, version, model, partial(try_lead, lead=leads[0]), leads[0].name, now)


def _leads_named(request: HttpRequest) -> tuple[list[Lead], str]:
    """Whom the request may mean, and a sentence if that is nobody."""
    user = signed_in_user(request)
    chosen = request.POST.get("try-lead", "")
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
        return [get_object_or_404(Lead.objects.visible_to(user).select_related("company"), pk=chosen)], ""
    form = KnownLeadForm({"who": request.POST.get("try-who", "")})
    if not form.is_valid():
        return [], "Type a name or an e-mail address first."
    try:
        leads = find_leads(form.cleaned_data["who"], by=user)
    except DomainError as refusal:
        return [], str(refusal)
    return leads, "" if leads else f"Nobody we know is called “{form.cleaned_data['who']}”."


def _compare(
    request: HttpRequest,
    version: ModelVersion,
    model: Model,
    tried: partial[Side],
    whom: str,
    now: datetime,
) -> HttpResponse:
    sides = [tried(model, version.number, heading=f"Version {version.number}, as it stands", now=now)]
    active = active_rules()
    if active and active[0].pk != version.pk:
        number = active[0].number
        sides.append(tried(active[1], number, heading=f"Version {number}, the active one", now=now))
    return render_tried(request, sides=sides, whom=whom)


def render_tried(request: HttpRequest, **context: object) -> HttpResponse:
    return render(request, "scoring/_tried.html", context)
