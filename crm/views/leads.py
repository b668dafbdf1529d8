"""One lead and Salesforce: the panel on its page."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.roles import login_required, signed_in_user
from crm.client import record_url
from crm.models import LeadSync
from leads.models import Lead

KEEPERS = (User.Role.OPERATOR, User.Role.MANAGER)


@require_GET
@login_required
def lead_panel(request: HttpRequest, lead_id: int) -> HttpResponse:
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=lead_id)
    return render(request, "crm/_lead_panel.html", panel_of(request, lead))


def panel_of(request: HttpRequest, lead: Lead) -> dict[str, object]:
    sync = LeadSync.objects.filter(pk=lead.pk).first() or LeadSync(lead=lead)
    return {
        "lead": lead,
        "sync": sync,
        "state": sync.state(revision=lead.revision),
        "is_connected": bool(settings.SALESFORCE_URL),
        "record_url": record_url(sync.salesforce_id) if sync.salesforce_id else "",
        "may_retry": signed_in_user(request).role in KEEPERS,
    }
