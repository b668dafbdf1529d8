"""What makes a lead sales-qualified, in sentences. A panel that other pages load by its name."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import login_required
from handoffs.contact import required_parts

# What a yes to each part of BANT means.
MEANINGS = {
    "budget": "Budget: there is money for it, or a way to get it.",
    "authority": "Authority: we speak with who decides, or with somebody who brings us there.",
    "need": "Need: they have a problem that we solve.",
    "timeline": "Timeline: they want it solved by a date.",
}


@require_GET
@login_required
def sql_criteria_panel(request: HttpRequest) -> HttpResponse:
    parts = [MEANINGS[part] for part in required_parts()]
    return render(request, "handoffs/_sql_criteria_panel.html", {"parts": parts})
