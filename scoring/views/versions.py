"""Pages of scoring: the live rules in sentences, the versions, and how far a re-scoring is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from scoring.lifecycle.rescoring import progress_of_rescoring
from scoring.models import ModelVersion
from scoring.pages.overview import overview_context, version_context, with_people
from scoring.services import create_draft

READERS = (User.Role.MARKETING, User.Role.MANAGER, User.Role.OPERATOR, User.Role.READ_ONLY)
MAX_NUMBER = 2_147_483_647


@require_GET
@role_required(*READERS)
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "scoring/overview.html", overview_context(signed_in_user(request)))


@require_GET
@role_required(*READERS)
def version_page(request: HttpRequest, number: int) -> HttpResponse:
    context = version_context(version_by_number(number), signed_in_user(request))
    return render(request, "scoring/version.html", context)


@require_POST
@role_required(User.Role.MARKETING)
def copy_version(request: HttpRequest, number: int) -> HttpResponse:
    """A new draft from any version."""
    source = version_by_number(number)
    draft = create_draft(based_on=source, by=signed_in_user(request), now=timezone.now())
    return redirect("admin:scoring_modelversion_change", draft.pk)


@require_GET
@role_required(*READERS)
def rescoring_progress(request: HttpRequest) -> HttpResponse:
    """How far the re-scoring is; the overview asks for it until it is done."""
    context = {"progress": progress_of_rescoring(), "was_running": True}
    return render(request, "scoring/_rescoring.html", context)


def version_by_number(number: int) -> ModelVersion:
    # A number that PostgreSQL cannot hold names no version.
    versions = with_people(ModelVersion.objects.with_rules())
    return get_object_or_404(versions, number=min(number, MAX_NUMBER))
