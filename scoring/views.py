"""Pages of scoring: the live rules in sentences, the versions, publishing, and the panel of a lead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.roles import login_required, role_required, signed_in_user
from common.errors import DomainError
from leads.models import Lead
from scoring.forms import PublishForm
from scoring.models import LeadScore, ModelVersion
from scoring.pages import describe_version
from scoring.services import create_draft, explain_score, publish_version
from scoring.versions import may_edit_scoring

READERS = (User.Role.MARKETING, User.Role.MANAGER, User.Role.OPERATOR, User.Role.READ_ONLY)
MAX_NUMBER = 2_147_483_647


@require_GET
@role_required(*READERS)
def overview(request: HttpRequest) -> HttpResponse:
    active = ModelVersion.objects.active().with_rules().first()
    context = {
        "active": active,
        "text": describe_version(active) if active else None,
        "versions": ModelVersion.objects.select_related("created_by", "published_by", "based_on"),
        "may_edit": may_edit_scoring(signed_in_user(request)),
    }
    return render(request, "scoring/overview.html", context)


@require_GET
@role_required(*READERS)
def version_page(request: HttpRequest, number: int) -> HttpResponse:
    version = _version(number)
    active = ModelVersion.objects.active().with_rules().first()
    context = {
        "version": version,
        "active": active,
        "text": describe_version(version, against=active),
        "may_edit": may_edit_scoring(signed_in_user(request)),
    }
    return render(request, "scoring/version.html", context)


@require_POST
@role_required(User.Role.MARKETING)
def copy_version(request: HttpRequest, number: int) -> HttpResponse:
    """A new draft from any version; from a retired one it is the first half of a roll-back."""
    source = _version(number)
    draft = create_draft(based_on=source, by=signed_in_user(request), now=timezone.now())
    if request.POST.get("then") == "publish":
        return redirect("scoring:publish", draft.number)
    return redirect("admin:scoring_modelversion_change", draft.pk)


@require_http_methods(["GET", "POST"])
@role_required(User.Role.MARKETING)
def publish_page(request: HttpRequest, number: int) -> HttpResponse:
    """Says what would change and asks why; then publishes."""
    version = _version(number)
    form = PublishForm(request.POST or None)
    refusal, status = "", 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            refusal, status = _publish(version, form, by=signed_in_user(request)), 409
            if not refusal:
                return redirect("scoring:overview")
    active = ModelVersion.objects.active().with_rules().first()
    context = {
        "version": _version(number),
        "active": active,
        "text": describe_version(version, against=active),
        "form": form,
        "refusal": refusal,
        "lead_count": Lead.objects.count(),
    }
    return render(request, "scoring/publish.html", context, status=status)


def _publish(version: ModelVersion, form: PublishForm, *, by: User) -> str:
    """Publish as the form says; the refusal in words if that could not be."""
    compared = form.cleaned_data["replacing"]
    replacing = get_object_or_404(ModelVersion, number=compared) if compared else None
    try:
        publish_version(
            version, by=by, note=form.cleaned_data["note"], now=timezone.now(), replacing=replacing
        )
    except DomainError as error:
        return str(error)
    return ""


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    explanation = explain_score(lead, as_of=timezone.now())
    context = {
        "lead": lead,
        "explanation": explanation,
        "warmth": LeadScore.Warmth(explanation.warmth).label,
        "category": LeadScore.Category(explanation.category).label,
    }
    return render(request, "scoring/_lead_panel.html", context)


def _version(number: int) -> ModelVersion:
    # A number that PostgreSQL cannot hold names no version.
    return get_object_or_404(ModelVersion.objects.with_rules(), number=min(number, MAX_NUMBER))
