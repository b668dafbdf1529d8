"""The package on paper and as text. Whoever works the handoff has seen it then, as on its page (HAND-5)."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import login_required, signed_in_user
from handoffs.models import Handoff
from handoffs.package.content import package_as_text
from handoffs.package.page import tell_package
from handoffs.services import record_opened


@require_GET
@login_required
def print_package(request: HttpRequest, pk: int) -> HttpResponse:
    """One page to take along: who, why now, what to say first."""
    handoff = _look_at(request, pk)
    context = {"handoff": handoff, "lead": handoff.lead, **tell_package(handoff)}
    return render(request, "handoffs/print.html", context)


@require_GET
@login_required
def package_text(request: HttpRequest, pk: int) -> HttpResponse:
    """The package to copy into a message, times in the reader's zone; 404 for a handoff without one."""
    handoff = _look_at(request, pk)
    if not hasattr(handoff, "package"):
        raise Http404("This handoff has no package.")
    text = package_as_text(handoff.package, zone=timezone.get_current_timezone())
    return HttpResponse(f"{text}\n", content_type="text/plain; charset=utf-8")


def _look_at(request: HttpRequest, pk: int) -> Handoff:
    """The handoff if this person may see it, 404 otherwise. The first look of its worker is recorded."""
    user = signed_in_user(request)
    visible = Handoff.objects.visible_to(user)
    handoff = get_object_or_404(
        visible.select_related("lead__company", "lead__score", "owner", "package"), pk=pk
    )
    record_opened(handoff, by=user, now=timezone.now())
    return handoff
