"""/ops/salesforce/: is the exchange flowing, and what waits for a person?"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import role_required, signed_in_user
from common.csv_stream import csv_lines
from common.htmx import wants_fragment
from common.keyset import newest_first_page
from crm.client import org_url
from crm.forms import CauseForm
from crm.mending import mending_of
from crm.models import LeadSync, LeadSyncQuerySet
from crm.parked import retry_all, retry_push
from crm.standing import read_standing
from crm.unread import read_again
from crm.views.roles import KEEPERS, WATCHERS, may_keep

PAGE_SIZE = 50
CSV_HEADER = ("lead", "name", "company", "salesforce_id", "cause", "what_to_do", "parked_at", "attempts")


@require_GET
@role_required(*WATCHERS)
def overview(request: HttpRequest) -> HttpResponse:
    """`?cause=` narrows the list of leads to one cause."""
    return _render(request)


@require_GET
@role_required(*WATCHERS)  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def parked_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The same list, whole."""
    found = _parked(request).order_by("-parked_at", "-pk")
    rows = (
        (
            sync.pk,
            sync.lead.name,
            sync.lead.company or "",
            sync.salesforce_id,
            sync.error_code,
            sync.error,
            sync.parked_at.isoformat() if sync.parked_at else "",
            sync.attempts,
        )
        for sync in found.iterator(chunk_size=500)
    )
    return StreamingHttpResponse(
        csv_lines(CSV_HEADER, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="salesforce-parked.csv"'},
    )


@require_POST
@role_required(*KEEPERS)
def retry(request: HttpRequest, lead_id: int) -> HttpResponse:
    visible = LeadSync.objects.visible_to(signed_in_user(request))
    sync = get_object_or_404(visible.select_related("lead"), pk=lead_id)
    retry_push(sync, by=signed_in_user(request), now=timezone.now())
    return _answer(request, f"{sync.lead.name} is sent again with the next batch.")


@require_POST
@role_required(*KEEPERS)
def retry_cause(request: HttpRequest) -> HttpResponse:
    """Send again everything that was parked for one cause."""
    cause = CauseForm(request.POST).code()
    freed = retry_all(cause, by=signed_in_user(request), now=timezone.now())
    return _answer(
        request, f"{freed} lead{'' if freed == 1 else 's'} will be sent again with the next batch."
    )


@require_POST
@role_required(*KEEPERS)
def read_unread(request: HttpRequest) -> HttpResponse:
    """Have the rows of Salesforce that could not be taken over read again."""
    freed = read_again(now=timezone.now())
    return _answer(request, f"{freed} record{pluralize(freed)} will be read again within a minute.")


def _answer(request: HttpRequest, words: str) -> HttpResponse:
    if wants_fragment(request):
        return _render(request, words=words)
    messages.success(request, words)
    return redirect("crm:overview")


def _render(request: HttpRequest, *, words: str = "") -> HttpResponse:
    page = newest_first_page(
        _parked(request), at="parked_at", after=request.GET.get("after", ""), size=PAGE_SIZE
    )
    context = {
        "standing": read_standing(now=timezone.now()),
        "page": page,
        "rows": [(sync, mending_of(sync.error_code)) for sync in page.rows],
        "org_url": org_url(),
        "cause": CauseForm(request.GET).code(),
        "place": request.GET.urlencode(),
        "may_keep": may_keep(signed_in_user(request)),
        "words": words,
    }
    template = "crm/overview.html#standing" if wants_fragment(request) else "crm/overview.html"
    return render(request, template, context)


def _parked(request: HttpRequest) -> LeadSyncQuerySet:
    cause = CauseForm(request.GET).code()
    parked = LeadSync.objects.visible_to(signed_in_user(request)).parked().select_related("lead__company")
    return parked.filter(error_code=cause) if cause else parked
