"""Beside the form of a draft: what it comes to while one types. Everything is read from the unsaved form."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from scoring.admin.drafts import TypedDraft, read_typed_draft
from scoring.language.matrix import category_matrix
from scoring.language.simulation import decay_chart, rules_to_show, rules_with_points
from scoring.models import ModelVersion
from scoring.views.trying import answer, render_tried

SPANS = (30, 90, 180, 365)


def workbench_urls(model_admin: admin.ModelAdmin[ModelVersion]) -> list[URLPattern]:
    """The addresses of the workbench; they come before the admin's own, which take any path."""

    def guarded(view: Callable[[HttpRequest, TypedDraft], HttpResponse]) -> Callable[..., HttpResponse]:
        @require_POST
        def inner(request: HttpRequest, object_id: str) -> HttpResponse:
            if not model_admin.has_change_permission(request):
                raise PermissionDenied("Only marketing edits scoring.")
            return view(request, read_typed_draft(model_admin, request, object_id))

        guarded_view: Callable[..., HttpResponse] = model_admin.admin_site.admin_view(inner)
        return guarded_view

    return [
        path("<path:object_id>/preview/", guarded(preview), name="scoring_modelversion_preview"),
        path("<path:object_id>/try/", guarded(try_out), name="scoring_modelversion_try"),
    ]


def preview(request: HttpRequest, draft: TypedDraft) -> HttpResponse:
    """Faults and oddities, the category grid and the decay simulator of the draft as typed."""
    context: dict[str, object] = {"draft": draft}
    if draft.model:
        days = _chosen_days(request)
        shown = rules_to_show(draft.model, request.POST.getlist("simulate"))
        context |= {
            "text": draft.text,
            "matrix": category_matrix(draft.model),
            "chart": decay_chart(draft.model, shown, days=days),
            "choices": [(rule.name, rule in shown) for rule in rules_with_points(draft.model)],
            "spans": [(span, span == days) for span in SPANS],
        }
    return render(request, "admin/scoring/modelversion/_preview.html", context)


def try_out(request: HttpRequest, draft: TypedDraft) -> HttpResponse:
    """The try-it box, answered by the draft as typed."""
    if draft.model is None:
        return render_tried(request, sentences=draft.refusals)
    return answer(request, draft.version, draft.model)


def _chosen_days(request: HttpRequest) -> int:
    chosen = request.POST.get("simulate-days", "")
    return int(chosen) if chosen in map(str, SPANS) else 180
