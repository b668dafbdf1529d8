"""/queue/: which lead do I call now, why, and how long have I got? (QUEUE-1)"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
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
from handoffs.models import Handoff, SavedView
from handoffs.queue.bulk_acceptance import BulkAcceptance, accept_handoffs
from handoffs.queue.filters import QueueFilterForm
from handoffs.queue.rows import next_handoff, show_rows
from handoffs.queue.saved_views import views_of
from handoffs.queue.tabs import Tab, first_tab, tabs_of
from handoffs.queue_state import MOST_ROWS, read_queue_state
from handoffs.rows import render_rows
from handoffs.story import tell_story

for_sales = role_required(User.Role.BDR, User.Role.MANAGER)


@require_GET
@for_sales
def queue(request: HttpRequest) -> HttpResponse:
    """The page, or, for HTMX, its rows alone: 304 with no body while nothing has changed."""
    user = signed_in_user(request)
    form = QueueFilterForm(request.GET, viewer=user)
    chosen = form.chosen()
    state = read_queue_state(user, chosen)
    etag = quote_etag(state.token)
    fragment = wants_fragment(request)
    if fragment and (unchanged := get_conditional_response(request, etag=etag)):
        return _revalidated(unchanged, etag)
    rows = show_rows(user, state.ids)
    selected = {} if fragment else _selected(request, user)
    context = {
        "form": form,
        "filter_fields": [form[name] for name in ("category", "warmth", "status")],
        "chosen": chosen,
        "rows": rows,
        "most_rows": MOST_ROWS,
        "rows_html": render_rows(
            "handoffs/queue_rows.jinja",
            rows=rows,
            selected=selected.get("selected"),
            shows_owner=chosen.tab in (Tab.TEAM, Tab.ALL),
            csrf_token=get_token(request),
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
    user = signed_in_user(request)
    ids = _ticked(request)
    visible = Handoff.objects.visible_to(user).filter(pk__in=ids).select_related("lead", "owner")
    result = accept_handoffs(visible.order_by("pk"), by=user, now=timezone.now())
    said = [f"{len(result.accepted)} accepted."] if result.accepted else []
    refusals = _words_of(result, out_of_sight=len(ids) - result.tried)
    if wants_fragment(request):
        context = {"said": said, "refusals": refusals}
        response = render(request, "handoffs/_accepted_selected.html", context)
        return trigger_client_event(response, "portal:refresh")
    for words in said:
        messages.success(request, words)
    for words in refusals:
        messages.error(request, words)
    return redirect("handoffs:queue")


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


def _ticked(request: HttpRequest) -> set[int]:
    """The numbers of the ticked handoffs. Raises InvalidInput."""
    try:
        ids = {parse_id(value) for value in request.POST.getlist("handoff")}
    except ValueError as error:
        raise InvalidInput("Tick the handoffs in the list.", field="handoff") from error
    if not ids:
        raise InvalidInput("Tick the handoffs to accept first.", field="handoff")
    if len(ids) > MOST_ROWS:
        raise InvalidInput(f"At most {MOST_ROWS} at once, please.", field="handoff")
    return ids


def _words_of(result: BulkAcceptance, *, out_of_sight: int) -> list[str]:
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
