"""The page of predictions: what was trained, how it did against the rules, and what is in use (SCORE-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from common.ids import parse_id
from common.patience import TookTooLong
from common.queue import enqueue
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.models import PredictionModel
from scoring.prediction.candidates import (
    goal_in_use,
    promote_prediction,
    retire_prediction,
    why_too_few,
)
from scoring.prediction.examples import Goal
from scoring.prediction.page import describe_report
from scoring.prediction.sealing import why_not_usable
from scoring.prediction.tasks import train_soon
from scoring.views.versions import MAX_NUMBER, READERS

SHOWN_MODELS = 30


@require_GET
@role_required(*READERS)
def prediction(request: HttpRequest) -> HttpResponse:
    """`?model=` chooses which report is shown; without it the one in use, else the newest."""
    return _page(request)


@require_POST
@role_required(User.Role.MARKETING)
def train(request: HttpRequest) -> HttpResponse:
    """Have a worker train a candidate: it takes longer than a page may."""
    goal = request.POST.get("goal", "")
    if goal not in Goal.values:
        return _page(request, refusal="Choose what the model is to predict.", status=422)
    try:
        few = why_too_few(Goal(goal), now=timezone.now())
    except TookTooLong:
        few = ""  # The worker counts at leisure, and tells the person who asked.
    if few:
        return _page(request, refusal=few, status=409)
    enqueue(train_soon, goal, signed_in_user(request).pk)
    messages.success(request, "Training has begun. You are told when the candidate is there.")
    return redirect("scoring:prediction")


@require_POST
@role_required(User.Role.MARKETING)
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, promote_prediction, "The model is in use now. Leads get their chances soon.")


@require_POST
@role_required(User.Role.MARKETING)
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, retire_prediction, "No prediction is in use any more.")


class _Verb(Protocol):
    def __call__(self, model: PredictionModel, *, by: User, now: datetime) -> object: ...


def _decide(request: HttpRequest, pk: int, verb: _Verb, words: str) -> HttpResponse:
    model = _model(pk)
    try:
        verb(model, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _page(request, chosen=model, refusal=str(refusal), status=refusal.status)
    messages.success(request, words)
    return redirect(f"{reverse('scoring:prediction')}?model={pk}")


def _page(
    request: HttpRequest, *, chosen: PredictionModel | None = None, refusal: str = "", status: int = 200
) -> HttpResponse:
    models = list(_models()[:SHOWN_MODELS])
    asked = request.GET.get("model", "")
    if chosen is None and asked:
        chosen = _asked(asked)
    promoted = next((model for model in models if model.status == PredictionModel.Status.PROMOTED), None)
    chosen = chosen or promoted or next(iter(models), None)
    goal = goal_in_use()
    context = {
        "models": models,
        "chosen": chosen,
        "text": describe_report(chosen) if chosen else None,
        "unusable": why_not_usable(promoted.report["library"]) if promoted else "",
        "goals": Goal.choices,
        "goal": goal,
        "too_few": _too_few(goal),
        "refusal": refusal,
        "may_edit": may_edit_scoring(signed_in_user(request)),
    }
    return render(request, "scoring/prediction.html", context, status=status)


def _too_few(goal: Goal) -> str:
    try:
        return why_too_few(goal, now=timezone.now())
    except TookTooLong as reason:
        return str(reason)


def _asked(text: str) -> PredictionModel:
    try:
        return _model(parse_id(text))
    except ValueError as error:
        raise Http404("No such model.") from error


def _models() -> QuerySet[PredictionModel]:
    """Without the bytes of the models: a page never opens them."""
    return PredictionModel.objects.select_related("trained_by", "promoted_by").defer("artefact")


def _model(pk: int) -> PredictionModel:
    # A number that PostgreSQL cannot hold names no model.
    return get_object_or_404(_models(), pk=min(pk, MAX_NUMBER))
