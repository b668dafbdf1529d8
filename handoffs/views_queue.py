"""/queue/: which lead do I call now, why, and how long have I got? (QUEUE-1)"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.http import require_GET

from accounts.models import User
from accounts.roles import role_required, signed_in_user
from common.htmx import wants_fragment
from handoffs.forms import QueueFilterForm
from handoffs.models import Handoff
from handoffs.queue import MINE, count_tabs, queue_revision, urgent_rows
from handoffs.story import tell_story


@require_GET
@role_required(User.Role.BDR, User.Role.MANAGER)
def queue(request: HttpRequest) -> HttpResponse:
    """The page, or, for HTMX, its rows alone: 304 with no body while nothing has changed."""
    user = signed_in_user(request)
    if not wants_fragment(request):
        return _render_queue(request, user, "handoffs/queue.html")
    etag = quote_etag(queue_revision(user))
    response = get_conditional_response(request, etag=etag) or _render_queue(
        request, user, "handoffs/queue.html#refreshed", etag=etag
    )
    response["ETag"] = etag
    patch_cache_control(response, private=True, no_cache=True)
    return response


def _render_queue(request: HttpRequest, user: User, template: str, *, etag: str = "") -> HttpResponse:
    form = QueueFilterForm(request.GET)
    chosen = form.chosen()
    counts = count_tabs(user)
    context = {
        "form": form,
        "filter_fields": [form[name] for name in ("category", "warmth", "status")],
        "chosen": chosen,
        "rows": urgent_rows(user, chosen),
        "counts": counts,
        "total": counts[chosen.tab],
        "etag": etag or quote_etag(queue_revision(user)),
        "mine_label": "Mine" if user.role == User.Role.BDR else "Everyone’s",
        "is_mine": chosen.tab == MINE,
    }
    if not wants_fragment(request):
        context |= _selected(request, user)
    return render(request, template, context, status=422 if form.errors else 200)


def _selected(request: HttpRequest, user: User) -> dict[str, object]:
    """The handoff named in the address, so that a reload shows the same thing. Does not count as opening."""
    pk = request.GET.get("selected", "")
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        return {}
    handoff = (
        Handoff.objects.visible_to(user)
        .select_related("lead__company", "lead__score", "owner", "package", "pool")
        .filter(pk=int(pk))
        .first()
    )
    return {"selected": handoff.pk, **tell_story(handoff, viewer=user)} if handoff else {}
