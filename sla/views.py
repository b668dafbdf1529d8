"""Pages of the service levels: the live board, breaches and their review, and the panel of a lead."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import Team, User
from accounts.roles import login_required, role_required, signed_in_user
from common.htmx import wants_fragment
from common.jinja import render_jinja, root_of
from leads.models import Lead
from sla.board import RECENT, Board, read_board
from sla.breach_list import BreachFilter, breach_csv_lines, read_page
from sla.breaches import review_breach
from sla.escalations import next_step_of
from sla.explanations import explain_deadline
from sla.forms import CAUSES, PAUSE_REASONS, PauseForm, ReviewForm
from sla.models import Clock
from sla.pauses import pause_clock, resume_clock
from sla.ticket_list import count_tickets
from sla.time_lost import tell_time_lost
from sla.wording import promise_in_words, span_in_words

WATCHERS = (User.Role.MANAGER, User.Role.OPERATOR, User.Role.READ_ONLY)
PANEL_CLOCKS = 12


@require_GET
@role_required(*WATCHERS)
def live_board(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    user = signed_in_user(request)
    clocks = Clock.objects.visible_to(user)
    team_id = _number(request.GET.get("team"))
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    if team:
        clocks = clocks.filter(team=team)
    board = read_board(clocks, tickets=count_tickets(user, now=now), now=now)
    etag = quote_etag(board.etag)
    is_poll = wants_fragment(request)
    # A poll that would show the same is answered 304; the countdowns tick in the browser.
    if is_poll and (unchanged := get_conditional_response(request, etag=etag)):
        return unchanged
    context = {
        "board": board,
        "drawn": _draw(board),
        "etag": etag,
        "team": team,
        "recently": timezone.localdate(now - RECENT).isoformat(),
    }
    if not is_poll:
        return render(request, "sla/board.html", context | {"teams": Team.objects.order_by("name")})
    response = render(request, "sla/board.html#board", context)
    response["ETag"] = etag
    return response


def _draw(board: Board) -> dict[str, SafeString]:
    """The rows of the board's four tables."""
    root = root_of("handoffs:detail")
    return {
        "late": render_jinja("sla/board_rows.jinja", rows=board.late, handoffs_root=root),
        "at_risk": render_jinja("sla/board_rows.jinja", rows=board.at_risk, handoffs_root=root),
        "people": render_jinja("sla/board_tallies.jinja", tallies=board.people),
        "teams": render_jinja("sla/board_tallies.jinja", tallies=board.teams),
    }


@require_GET
@role_required(*WATCHERS)
def breach_list(request: HttpRequest) -> HttpResponse:
    filters = BreachFilter(request.GET)
    if not filters.is_valid():
        return render(request, "sla/breaches.html", {"filters": filters}, status=422)
    now = timezone.now()
    clocks = filters.narrow(Clock.objects.visible_to(signed_in_user(request)))
    page = read_page(clocks, after=request.GET.get("after", ""), now=now)
    return render(request, "sla/breaches.html", {"filters": filters, "page": page, "now": now})


@require_GET
@role_required(*WATCHERS)  # type: ignore[arg-type]  # a streamed response is no HttpResponse to Django
def breach_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    filters = BreachFilter(request.GET)
    if not filters.is_valid():
        return render(request, "sla/breaches.html", {"filters": filters}, status=422)
    clocks = filters.narrow(Clock.objects.visible_to(signed_in_user(request)))
    return StreamingHttpResponse(
        breach_csv_lines(clocks, now=timezone.now()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="breaches.csv"'},
    )


@require_http_methods(["GET", "POST"])
@role_required(*WATCHERS)
def breach_review(request: HttpRequest, pk: int) -> HttpResponse:
    now = timezone.now()
    user = signed_in_user(request)
    visible = Clock.objects.visible_to(user).for_display().select_related("calendar", "reviewed_by")
    clock = get_object_or_404(visible.missed(now), pk=pk)
    form = ReviewForm(request.POST or None, initial={"cause": clock.cause, "note": clock.review_note})
    if request.method == "POST" and form.is_valid():
        review_breach(clock, **form.cleaned_data, by=user, now=now)
        messages.success(request, "The review is kept.")
        return redirect("sla:breach", pk=pk)
    context = {
        "clock": clock,
        "form": form,
        "promise": promise_in_words(clock),
        "state": clock.state(now),
        "now": now,
        "why": explain_deadline(clock),
        "lost": tell_time_lost(clock, now=now),
        "steps": clock.escalations.all(),
        "next_step": next_step_of(clock),
        "causes": CAUSES,
        "may_review": user.role == User.Role.MANAGER,
    }
    return render(request, "sla/breach.html", context, status=422 if form.errors else 200)


@require_GET
@login_required
def clock_why(request: HttpRequest, pk: int) -> HttpResponse:
    clocks = Clock.objects.visible_to(signed_in_user(request)).select_related("calendar", "owner")
    clock = get_object_or_404(clocks, pk=pk)
    return render(request, "sla/_why.html", {"clock": clock, "why": explain_deadline(clock)})


@require_GET
@login_required
def lead_panel(request: HttpRequest, pk: int) -> HttpResponse:
    lead = get_object_or_404(Lead.objects.visible_to(signed_in_user(request)), pk=pk)
    return _render_panel(request, lead)


@require_POST
@login_required
def clock_pause(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    clock = get_object_or_404(Clock.objects.visible_to(user).select_related("owner", "lead"), pk=pk)
    form = PauseForm(request.POST)
    if not form.is_valid():
        return _render_panel(request, clock.lead, refused=form, refused_pk=pk)
    pause_clock(clock, reason=form.cleaned_data["reason"], by=user, now=timezone.now())
    return _render_panel(request, clock.lead, moved_pk=pk)


@require_POST
@login_required
def clock_resume(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    clock = get_object_or_404(Clock.objects.visible_to(user).select_related("owner", "lead"), pk=pk)
    resume_clock(clock, by=user, now=timezone.now())
    return _render_panel(request, clock.lead, moved_pk=pk)


def _render_panel(
    request: HttpRequest,
    lead: Lead,
    *,
    refused: PauseForm | None = None,
    refused_pk: int | None = None,
    moved_pk: int | None = None,
) -> HttpResponse:
    """The panel; the keyboard goes on at the clock that was just paused or resumed."""
    now = timezone.now()
    user = signed_in_user(request)
    clocks = (
        Clock.objects.filter(lead=lead)
        .visible_to(user)
        .select_related("owner")
        .prefetch_related("escalations")
    )
    rows = [
        {
            "clock": clock,
            "state": clock.state(now),
            "promise": promise_in_words(clock),
            "may_pause": user.role == User.Role.MANAGER or user == clock.owner,
            "longest_pause": _longest_pause(clock),
            "next_step": next_step_of(clock),
            "refused": refused if clock.pk == refused_pk else None,
            "was_moved": clock.pk == moved_pk,
        }
        for clock in clocks.order_by("-started_at", "-id")[:PANEL_CLOCKS]
    ]
    context = {"rows": rows, "may_see_breaches": user.role in WATCHERS, "pause_reasons": PAUSE_REASONS}
    return render(request, "sla/_lead_panel.html", context, status=422 if refused else 200)


def _longest_pause(clock: Clock) -> str:
    """For how long all pauses of a clock may last together, in words; blank: as long as it takes."""
    return span_in_words(clock.max_pause_minutes) if clock.max_pause_minutes else ""


def _number(text: str | None) -> int | None:
    """A row id from the query string, or nothing: a damaged filter must not break the page."""
    return int(text) if text and text.isdecimal() and len(text) < 19 else None
