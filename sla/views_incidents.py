"""/sla/incidents/: declared outages, what declaring one would do, and what one has done."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.roles import role_required, signed_in_user
from common.errors import DomainError, InvalidInput
from common.keyset import newest_first_page
from sla.forms_incidents import IncidentForm
from sla.incidents import (
    AT_ONCE,
    ROLES,
    Preview,
    declare_incident,
    may_declare,
    preview_incident,
    withdraw_incident,
)
from sla.models import Incident, Pause
from sla.views import WATCHERS

PAGE_ROWS = 50


@require_GET
@role_required(*WATCHERS)
def incidents(request: HttpRequest) -> HttpResponse:
    found = Incident.objects.select_related("declared_by", "withdrawn_by")
    page = newest_first_page(found, at="started_at", after=request.GET.get("after", ""), size=PAGE_ROWS)
    context = {"page": page, "may_declare": may_declare(signed_in_user(request))}
    return render(request, "sla/incidents.html", context)


@require_http_methods(["GET", "POST"])
@role_required(*ROLES)
def declare(request: HttpRequest) -> HttpResponse:
    """First look at what it would do, then do it: two buttons of one form."""
    if request.method == "GET":
        return _render_form(request, IncidentForm())
    form, now = IncidentForm(request.POST), timezone.now()
    if not form.is_valid():
        return _render_form(request, form)
    window = {name: form.cleaned_data[name] for name in ("started_at", "ended_at")}
    try:
        if "declare" not in request.POST:
            return _render_form(request, form, preview=preview_incident(**window, now=now))
        incident = declare_incident(
            **window, what=form.cleaned_data["what"], by=signed_in_user(request), now=now
        )
    except InvalidInput as refusal:
        form.add_error(refusal.field, str(refusal))
        return _render_form(request, form)
    messages.success(request, "Declared. The clocks that ran in it get its time back.")
    return redirect("sla:incident", pk=incident.pk)


@require_GET
@role_required(*WATCHERS)
def incident(request: HttpRequest, pk: int) -> HttpResponse:
    return _render_incident(request, pk)


@require_POST
@role_required(*ROLES)
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Incident, pk=pk)
    try:
        withdraw_incident(found, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _render_incident(request, pk, refusal=refusal)
    messages.success(request, "Withdrawn. The clocks are due again as if it had not been declared.")
    return redirect("sla:incident", pk=pk)


def _render_form(request: HttpRequest, form: IncidentForm, *, preview: Preview | None = None) -> HttpResponse:
    context = {"form": form, "preview": preview, "at_once": AT_ONCE}
    return render(request, "sla/declare_incident.html", context, status=422 if form.errors else 200)


def _render_incident(request: HttpRequest, pk: int, *, refusal: DomainError | None = None) -> HttpResponse:
    found = get_object_or_404(Incident.objects.select_related("declared_by", "withdrawn_by"), pk=pk)
    pauses = Pause.objects.filter(incident=found).select_related("clock__lead__company", "clock__owner")
    now = timezone.now()
    page = newest_first_page(pauses, at="started_at", after=request.GET.get("after", ""), size=PAGE_ROWS)
    context = {
        "incident": found,
        "page": page,
        "rows": [(pause, pause.clock.state(now)) for pause in page.rows],
        "may_withdraw": found.withdrawn_at is None and may_declare(signed_in_user(request)),
        "refusal": refusal,
    }
    return render(request, "sla/incident.html", context, status=refusal.status if refusal else 200)
