"""Start from a preset: what each of them says and would change, and a draft of it in one click."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.roles import signed_in_user
from scoring.language.sentences import Change, frame_sentences, rule_sentence
from scoring.lifecycle.permissions import may_edit_scoring
from scoring.loading_presets import draft_scoring_preset, preset_changes
from scoring.models import ModelVersion
from scoring.presets import PRESETS, ScoringPreset, model_of_preset


@dataclass(frozen=True, slots=True)
class PresetText:
    """A preset as the page shows it; without changes the active version says the same."""

    key: str
    preset: ScoringPreset
    frame: list[str]
    rules: list[tuple[str, str]]
    changes: list[Change]


def preset_urls(model_admin: admin.ModelAdmin[ModelVersion]) -> list[URLPattern]:
    """The address of the page; it comes before the admin's own, which take any path."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def presets(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied("Only those who may see scoring see its presets.")
        if request.method == "POST":
            return _make_draft(request)
        context = model_admin.admin_site.each_context(request) | {
            "title": "Start from a preset",
            "opts": model_admin.opts,
            "presets": _texts(),
            "active": ModelVersion.objects.active().first(),
            "may_edit": may_edit_scoring(signed_in_user(request)),
        }
        return render(request, "admin/scoring/presets.html", context)

    return [path("presets/", model_admin.admin_site.admin_view(presets), name="scoring_modelversion_presets")]


def _make_draft(request: HttpRequest) -> HttpResponse:
    user = signed_in_user(request)
    if not may_edit_scoring(user):
        raise PermissionDenied("Only marketing edits scoring.")
    preset = PRESETS.get(request.POST.get("preset", ""))
    if preset is None:
        raise Http404("There is no such preset.")
    draft = draft_scoring_preset(preset, by=user, now=timezone.now())
    if draft is None:
        messages.info(request, f"The active version says what the preset “{preset.name}” says already.")
        return redirect("admin:scoring_modelversion_presets")
    messages.success(request, f"{draft} is a draft. Make it yours, then propose it.")
    return redirect("admin:scoring_modelversion_change", draft.pk)


def _texts() -> list[PresetText]:
    texts = []
    for (key, preset), changes in zip(PRESETS.items(), preset_changes(*PRESETS.values()), strict=True):
        model = model_of_preset(preset)
        rules = [(rule.name, rule_sentence(rule)) for rule in model.rules]
        texts.append(PresetText(key, preset, frame_sentences(model), rules, changes))
    return texts
