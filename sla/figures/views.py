"""How promises were kept: the page and its file (SLA-9)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import role_required, signed_in_user
from common.patience import at_most
from sla.figures.charts import chart_compliance, chart_groups, chart_speed
from sla.figures.cohorts import Grouping, weeks_between
from sla.figures.compliance import TIMED, measure_all, measure_groups
from sla.figures.forms import ComplianceFilter
from sla.figures.table import compliance_csv_lines
from sla.models import Clock
from sla.views import WATCHERS

MOST_GROUPS = 50
SECONDS = 20.0
TOO_MUCH = "That is too much to count at once. Choose a shorter period."


@require_GET
@role_required(*WATCHERS)
def compliance(request: HttpRequest) -> HttpResponse:
    """Were promises kept, whose were not, and how long did it take?"""
    now = timezone.now()
    filters = ComplianceFilter(request.GET, now=now)
    if not filters.is_valid():
        return render(request, "sla/compliance.html", {"filters": filters}, status=422)
    clocks = Clock.objects.visible_to(signed_in_user(request))
    question, by, hours = filters.question, filters.grouping, filters.shown_hours
    zone = timezone.get_current_timezone()
    with at_most(SECONDS, otherwise=TOO_MUCH):
        found = measure_all(clocks, question, by=(by, Grouping.WEEK), zone=zone, now=now)
    total, weeks, groups = found.total, found.groups[Grouping.WEEK], found.groups[by]
    mondays = weeks_between(question.since, question.until, zone)
    context = {
        "filters": filters,
        "question": question,
        "total": total,
        "hours": hours,
        "speeds": [(kind.label, total.speeds[kind].done, total.speeds[kind].by(hours)) for kind in TIMED],
        "trend": chart_compliance(weeks, mondays=mondays),
        "pace": chart_speed(weeks, mondays=mondays, hours=hours),
        "bars": None if by is Grouping.WEEK else chart_groups(groups, by=by),
        "by": by,
        "groupings": list(Grouping),
        "groups": [
            (group, [group.figures.speeds[kind].by(hours) for kind in TIMED])
            for group in groups[:MOST_GROUPS]
        ],
        "more_groups": max(0, len(groups) - MOST_GROUPS),
        "timed": TIMED,
    }
    return render(request, "sla/compliance.html", context)


@require_GET
@role_required(*WATCHERS)  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def compliance_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    now = timezone.now()
    filters = ComplianceFilter(request.GET, now=now)
    if not filters.is_valid():
        return render(request, "sla/compliance.html", {"filters": filters}, status=422)
    clocks = Clock.objects.visible_to(signed_in_user(request))
    by, zone = filters.grouping, timezone.get_current_timezone()
    with at_most(SECONDS, otherwise=TOO_MUCH):
        groups = measure_groups(clocks, filters.question, by=by, zone=zone, now=now)
    return StreamingHttpResponse(
        compliance_csv_lines(groups, by=by),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="compliance-by-{by}.csv"'},
    )
