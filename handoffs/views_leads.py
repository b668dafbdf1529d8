"""/leads/: find anybody, see where they stand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import login_required, signed_in_user
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from handoffs.forms import LeadFilterForm
from handoffs.models import Handoff
from handoffs.search import lead_matches
from leads.models import Lead

PAGE_SIZE = 50


@require_GET
@login_required
def lead_list(request: HttpRequest) -> HttpResponse:
    """Newest first, by key: a page costs the same wherever it is in the table."""
    user = signed_in_user(request)
    form = LeadFilterForm(request.GET)
    form.is_valid()
    leads = Lead.objects.visible_to(user).select_related("company", "score", "owner")
    if text := form.cleaned_data.get("q"):
        leads = leads.filter(lead_matches(text))
    if stage := form.cleaned_data.get("stage"):
        leads = leads.filter(stage=stage)
    if category := form.cleaned_data.get("category"):
        leads = leads.filter(score__category=category)
    page = newest_first_page(leads, at="created_at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    open_handoffs = Handoff.objects.open().visible_to(user).filter(lead__in=page.rows).select_related("owner")
    handoff_of = {handoff.lead_id: handoff for handoff in open_handoffs}
    context = {
        "form": form,
        "page": page,
        "rows": [(lead, handoff_of.get(lead.pk)) for lead in page.rows],
        "narrows": any(form.cleaned_data.values()),
    }
    template = "handoffs/leads.html#results" if wants_fragment(request) else "handoffs/leads.html"
    return render(request, template, context, status=422 if form.errors else 200)
