"""/leads/: find anybody, see where they stand."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import login_required, signed_in_user
from common.htmx import wants_fragment
from common.jinja import render_jinja, root_of
from common.keyset import newest_first_page
from handoffs.models import SavedView
from handoffs.queue.filters import LeadFilterForm
from handoffs.queue.lead_rows import show_leads
from handoffs.queue.saved_views import views_of
from handoffs.queue.search import search_leads
from leads.models import Lead

PAGE_SIZE = 50


@require_GET
@login_required
def lead_list(request: HttpRequest) -> HttpResponse:
    """Newest first, by key: a page costs the same wherever it is in the table."""
    user = signed_in_user(request)
    form = LeadFilterForm(request.GET)
    form.is_valid()
    leads = search_leads(Lead.objects.visible_to(user), form.cleaned_data.get("q", ""))
    if stage := form.cleaned_data.get("stage"):
        leads = leads.filter(stage=stage)
    if category := form.cleaned_data.get("category"):
        leads = leads.filter(score__category=category)
    # Keys first: what a row shows besides is read for those on the page only.
    keys = leads.only("created_at")
    page = newest_first_page(keys, at="created_at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    rows = show_leads(user, [lead.pk for lead in page.rows])
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "rows_html": render_jinja(
            "handoffs/lead_rows.jinja",
            rows=rows,
            leads_root=root_of("leads:detail"),
            handoffs_root=root_of("handoffs:detail"),
        ),
        "narrows": any(form.cleaned_data.values()),
    }
    status = 422 if form.errors else 200
    if wants_fragment(request):
        return render(request, "handoffs/leads.html#results", context, status=status)
    context["saved_views"] = views_of(user, SavedView.Page.LEADS)
    return render(request, "handoffs/leads.html", context, status=status)
