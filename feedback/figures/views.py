"""Marketing's pages: what sales refused and what stands out in it, and what became of it all (FEED-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.errors import DomainError
from common.keyset import newest_first_page
from common.patience import at_most
from feedback.figures.cohorts import Cohort, Grouping, count_cohort
from feedback.figures.inbox import (
    acceptance_trend,
    count_reasons,
    latest_verdicts,
    measure_inbox,
    rejection_csv_lines,
)
from feedback.figures.patterns import Pattern, find_patterns, group_figures
from feedback.figures.quality import (
    count_acceptance_drivers,
    latest_doubts,
    measure_pulse,
    measure_quality,
)
from feedback.figures.regret import measure_regret
from feedback.figures.rule_changes import ATTRIBUTES, draft_rule_change
from feedback.figures.tracks import measure_tracks
from feedback.forms import PATTERN_GROUPINGS, InboxFilterForm
from feedback.models import RejectionReason
from feedback.policy import feedback_policy
from feedback.readings import mark_rejections_read
from handoffs.package.completeness import measure_completeness_rate
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.models import ModelVersion

READERS = (User.Role.MARKETING, User.Role.MANAGER, User.Role.READ_ONLY)
PAGE_SIZE = 25
MOST_PATTERNS, MOST_GROUPS, MOST_DOUBTS = 10, 25, 5
SECONDS = 20.0
TOO_MUCH = "That is too much to count at once. Choose a shorter period."

# Reasons of these types say that the criteria let the wrong lead through, or let it through too early.
ABOUT_CRITERIA = (RejectionReason.Type.DEFINITIONAL, RejectionReason.Type.TIMING)
VERBS = {
    Grouping.RULE: "fired in",
    Grouping.SIGNAL: "was seen in",
    Grouping.SOURCE: "is the source of",
    Grouping.CAMPAIGN: "is the campaign of",
}


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A pattern as the page tells it. `points` are those of the active version, None if it gives none."""

    pattern: Pattern
    reason: RejectionReason
    points: int | None
    may_draft: bool


@require_GET
@role_required(*READERS)
def inbox(request: HttpRequest) -> HttpResponse:
    """Which of our leads did sales refuse, and which rule let them through?"""
    return _render_inbox(request, InboxFilterForm(request.GET))


@require_GET
@role_required(*READERS)
def follow_up(request: HttpRequest) -> HttpResponse:
    """What became of what sales refused, and what did sales say once it had talked to the others?"""
    form = InboxFilterForm(request.GET)
    form.is_valid()
    since = timezone.now() - timedelta(days=form.period())
    least = feedback_policy().min_decided
    explained, drivers = count_acceptance_drivers(since=since)
    with at_most(SECONDS, otherwise=TOO_MUCH):
        regret = measure_regret(since=since, least=least)
    context = {
        "form": form,
        "regret": regret,
        "tracks": measure_tracks(),
        "quality": measure_quality(since=since, least=least),
        "doubts": latest_doubts(since=since, most=MOST_DOUBTS),
        "explained": explained,
        "drivers": drivers,
        "completeness": measure_completeness_rate(since),
        "pulse": measure_pulse(),
    }
    return render(request, "feedback/follow_up.html", context, status=422 if form.errors else 200)


@require_GET
@role_required(*READERS)  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def rejections_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    form = InboxFilterForm(request.GET)
    if not form.is_valid():
        return _render_inbox(request, form)
    since = timezone.now() - timedelta(days=form.period())
    verdicts = latest_verdicts(since=since, reason=form.cleaned_data["reason"])
    return StreamingHttpResponse(
        rejection_csv_lines(verdicts),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="rejections.csv"'},
    )


@require_POST
@role_required(User.Role.MARKETING)
def mark_read(request: HttpRequest) -> HttpResponse:
    """Those that the button names were read: it names what its reader had before them."""
    given = [pk for pk in request.POST.getlist("verdict") if pk.isdecimal() and len(pk) < 19][:PAGE_SIZE]
    mark_rejections_read([int(pk) for pk in given], by=signed_in_user(request), now=timezone.now())
    query = request.GET.urlencode()
    return redirect(f"{reverse('feedback:inbox')}{'?' if query else ''}{query}#latest")


class DraftForm(forms.Form):
    """A pattern of the inbox: what it is counted by, its key, and the reason."""

    by = forms.ChoiceField(choices=[(grouping.value, grouping.value) for grouping in PATTERN_GROUPINGS])
    key = forms.CharField(max_length=200, strip=False)
    reason = forms.ModelChoiceField(RejectionReason.objects.all(), to_field_name="code")
    days = forms.ChoiceField(choices=InboxFilterForm.PERIODS)


@require_POST
@role_required(User.Role.MARKETING)
def draft(request: HttpRequest) -> HttpResponse:
    """One click from a pattern to a draft rule change; its backtest is on its way."""
    form = DraftForm(request.POST)
    if not form.is_valid():
        refusal = "Choose a pattern of the inbox: this one is not complete."
        return _render_inbox(request, InboxFilterForm(request.GET), refusal=refusal, status=422)
    asked = form.cleaned_data
    try:
        version = draft_rule_change(
            by_what=Grouping(asked["by"]),
            key=asked["key"],
            reason=asked["reason"],
            days=int(asked["days"]),
            by=signed_in_user(request),
            now=timezone.now(),
        )
    except DomainError as error:
        shown = InboxFilterForm({"by": asked["by"], "days": asked["days"]})
        return _render_inbox(request, shown, refusal=str(error), status=error.status)
    return redirect("scoring:backtest", version.number)


# --- The parts of the inbox ----------------------------------------------------------------------


def _render_inbox(
    request: HttpRequest, form: InboxFilterForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    form.is_valid()
    if form.errors and status == 200:
        status = 422
    now = timezone.now()
    since = now - timedelta(days=form.period())
    reason = form.cleaned_data.get("reason")
    verdicts = latest_verdicts(since=since, reason=reason)
    reasons = count_reasons(since=since)
    page = newest_first_page(verdicts, at="at", after=request.GET.get("after", ""), size=PAGE_SIZE)
    context = {
        "form": form,
        "refusal": refusal,
        "figures": measure_inbox(since=since, now=now),
        "trend": acceptance_trend(days=form.period(), now=now),
        "reasons": reasons,
        "rejections": sum(each.rejections for each in reasons),
        "chosen_reason": reason,
        "page": page,
        "unread_here": [row.pk for row in page.rows if hasattr(row, "reading") and not row.reading.read_at],
    }
    context |= _patterns(form.grouping(), reason, since=since, user=signed_in_user(request))
    return render(request, "feedback/inbox.html", context, status=status)


def _patterns(
    by: Grouping, reason: RejectionReason | None, *, since: datetime, user: User
) -> dict[str, object]:
    """What stands out by that grouping, for the chosen reason alone if there is one."""
    least = feedback_policy().min_decided
    with at_most(SECONDS, otherwise=TOO_MUCH):
        decided = count_cohort(Cohort.DECIDED, by=by, since=since)
        checked = count_cohort(Cohort.CHECKED, by=by, since=since)
    patterns = find_patterns(decided, least=least)
    groups = group_figures(decided, checked, least=least)
    return {
        "by": by,
        "by_verb": VERBS[by],
        "groupings": PATTERN_GROUPINGS,
        "least": least,
        "patterns": patterns,
        "rows": _pattern_rows(patterns.found, by, reason, user),
        "groups": groups[:MOST_GROUPS],
        "more_groups": max(0, len(groups) - MOST_GROUPS),
    }


def _pattern_rows(
    patterns: tuple[Pattern, ...], by: Grouping, chosen: RejectionReason | None, user: User
) -> list[PatternRow]:
    reasons = {reason.code: reason for reason in RejectionReason.objects.all()}
    points = _points_now(by)
    shown = [pattern for pattern in patterns if chosen is None or pattern.reason == chosen.code]
    return [
        PatternRow(
            pattern,
            reasons[pattern.reason],
            points.get(pattern.key) or None,
            may_draft=may_edit_scoring(user)
            and (pattern.key in points or by in ATTRIBUTES)
            and reasons[pattern.reason].type in ABOUT_CRITERIA,
        )
        for pattern in shown[:MOST_PATTERNS]
    ]


def _points_now(by: Grouping) -> dict[str, int]:
    """The points that the active version gives, by the key of the group; none where points cannot tell."""
    active = None if by in ATTRIBUTES else ModelVersion.objects.active().first()
    if active is None:
        return {}
    key = "name" if by is Grouping.RULE else "signal__key"
    points: dict[str, int] = {}
    for name, given in active.rules.values_list(key, "points"):
        if name is not None:
            points[name] = points.get(name, 0) + given
    return points
