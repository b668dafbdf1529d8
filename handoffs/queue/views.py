"""/queue/: which lead do I call now, why, and how long have I got? (QUEUE-1)"""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.counting import BoundedCount
from common.errors import InvalidInput
from common.htmx import wants_fragment
from common.ids import parse_id
from common.jinja import render_jinja
from handoffs.models import Handoff, HandoffQuerySet, SavedView
from handoffs.queue.bulk_acceptance import BulkResult, accept_handoffs, undo_acceptances
from handoffs.queue.filters import QueueFilterForm, read_filter
from handoffs.queue.rows import next_handoff, show_rows
from handoffs.queue.saved_views import views_of
from handoffs.queue.tabs import Tab, first_tab, tabs_of
from handoffs.queue_state import MOST_ROWS, read_queue_state
from handoffs.story import tell_story
from handoffs.undo import UNDO_FOR

for_sales = role_required(User.Role.BDR, User.Role.MANAGER)


@require_GET
@for_sales
def queue(request: HttpRequest) -> HttpResponse:
    """The page, or, for HTMX, its rows alone: 304 with no body while nothing has changed."""
    user = signed_in_user(request)
    chosen = read_filter(request.GET, viewer=user)
    state = read_queue_state(user, chosen)
    etag = quote_etag(state.token)
    fragment = wants_fragment(request)
    if fragment and (unchanged := get_conditional_response(request, etag=etag)):
        return _revalidated(unchanged, etag)
    form = QueueFilterForm(request.GET, viewer=user)
    rows = show_rows(user, state.ids, most=state.most_rows)
    selected = {} if fragment else _selected(request, user)
    # Masking it anew for each part of the page takes as long as reading the session.
    csrf_token = get_token(request)
    context = {
        "csrf_token": csrf_token,
        "form": form,
        "filter_fields": [form[name] for name in ("category", "warmth", "status")],
        "chosen": chosen,
        "rows": rows,
        "is_full": len(rows) == state.most_rows,
        "rows_html": render_jinja(
            "handoffs/queue_rows.jinja",
            rows=rows,
            selected=selected.get("selected"),
            shows_owner=chosen.tab in (Tab.TEAM, Tab.ALL),
            csrf_token=csrf_token,
        ),
        "tabs": _tabs(user, chosen.tab, state.counts),
        "total": state.counts[chosen.tab],
        "etag": etag,
    }
    status = 422 if form.errors else 200
    if fragment:
        page = render(request, "handoffs/queue.html#refreshed", context, status=status)
        return _revalidated(page, etag)
    context["saved_views"] = views_of(user, SavedView.Page.QUEUE)
    return render(request, "handoffs/queue.html", context | selected, status=status)


@require_POST
@for_sales
def accept_selected(request: HttpRequest) -> HttpResponse:
    """Accept all that are ticked; say how many, and for each of the others who was quicker."""
    user, now = signed_in_user(request), timezone.now()
    ids = _ticked(request.POST)
    result = accept_handoffs(_by_number(user, ids), by=user, now=now)
    said = f"{len(result.done)} accepted." if result.done else ""
    refusals = _words_of(result, out_of_sight=len(ids) - result.tried)
    just_now = [handoff.pk for handoff in result.done if handoff.accepted_at == now]
    undo_url = f"{reverse('handoffs:undo_selected')}?{urlencode({'handoff': just_now}, doseq=True)}"
    # Accepting many has taken some of the seconds.
    seconds_left = int((now + UNDO_FOR - timezone.now()).total_seconds())
    offered = bool(just_now) and seconds_left > 0
    return _say(request, said, refusals, undo_url=undo_url if offered else "", undo_seconds=seconds_left)


@require_POST
@for_sales
def undo_selected(request: HttpRequest) -> HttpResponse:
    """Take several acceptances back with the one button of their toast; say which stand, and why."""
    user = signed_in_user(request)
    ids = _ticked(request.GET)
    result = undo_acceptances(_by_number(user, ids), by=user, now=timezone.now())
    said = f"Undone: {len(result.done)} wait{'' if len(result.done) > 1 else 's'} for a decision again."
    refusals = _words_of(result, out_of_sight=len(ids) - result.tried)
    return _say(request, said if result.done else "", refusals)


@require_GET
@for_sales
def next_in_queue(request: HttpRequest) -> HttpResponse:
    """On to the handoff that comes next in one's own queue, or to the queue when nothing does."""
    user = signed_in_user(request)
    after = _named(request, user, "after")
    upcoming = next_handoff(user, after=after)
    return redirect(upcoming) if upcoming else redirect("handoffs:queue")


def _revalidated(response: HttpResponse, etag: str) -> HttpResponse:
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _tabs(user: User, chosen: str, counts: dict[str, BoundedCount]) -> list[dict[str, object]]:
    return [
        {
            "value": None if tab == first_tab(user) else tab.value,
            "label": tab.label,
            "count": counts[tab.value],
            "is_chosen": tab == chosen,
        }
        for tab in tabs_of(user)
    ]


def _ticked(given: QueryDict) -> set[int]:
    """The numbers of the ticked handoffs. Raises InvalidInput."""
    try:
        ids = {parse_id(value) for value in given.getlist("handoff")}
    except ValueError as error:
        raise InvalidInput("Tick the handoffs in the list.", field="handoff") from error
    if not ids:
        raise InvalidInput("Tick the handoffs to accept first.", field="handoff")
    if len(ids) > MOST_ROWS:
        raise InvalidInput(f"At most {MOST_ROWS} at once, please.", field="handoff")
    return ids


def _by_number(user: User, ids: set[int]) -> HandoffQuerySet:
    """Those that this person may see."""
    visible = Handoff.objects.visible_to(user).filter(pk__in=ids)
    return visible.select_related("lead", "owner").order_by("pk")


def _say(
    request: HttpRequest, said: str, refusals: list[str], *, undo_url: str = "", undo_seconds: int = 0
) -> HttpResponse:
    """What came of a selection: a toast over the list, which redraws itself, or messages on the page."""
    if wants_fragment(request):
        words = " ".join([said, *refusals]).strip()
        toast = {"words": words, "undo_url": undo_url, "undo_seconds": undo_seconds}
        # It stays to be read when somebody was quicker.
        response = render(request, "_toast.html", toast | {"level": "error" if refusals else ""})
        return trigger_client_event(response, "portal:refresh")
    if said:
        messages.success(request, said, extra_tags=undo_url)
    for words in refusals:
        messages.error(request, words)
    return redirect("handoffs:queue")


def _words_of(result: BulkResult, *, out_of_sight: int) -> list[str]:
    words = [f"{handoff.lead.name}: {refusal}" for handoff, refusal in result.refused]
    if out_of_sight:
        words.append(f"{out_of_sight} {'is' if out_of_sight == 1 else 'are'} no longer open to you.")
    return words


def _named(request: HttpRequest, user: User, name: str) -> Handoff | None:
    """The handoff whose number stands in the query string, if this person may see it."""
    try:
        pk = parse_id(request.GET.get(name, ""))
    except ValueError:
        return None
    visible = Handoff.objects.visible_to(user)
    return (
        visible.select_related("lead__company", "lead__score", "owner", "package", "pool")
        .filter(pk=pk)
        .first()
    )


def _selected(request: HttpRequest, user: User) -> dict[str, object]:
    """The handoff named in the address, so that a reload shows the same thing. Does not count as opening."""
    handoff = _named(request, user, "selected")
    return {"selected": handoff.pk, **tell_story(handoff, viewer=user, now=timezone.now())} if handoff else {}
