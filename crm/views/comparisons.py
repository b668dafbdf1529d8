"""/ops/salesforce/comparisons/: what a comparison of both sides found, difference by difference."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import role_required, signed_in_user
from common.errors import InvalidInput
from crm.client import org_url
from crm.models import Drift, Reconciliation
from crm.reconciling import begin_comparison
from crm.views.roles import KEEPERS, WATCHERS

PAGE_SIZE = 100


@require_POST
@role_required(*KEEPERS)
def begin(request: HttpRequest) -> HttpResponse:
    """Have both sides compared, and with `repairs` what differs mended by the rules of the mapping."""
    repairs = request.POST.get("repairs") == "yes"
    begin_comparison(repairs=repairs, by=signed_in_user(request), now=timezone.now())
    messages.success(request, "The comparison begins within a minute. It takes one call for 2,000 records.")
    return redirect("crm:overview")


@require_GET
@role_required(*WATCHERS)
def comparison(request: HttpRequest, pk: int) -> HttpResponse:
    """`?kind=` narrows to one kind; `?after=` is the id of the last difference of the page before."""
    run = get_object_or_404(Reconciliation.objects.select_related("by"), pk=pk)
    kind, after = request.GET.get("kind", ""), request.GET.get("after", "")
    if kind and kind not in Drift.Kind.values:
        raise InvalidInput("That is no kind of difference. Choose one from the page.", field="kind")
    if after and not (after.isascii() and after.isdigit() and len(after) < 19):
        raise InvalidInput("“after” is not a place in this list. Start again from the first.", field="after")
    drifts = Drift.objects.filter(reconciliation=run, pk__gt=int(after or 0)).select_related("lead")
    rows = list((drifts.filter(kind=kind) if kind else drifts).order_by("pk")[: PAGE_SIZE + 1])
    context = {
        "run": run,
        "rows": rows[:PAGE_SIZE],
        "next_key": rows[PAGE_SIZE - 1].pk if len(rows) > PAGE_SIZE else None,
        "after": after,
        "kind": kind,
        "kinds": Drift.Kind.choices,
        "org_url": org_url(),
    }
    return render(request, "crm/comparison.html", context)
