"""The page of a pilot: both groups side by side, one lead by both versions, promote or end."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.ids import parse_id
from leads.models import Lead
from scoring.lifecycle.approval import needs_second_person, propose_promotion, waits_for_approval
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.lifecycle.pilot import describe_pilot, end_pilot
from scoring.models import ModelVersion, Pilot
from scoring.pages.overview import decision_on
from scoring.pages.pilot import compare_populations
from scoring.services import explain_score, version_of
from scoring.views.forms import NoteForm
from scoring.views.versions import READERS, version_by_number


@require_http_methods(["GET", "POST"])
@role_required(*READERS)
def pilot_page(request: HttpRequest, number: int) -> HttpResponse:
    version = version_by_number(number)
    form = NoteForm(request.POST or None)
    refusal, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            refusal, status = _act(request, version, form.cleaned_data["note"])
            if not refusal:
                return redirect("scoring:version", version.number)
    context = _context(request, version_by_number(number))
    return render(request, "scoring/pilot.html", context | {"form": form, "refusal": refusal}, status=status)


def _act(request: HttpRequest, version: ModelVersion, note: str) -> tuple[str, int]:
    """End or promote as the pressed button says; the refusal in words and its status."""
    verb = {"end": end_pilot, "promote": propose_promotion}.get(request.POST.get("act", ""))
    try:
        if verb is None:
            raise InvalidInput("Choose to promote or to end the pilot.", field="act")
        verb(version, by=signed_in_user(request), note=note, now=timezone.now())
    except DomainError as error:
        return str(error), error.status
    return "", 302


def _context(request: HttpRequest, version: ModelVersion) -> dict[str, Any]:
    user, now = signed_in_user(request), timezone.now()
    pilot = get_object_or_404(Pilot, version=version)
    active = ModelVersion.objects.active().first()
    return {
        "version": version,
        "pilot": pilot,
        "pilot_text": describe_pilot(pilot),
        "active": active,
        "populations": compare_populations(version, pilot, active, now=now),
        "waiting": [decision_on(version, user)] if waits_for_approval(version) else [],
        "may_edit": may_edit_scoring(user),
        "needs_second_person": needs_second_person(),
        **_one_lead(request, user, version, active),
    }


def _one_lead(
    request: HttpRequest, user: User, version: ModelVersion, active: ModelVersion | None
) -> dict[str, Any]:
    """What both versions say of the lead that was asked for by its address or number."""
    asked = request.GET.get("lead", "").strip()
    if not asked or active is None:
        return {}
    lead, now = _find_lead(asked, user), timezone.now()
    if lead is None:
        return {"asked": asked, "not_found": True}
    own = version_of(lead, as_of=now)
    both = [(one, explain_score(lead, as_of=now, version=one), one == own) for one in (version, active)]
    return {"asked": asked, "lead": lead, "both": both}


def _find_lead(asked: str, user: User) -> Lead | None:
    leads = Lead.objects.visible_to(user)
    if "\x00" in asked:
        return None
    if "@" in asked:
        return leads.filter(email=asked.lower()).first()
    try:
        return leads.filter(pk=parse_id(asked)).first()
    except ValueError:
        return None
