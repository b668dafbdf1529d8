"""/sla/tickets/: what waits for a person, the most urgent first; one ticket and its answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.roles import login_required, signed_in_user
from common.errors import DomainError, InvalidInput
from sla.forms_tickets import PassOnForm, TicketAnswerForm, TicketFilter
from sla.models import Ticket
from sla.ticket_list import Tab, count_tickets, read_page, read_tickets, ticket_csv_lines
from sla.tickets import close_ticket, may_answer, reassign_ticket


@require_GET
@login_required
def tickets(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    user = signed_in_user(request)
    filters = TicketFilter(request.GET)
    if not filters.is_valid():
        return render(request, "sla/tickets.html", {"filters": filters}, status=422)
    tab = filters.chosen_tab
    found = read_tickets(user, tab, alarm=filters.cleaned_data["alarm"], now=now)
    counts = count_tickets(user, now=now)
    context = {
        "filters": filters,
        "tab": tab,
        "tabs": [(each, counts.of(each)) for each in Tab],
        "page": read_page(found, tab, after=request.GET.get("after", "")),
    }
    return render(request, "sla/tickets.html", context)


@require_GET
@login_required  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def tickets_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    filters = TicketFilter(request.GET)
    if not filters.is_valid():
        return render(request, "sla/tickets.html", {"filters": filters}, status=422)
    user, alarm = signed_in_user(request), filters.cleaned_data["alarm"]
    return StreamingHttpResponse(
        ticket_csv_lines(read_tickets(user, filters.chosen_tab, alarm=alarm, now=timezone.now())),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="tickets.csv"'},
    )


@require_http_methods(["GET", "POST"])
@login_required
def ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """What an alarm found, and the form for its answer."""
    found = _fetch(request, pk)
    if request.method == "GET":
        return _render(request, found)
    form = TicketAnswerForm(request.POST)
    if not form.is_valid():
        return _render(request, found, answer=form, status=422)
    try:
        close_ticket(found, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except InvalidInput as refusal:
        form.add_error(refusal.field, str(refusal))
        return _render(request, found, answer=form, status=refusal.status)
    except DomainError as refusal:
        return _render(request, _fetch(request, pk), refusal=refusal, status=refusal.status)
    messages.success(request, "Closed. What came of it is kept with the ticket.")
    return redirect("sla:tickets")


@require_POST
@login_required
def pass_on(request: HttpRequest, pk: int) -> HttpResponse:
    found = _fetch(request, pk)
    form = PassOnForm(request.POST)
    if not form.is_valid():
        return _render(request, found, pass_on=form, status=422)
    try:
        reassign_ticket(found, **form.cleaned_data, by=signed_in_user(request), now=timezone.now())
    except DomainError as refusal:
        return _render(request, _fetch(request, pk), refusal=refusal, status=refusal.status)
    messages.success(request, f"{found.owner} has this ticket now.")
    return redirect("sla:tickets")


def _fetch(request: HttpRequest, pk: int) -> Ticket:
    visible = Ticket.objects.visible_to(signed_in_user(request))
    return get_object_or_404(visible.select_related("lead__company", "owner", "closed_by"), pk=pk)


def _render(
    request: HttpRequest,
    found: Ticket,
    *,
    answer: TicketAnswerForm | None = None,
    pass_on: PassOnForm | None = None,
    refusal: DomainError | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "ticket": found,
        "is_late": found.is_late(timezone.now()),
        "may_answer": found.closed_at is None and may_answer(found, signed_in_user(request)),
        "answer": answer or TicketAnswerForm(),
        "pass_on": pass_on or PassOnForm(),
        "refusal": refusal,
    }
    return render(request, "sla/ticket.html", context, status=status)
