"""Two pages to look at and to print: all leads on the two axes, and the MQL criteria in plain sentences."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.roles import login_required, role_required
from common.patience import TookTooLong, at_most
from scoring.axes import leads_by_category, leads_on_axes
from scoring.engine import model_of
from scoring.language.matrix import category_matrix
from scoring.models import LeadScore, ModelVersion
from scoring.pages.versions import describe_version
from scoring.views.versions import READERS

PATIENCE_SECONDS = 5.0


@require_GET
@role_required(*READERS)
def grid(request: HttpRequest) -> HttpResponse:
    """Fit × engagement of all leads, by the scores kept of them."""
    active = ModelVersion.objects.active().first()
    context: dict[str, object] = {"active": active}
    if active:
        try:
            with at_most(PATIENCE_SECONDS, otherwise="Counting all leads takes too long just now."):
                context["axes"] = leads_on_axes(model_of(active))
                context["categories"] = [
                    (category, LeadScore.Category(category).label, leads)
                    for category, leads in leads_by_category().items()
                ]
        except TookTooLong as refusal:
            context["refusal"] = str(refusal)
    return render(request, "scoring/grid.html", context)


@require_GET
@login_required
def criteria(request: HttpRequest) -> HttpResponse:
    """What makes an MQL, from the live rules (SCORE-13). Everybody may read it: both teams agreed to it."""
    active = ModelVersion.objects.active().with_rules().select_related("published_by").first()
    context: dict[str, object] = {"active": active}
    if active:
        context |= {"text": describe_version(active), "matrix": category_matrix(model_of(active))}
    return render(request, "scoring/criteria.html", context)
