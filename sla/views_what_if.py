"""What if: last quarter's promises under another policy, on a page and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.roles import role_required, signed_in_user
from common.charts import Chart, Point, Series, bar_chart, percentage
from common.csv_stream import csv_lines
from common.errors import InvalidInput
from sla.forms_what_if import WhatIfForm
from sla.models import Clock, ClockQuerySet
from sla.views import WATCHERS
from sla.what_if import MOST_CLOCKS, Change, Trial, changed_clocks, try_terms
from sla.wording import target_in_words

MOST_CHANGES = 50
CSV_HEADER = (
    "target", "lead", "owner", "team", "promised_at", "was_due_at", "would_be_due_at", "done_at", "was",
    "would_be", "handoff_id", "clock_id",
)  # fmt: skip


@require_GET
@role_required(*WATCHERS)
def what_if(request: HttpRequest) -> HttpResponse:
    """What would other terms have found in the promises of a past period?"""
    form = WhatIfForm(request.GET)
    if not form.is_valid():
        return _render(request, form, status=422)
    if form.asks_nothing:
        return _render(request, form)
    clocks = Clock.objects.visible_to(signed_in_user(request))
    try:
        trial = _try(clocks, form)
    except InvalidInput as error:
        return _render(request, form, refusal=str(error), status=error.status)
    return _render(
        request,
        form,
        trial=trial,
        terms=[target_in_words(target) for target in form.targets],
        chart=_chart(trial),
        changes=changed_clocks(trial, clocks, most=MOST_CHANGES),
        more_changes=max(0, len(trial.changes) - MOST_CHANGES),
    )


@require_GET
@role_required(*WATCHERS)  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def what_if_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """All promises that would have been judged differently."""
    form = WhatIfForm(request.GET)
    if not form.is_valid():
        return _render(request, form, status=422)
    clocks = Clock.objects.visible_to(signed_in_user(request))
    try:
        changed = changed_clocks(_try(clocks, form), clocks, most=MOST_CLOCKS)
    except InvalidInput as error:
        return _render(request, form, refusal=str(error), status=error.status)
    return StreamingHttpResponse(
        _csv_lines(changed),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="what-if.csv"'},
    )


def _try(clocks: ClockQuerySet, form: WhatIfForm) -> Trial:
    now = timezone.now()
    return try_terms(clocks, form.question(now=now), targets=form.targets, now=now)


def _render(request: HttpRequest, form: WhatIfForm, *, status: int = 200, **context: object) -> HttpResponse:
    context |= {"form": form, "most_clocks": MOST_CLOCKS}
    return render(request, "sla/what_if.html", context, status=status)


def _chart(trial: Trial) -> Chart:
    """Kept then and kept under the other terms, target by target."""
    return bar_chart(
        "Promises kept, as promised and under these terms",
        [
            Series("As promised", [Point(each.label, each.was.value) for each in trial.kinds]),
            Series("Under these terms", [Point(each.label, each.would_be.value) for each in trial.kinds]),
        ],
        x_label="Target",
        y_words=percentage,
        y_range=(0, 1),
        empty="No promise of these targets was decided in this period.",
    )


def _csv_lines(changed: Sequence[tuple[Clock, Change]]) -> Iterator[str]:
    return csv_lines(CSV_HEADER, (_csv_row(clock, change) for clock, change in changed))


def _csv_row(clock: Clock, change: Change) -> tuple[object, ...]:
    return (
        clock.get_kind_display(),
        clock.lead.name,
        clock.owner or "",
        clock.team or "",
        clock.started_at.isoformat(),
        clock.due_at.isoformat(),
        change.due_at.isoformat(),
        clock.stopped_at.isoformat() if clock.stopped_at else "",
        change.was,
        change.would_be,
        clock.handoff_id,
        clock.pk,
    )
