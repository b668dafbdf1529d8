"""Beside the form of a signal: what it would have matched, and the names there are to choose from."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.forms import all_valid
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.roles import signed_in_user
from common.errors import DomainError
from scoring.admin.drafts import refusals_of
from scoring.models import Signal, SignalCondition
from scoring.recent_activities import preview_signal, recent_names


def signal_urls(model_admin: admin.ModelAdmin[Signal]) -> list[URLPattern]:
    """The preview takes the form as posted, of a new signal or of one there is."""

    @require_POST
    def preview(request: HttpRequest, object_id: str = "") -> HttpResponse:
        if not model_admin.has_add_permission(request):
            raise PermissionDenied("Only marketing edits signals.")
        signal = model_admin.get_object(request, unquote(object_id)) if object_id else None
        if object_id and signal is None:
            raise Http404("There is no such signal.")
        return render(request, "admin/scoring/signal/_preview.html", _preview(model_admin, request, signal))

    @require_GET
    def names(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied("Only those who look after scoring read signals.")
        return render(
            request, "admin/scoring/signal/_names.html", {"names": recent_names(now=timezone.now())}
        )

    guard = model_admin.admin_site.admin_view
    return [
        path("preview/", guard(preview), name="scoring_signal_preview"),
        path("<path:object_id>/preview/", guard(preview), name="scoring_signal_preview_of"),
        path("names/", guard(names), name="scoring_signal_names"),
    ]


def _preview(
    model_admin: admin.ModelAdmin[Signal], request: HttpRequest, signal: Signal | None
) -> dict[str, object]:
    """The context of the preview: what matched, or why nothing can be said."""
    now = timezone.now()
    typed = Signal(key=f"preview-{uuid4().hex}", created_at=now)
    form = model_admin.get_form(request, signal, change=bool(signal))(request.POST, instance=typed)
    # The admin's own way to make its inlines: the names of their fields depend on it.
    formsets, _ = model_admin._create_formsets(request, signal or Signal(), change=bool(signal))  # type: ignore[attr-defined]
    form_is_valid = form.is_valid()
    if not (all_valid(formsets) and form_is_valid):
        return {"refusals": refusals_of(form, formsets)}
    try:
        return {"found": preview_signal(typed, conditions_of(formsets), by=signed_in_user(request), now=now)}
    except DomainError as refusal:
        return {"refusals": [str(refusal)]}


def conditions_of(formsets: list[Any]) -> list[SignalCondition]:
    """The conditions as they stand on the page."""
    return [
        SignalCondition(
            property_name=form.cleaned_data["property_name"],
            operator=form.cleaned_data["operator"],
            values=form.cleaned_data["values"],
        )
        for formset in formsets
        for form in formset.forms
        if form.cleaned_data and not form.cleaned_data.get("DELETE")
    ]
