"""What the actions of the handoff page have in common: fetch it, say what happened, say why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget, trigger_client_event

from accounts.roles import login_required, signed_in_user
from common.errors import DomainError
from common.htmx import wants_fragment
from handoffs.models import Handoff
from handoffs.queue.rows import next_handoff
from handoffs.story import tell_story


def fetch_handoff(request: HttpRequest, pk: int) -> Handoff:
    """The handoff if this person may see it, with what its page shows; 404 otherwise."""
    visible = Handoff.objects.visible_to(signed_in_user(request))
    return get_object_or_404(
        visible.select_related("lead__company", "lead__score", "owner", "package", "pool", "acknowledgement"),
        pk=pk,
    )


def acts_on_handoff(view: Callable[[HttpRequest, int], HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard what a form of the handoff page is sent to: by POST, by somebody signed in.

    An answer that is not redirected, such as a refusal, has this address: when it is reloaded, as phones do
    by themselves, the browser asks for it by GET. That leads to the handoff.
    """

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, pk: int) -> HttpResponse:
        if request.method in ("GET", "HEAD"):
            return redirect(fetch_handoff(request, pk))
        return require_POST(view)(request, pk)

    return guarded


def done(request: HttpRequest, pk: int, words: str, *, undo_url: str = "") -> HttpResponse:
    """Show the handoff as it is now and say what happened; the queue beside it redraws itself.

    `undo_url`: where it can be taken back, for as long as the toast offers it.
    """
    if not wants_fragment(request):
        messages.success(request, words, extra_tags=undo_url)
        return redirect("handoffs:detail", pk=pk)
    toast = {"toast": words, "undo_url": undo_url}
    response = render_handoff(request, fetch_handoff(request, pk), extra=toast)
    return trigger_client_event(response, "portal:refresh")


def undone(request: HttpRequest, pk: int, words: str) -> HttpResponse:
    """Show the handoff as it is again. The button is in a toast, so the answer says where it belongs."""
    handoff = fetch_handoff(request, pk)
    if not wants_fragment(request):
        messages.success(request, words)
        return redirect(handoff)
    if current_path(request) not in (reverse("handoffs:queue"), handoff.get_absolute_url()):
        messages.success(request, words)
        return HttpResponseClientRedirect(handoff.get_absolute_url())
    response = render_handoff(request, handoff, extra={"toast": words})
    trigger_client_event(response, "portal:refresh")
    if current_path(request) == reverse("handoffs:queue"):
        return reswap(retarget(response, "#pane"), "innerHTML")
    return reswap(retarget(response, f"#handoff-{handoff.pk}"), "outerHTML")


def refuse(
    request: HttpRequest, pk: int, refusal: DomainError, *, forms: Mapping[str, Any] | None = None
) -> HttpResponse:
    """Show why, the handoff as it is now, what was typed, and what to do next (QUEUE-5)."""
    handoff = fetch_handoff(request, pk)
    context = {"refusal": refusal, "next_handoff": next_handoff(signed_in_user(request), after=handoff)}
    response = render_handoff(request, handoff, extra=context | dict(forms or {}), status=refusal.status)
    return trigger_client_event(response, "portal:refresh") if wants_fragment(request) else response


def render_handoff(
    request: HttpRequest, handoff: Handoff, *, extra: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """The page, or its article alone as a pane; `extra` holds forms with refused input and the toast."""
    template = "handoffs/_handoff.html" if wants_fragment(request) else "handoffs/detail.html"
    story = tell_story(handoff, viewer=signed_in_user(request), now=timezone.now(), forms=extra)
    return render(request, template, story, status=status)


def current_path(request: HttpRequest) -> str:
    """The page the person is on, without its query; blank when the browser does not say."""
    path: str | None = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
    return (path or "").partition("?")[0]
