"""What makes a lead sales-qualified, in sentences. A panel that other pages load by its name."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import login_required
from handoffs.contact.gate import current_gate


@require_GET
@login_required
def sql_criteria_panel(request: HttpRequest) -> HttpResponse:
    gate = current_gate()
    parts = [gate.meaning(part) for part in gate.requires]
    return render(request, "handoffs/_sql_criteria_panel.html", {"parts": parts, "gate": gate})
