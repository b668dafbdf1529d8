"""Pages of backtests: start one, watch it, read what it found."""

from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods
from django_htmx.http import retarget

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from common.ids import parse_id
from scoring.backtesting.page import describe_backtest, is_stale
from scoring.backtesting.runs import FEWEST_DAYS, MOST_DAYS, request_backtest
from scoring.lifecycle.versions import may_edit_scoring, require_marketing
from scoring.models import Backtest, ModelVersion
from scoring.views.versions import MAX_NUMBER, READERS

OFFERED_DAYS = ((30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "a year"))
USUAL_DAYS = 90
EARLIER = 6


class BacktestForm(forms.Form):
    days = forms.IntegerField(
        min_value=FEWEST_DAYS,
        max_value=MOST_DAYS,
        error_messages={
            "required": "Say how many days to look back.",
            "invalid": "Give the days as a number.",
        },
    )


@require_http_methods(["GET", "POST"])
@role_required(*READERS)
def backtest_page(request: HttpRequest, number: int) -> HttpResponse:
    version = get_object_or_404(ModelVersion, number=min(number, MAX_NUMBER))
    refusal, status = "", 200
    if request.method == "POST":
        refusal, status = _request(request, version)
        if not refusal:
            return redirect("scoring:backtest", version.number)
    context = _context(request, version) | {"refusal": refusal}
    return render(request, "scoring/backtest.html", context, status=status)


@require_GET
@role_required(*READERS)
def backtest_progress(request: HttpRequest, number: int) -> HttpResponse:
    """How far it is, as often as the page asks; when it has ended, all that there is to read instead."""
    version = get_object_or_404(ModelVersion, number=min(number, MAX_NUMBER))
    context = _context(request, version)
    if context["running"]:
        return render(request, "scoring/backtest.html#running", context)
    return retarget(render(request, "scoring/backtest.html#result", context), "#backtest")


def _request(request: HttpRequest, version: ModelVersion) -> tuple[str, int]:
    """Start one as the form says; the refusal in words and its status if that could not be."""
    user = signed_in_user(request)
    require_marketing(user)
    form = BacktestForm(request.POST)
    if not form.is_valid():
        return " ".join(str(message) for messages in form.errors.values() for message in messages), 422
    try:
        request_backtest(version, days=form.cleaned_data["days"], by=user, now=timezone.now())
    except DomainError as error:
        return str(error), error.status
    return "", 302


def _context(request: HttpRequest, version: ModelVersion) -> dict[str, object]:
    user: User = signed_in_user(request)
    all_of_it = Backtest.objects.filter(version=version).select_related("version", "against", "requested_by")
    unfinished = all_of_it.filter(finished_at=None).first()
    finished = list(all_of_it.filter(finished_at__isnull=False)[:EARLIER])
    chosen = _chosen(request, all_of_it, finished)
    shown = unfinished or chosen
    active = ModelVersion.objects.active().first()
    return {
        "version": version,
        "active": active,
        "may_edit": may_edit_scoring(user),
        "offered_days": OFFERED_DAYS,
        "days": shown.days if shown else USUAL_DAYS,
        "running": unfinished if unfinished and unfinished.parked_at is None else None,
        "failed": unfinished if unfinished and unfinished.parked_at else None,
        "page": describe_backtest(chosen, user=user) if chosen else None,
        "is_stale": chosen is not None and is_stale(chosen),
        "is_against_other": chosen is not None and active not in (None, version) and chosen.against != active,
        "finished": finished,
    }


def _chosen(request: HttpRequest, all_of_it: QuerySet[Backtest], latest: list[Backtest]) -> Backtest | None:
    """The one that the address names, else the latest. What it names and is not there is a 404."""
    if "run" not in request.GET:
        return latest[0] if latest else None
    try:
        return get_object_or_404(all_of_it, pk=parse_id(request.GET["run"]), finished_at__isnull=False)
    except ValueError as error:
        raise Http404("No backtest has that number.") from error
