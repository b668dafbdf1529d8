"""/ops/salesforce/: is the exchange flowing, and what waits for a person?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import role_required, signed_in_user
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from crm.forms import CauseForm
from crm.models import LeadSync
from crm.parked import retry_all, retry_push
from crm.standing import read_standing
from crm.views.leads import KEEPERS, panel_of

PAGE_SIZE = 50


@require_GET
@role_required(*KEEPERS)
def overview(request: HttpRequest) -> HttpResponse:
    """Is the exchange flowing, and what waits for a person? `?cause=` narrows the list to one cause."""
    template = "crm/overview.html#standing" if wants_fragment(request) else "crm/overview.html"
    return render(request, template, _overview(request))


@require_POST
@role_required(*KEEPERS)
def retry(request: HttpRequest, lead_id: int) -> HttpResponse:
    user = signed_in_user(request)
    sync = get_object_or_404(LeadSync.objects.visible_to(user).select_related("lead"), pk=lead_id)
    retry_push(sync, by=user, now=timezone.now())
    words = f"{sync.lead.name} is sent again with the next batch."
    if not wants_fragment(request):
        messages.success(request, words)
        return redirect("crm:overview")
    if request.POST.get("from") == "panel":
        return render(request, "crm/_lead_panel.html", {**panel_of(request, sync.lead), "words": words})
    return render(request, "crm/overview.html#standing", {**_overview(request), "words": words})


@require_POST
@role_required(*KEEPERS)
def retry_cause(request: HttpRequest) -> HttpResponse:
    """Send again everything that was parked for one cause."""
    cause = CauseForm(request.POST).code()
    freed = retry_all(cause, by=signed_in_user(request), now=timezone.now())
    words = f"{freed} lead{'' if freed == 1 else 's'} will be sent again with the next batch."
    if not wants_fragment(request):
        messages.success(request, words)
        return redirect("crm:overview")
    return render(request, "crm/overview.html#standing", {**_overview(request), "words": words})


def _overview(request: HttpRequest) -> dict[str, object]:
    cause = CauseForm(request.GET).code()
    parked = LeadSync.objects.visible_to(signed_in_user(request)).parked().select_related("lead__company")
    if cause:
        parked = parked.filter(error_code=cause)
    page = newest_first_page(parked, at="parked_at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    return {
        "standing": read_standing(now=timezone.now()),
        "page": page,
        "cause": cause,
        "place": request.GET.urlencode(),
    }
