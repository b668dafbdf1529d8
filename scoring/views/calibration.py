"""Pages of calibration: does the score keep its word, and what should the rules be worth?"""

from __future__ import annotations

from contextlib import suppress

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import retarget

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from common.ids import parse_id
from scoring.calibration.draft import draft_suggested_points
from scoring.calibration.page import describe_calibration
from scoring.calibration.runs import (
    CALIBRATORS,
    FEWEST_DAYS,
    MOST_DAYS,
    USUAL_DAYS,
    may_calibrate,
    request_calibration,
)
from scoring.calibration.words import GOAL_WORDS
from scoring.conversion import Goal
from scoring.lifecycle.versions import may_edit_scoring
from scoring.models import CalibrationRun, ModelVersion
from scoring.views.versions import MAX_NUMBER, READERS

OFFERED_DAYS = ((90, "90 days"), (180, "180 days"), (365, "a year"), (730, "two years"))
SORTS = ("", "lift", "fired")


class ChoiceForm(forms.Form):
    """What to look at: a version by its number, the active one without; a goal; an order of the rules."""

    version = forms.IntegerField(required=False, min_value=1, max_value=MAX_NUMBER)
    goal = forms.ChoiceField(required=False, choices=[(goal.value, goal.value) for goal in Goal])
    sort = forms.ChoiceField(required=False, choices=[(sort, sort) for sort in SORTS])


class CountForm(forms.Form):
    version = forms.IntegerField(min_value=1, max_value=MAX_NUMBER)
    days = forms.IntegerField(
        min_value=FEWEST_DAYS,
        max_value=MOST_DAYS,
        error_messages={
            "required": "Say how many days to look back.",
            "invalid": "Give the days as a number.",
        },
    )


class DraftForm(forms.Form):
    run = forms.ModelChoiceField(CalibrationRun.objects.finished())
    goal = forms.ChoiceField(choices=[(goal.value, goal.value) for goal in Goal])


@require_GET
@role_required(*READERS)
def calibration_page(request: HttpRequest) -> HttpResponse:
    return render(request, "scoring/calibration.html", _context(request, request.GET))


@require_GET
@role_required(*READERS)
def calibration_progress(request: HttpRequest) -> HttpResponse:
    """How far it is, as often as the page asks; when it has ended, all that there is to read instead."""
    context = _context(request, request.GET)
    if context["running"]:
        return render(request, "scoring/calibration.html#running", context)
    return retarget(render(request, "scoring/calibration.html#result", context), "#calibration")


@require_POST
@role_required(*CALIBRATORS)
def count_again(request: HttpRequest) -> HttpResponse:
    form = CountForm(request.POST)
    if not form.is_valid():
        return _refused(request, _sentence(form), status=422)
    version = get_object_or_404(ModelVersion, number=form.cleaned_data["version"])
    days, by = form.cleaned_data["days"], signed_in_user(request)
    try:
        request_calibration(version, days=days, by=by, now=timezone.now())
    except DomainError as error:
        return _refused(request, str(error), status=error.status)
    return redirect(f"{reverse('scoring:calibration')}?version={version.number}")


@require_POST
@role_required(User.Role.MARKETING)
def draft_points(request: HttpRequest) -> HttpResponse:
    form = DraftForm(request.POST)
    if not form.is_valid():
        return _refused(request, _sentence(form), status=422)
    chosen = form.cleaned_data
    try:
        draft = draft_suggested_points(
            chosen["run"],
            goal=Goal(chosen["goal"]),
            rule_ids=_ids(request.POST.getlist("rule")),
            by=signed_in_user(request),
            now=timezone.now(),
        )
    except DomainError as error:
        return _refused(request, str(error), status=error.status)
    return redirect("scoring:version", draft.number)


def _ids(texts: list[str]) -> list[int]:
    """Those that can be the id of a rule."""
    found = []
    for text in texts:
        with suppress(ValueError):
            found.append(parse_id(text))
    return found


def _refused(request: HttpRequest, refusal: str, *, status: int) -> HttpResponse:
    """The page again, with the version and the goal that the form was about."""
    asked = request.GET.copy()
    asked.update(request.POST)
    context = _context(request, asked) | {"refusal": refusal}
    return render(request, "scoring/calibration.html", context, status=status)


def _sentence(form: forms.Form) -> str:
    return " ".join(str(message) for messages in form.errors.values() for message in messages)


def _context(request: HttpRequest, asked: QueryDict) -> dict[str, object]:
    user = signed_in_user(request)
    form = ChoiceForm(asked)
    form.is_valid()  # what makes no sense is left out, and the usual is shown
    goal = Goal(form.cleaned_data.get("goal") or Goal.QUALIFIED)
    sort = form.cleaned_data.get("sort") or ""
    choices = ModelVersion.objects.exclude(published_at=None)
    active = choices.active().first()
    version = _chosen_version(choices, form.cleaned_data.get("version"), active)
    runs = CalibrationRun.objects.filter(version=version).select_related("version", "requested_by")
    unfinished = runs.filter(finished_at=None).first()
    finished = runs.finished().first()
    return {
        "version": version,
        "versions": choices,
        "active": active,
        "goal": goal.value,
        "goals": [(each.value, words.capitalize()) for each, words in GOAL_WORDS.items()],
        "sort": sort,
        "days": finished.days if finished else USUAL_DAYS,
        "offered_days": OFFERED_DAYS,
        "may_calibrate": may_calibrate(user),
        "may_draft": may_edit_scoring(user) and version == active,
        "running": unfinished if unfinished and unfinished.parked_at is None else None,
        "failed": unfinished if unfinished and unfinished.parked_at else None,
        "page": describe_calibration(finished, goal=goal, sort=sort) if finished else None,
    }


def _chosen_version(
    versions: QuerySet[ModelVersion], number: int | None, active: ModelVersion | None
) -> ModelVersion | None:
    """The version of that number, if it was ever published; else the active one, or the latest."""
    named = versions.filter(number=number).first() if number else None
    return named or active or versions.first()
