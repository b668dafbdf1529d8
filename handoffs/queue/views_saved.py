"""Keeping and forgetting saved views, from the queue and from the list of leads."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.roles import login_required, signed_in_user
from common.errors import InvalidInput
from handoffs.models import SavedView
from handoffs.queue.saved_views import delete_view, filters_in, save_view

PAGE_URLS = {SavedView.Page.QUEUE: "handoffs:queue", SavedView.Page.LEADS: "handoffs:leads"}


@require_POST
@login_required
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the address filters by under a name, and stay where one is."""
    user = signed_in_user(request)
    page, name = request.POST.get("page", ""), request.POST.get("name", "")
    query = request.POST.get("query", "").removeprefix("?")
    try:
        view = save_view(user, page=page, name=name, query=query, now=timezone.now())
    except InvalidInput as refusal:
        if refusal.field == "page":
            raise
        messages.error(request, str(refusal))
        return redirect(_address(page, filters_in(query, page=page, viewer=user)))
    messages.success(request, f"Saved as “{view.name}”.")
    return redirect(_address(page, view.query))


@require_POST
@login_required
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    user = signed_in_user(request)
    view = get_object_or_404(SavedView, pk=pk, user=user)
    delete_view(view, by=user)
    messages.success(request, f"View “{view.name}” deleted.")
    return redirect(PAGE_URLS[SavedView.Page(view.page)])


def _address(page: str, query: str) -> str:
    path = reverse(PAGE_URLS[SavedView.Page(page)])
    return f"{path}?{query}" if query else path
