"""The panel of a lead: why it has its score now or had it at any past moment, and the score over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import login_required, signed_in_user
from common.charts import Chart, Event, Mark, Point, Series, line_chart
from leads.models import Lead
from scoring.models import LeadScore
from scoring.prediction.shown import prediction_of
from scoring.score_history import ScorePoint, score_over_time
from scoring.services import explain_score

HISTORY_SPANS = (30, 90, 180, 365)
SHOWN_AT_FIRST = 180


class MomentForm(forms.Form):
    """A moment in the past, in the zone of the person who asks."""

    at = forms.DateTimeField(
        required=False,
        error_messages={"invalid": "Give a day and a time, such as 2026-03-03 14:05."},
    )

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if at is not None and at > timezone.now():
            raise forms.ValidationError("Nobody knows yet what the score will be then. Choose a past moment.")
        return at


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    form = MomentForm(request.GET)
    chosen = form.cleaned_data["at"] if form.is_valid() else None
    now = timezone.now()
    explanation = explain_score(lead, as_of=chosen or now)
    context: dict[str, object] = {
        "lead": lead,
        "explanation": explanation,
        "warmth": LeadScore.Warmth(explanation.warmth).label,
        "category": LeadScore.Category(explanation.category).label,
        "chosen": chosen,
        "refusals": form.errors.get("at", []),
        # What a model foretells today says nothing about a past moment.
        "prediction": None if chosen else prediction_of(lead, now=now),
    }
    return render(request, "scoring/_lead_panel.html", context)


@require_GET
@login_required
def lead_history(request: HttpRequest, pk: int) -> HttpResponse:
    """The score over time, fetched by the panel when it is looked at."""
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    wanted = request.GET.get("days", "")
    days = int(wanted) if wanted in map(str, HISTORY_SPANS) else SHOWN_AT_FIRST
    now = timezone.now()
    points = score_over_time(lead, since=now - timedelta(days=days), until=now)
    context = {
        "lead": lead,
        "chart": history_chart(points),
        "spans": [(span, span == days) for span in HISTORY_SPANS],
    }
    return render(request, "scoring/_lead_history.html", context)


def history_chart(points: list[ScorePoint]) -> Chart:
    """Score, fit and engagement as steps, the threshold of the last version, and where versions changed."""
    series = [
        Series("Score", [Point(timezone.localtime(point.at), point.total) for point in points]),
        Series("Engagement", [Point(timezone.localtime(point.at), point.engagement) for point in points]),
        Series("Fit", [Point(timezone.localtime(point.at), point.fit) for point in points]),
    ]
    threshold = points[-1].threshold if points else 0
    return line_chart(
        "Score over time",
        series,
        marks=[Mark(threshold, f"MQL from {threshold:,}")] if points else [],
        events=[
            Event(timezone.localtime(after.at), f"Version {after.version}")
            for before, after in pairwise(points)
            if before.version != after.version
        ],
        steps=True,
        empty="No version scored this lead in that time.",
    )
