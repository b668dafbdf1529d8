"""The draft as it stands in the admin's form, unsaved edits included.

The form is saved the way the admin saves it, inside a transaction that is then rolled back: what is read in
between is sure to be what saving would give, and nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.forms import BaseForm, all_valid
from django.http import Http404, HttpRequest

from scoring.language.rules import Model, RuleRefused
from scoring.loading import load_model
from scoring.models import ModelVersion
from scoring.pages.versions import VersionText, describe_version


@dataclass(frozen=True, slots=True)
class TypedDraft:
    """What the form says. Without a model, `refusals` tell in sentences why it cannot be read.

    The keys of rules that were not saved before mean nothing outside this model.
    """

    version: ModelVersion
    model: Model | None = None
    text: VersionText | None = None
    refusals: list[str] = field(default_factory=list)
    unmatched: list[str] = field(default_factory=list)


def read_typed_draft(
    model_admin: admin.ModelAdmin[ModelVersion], request: HttpRequest, object_id: str
) -> TypedDraft:
    """The draft as posted. Raises Http404 for a version that is not there or is no draft."""
    version = model_admin.get_object(request, unquote(object_id))
    if version is None or version.status != ModelVersion.Status.DRAFT:
        raise Http404("There is no such draft.")
    with transaction.atomic():
        try:
            return _read(model_admin, request, version)
        finally:
            transaction.set_rollback(True)


def _read(
    model_admin: admin.ModelAdmin[ModelVersion], request: HttpRequest, version: ModelVersion
) -> TypedDraft:
    form = model_admin.get_form(request, version, change=True)(request.POST, instance=version)
    form_is_valid = form.is_valid()
    # The admin's own way to make its inlines: the names of their fields depend on it.
    formsets, _ = model_admin._create_formsets(request, version, change=True)  # type: ignore[attr-defined]
    if not (all_valid(formsets) and form_is_valid):
        return TypedDraft(version, refusals=refusals_of(form, formsets))
    model_admin.save_model(request, model_admin.save_form(request, form, change=True), form, True)
    # Not its own way, which also says what is wrong with what was saved.
    admin.ModelAdmin.save_related(model_admin, request, form, formsets, True)
    typed = ModelVersion.objects.with_rules().get(pk=version.pk)
    try:
        model = load_model(typed)
    except RuleRefused as refusal:
        return TypedDraft(typed, refusals=[str(refusal)])
    waiting = {
        rule.signal.name for rule in typed.rules.all() if rule.signal and rule.signal.backfilled_at is None
    }
    return TypedDraft(typed, model, describe_version(typed), unmatched=sorted(waiting))


def refusals_of(form: BaseForm, formsets: list[Any]) -> list[str]:
    """Every error of the page as a sentence that says where it is."""
    found = _errors_of(form, "")
    for formset in formsets:
        found += [str(error) for error in formset.non_form_errors()]
        for each in formset.forms:
            if not (formset.can_delete and formset._should_delete_form(each)):
                name = each.data.get(each.add_prefix("name")) or str(each.instance or "")
                found += _errors_of(each, f"“{name}”: " if name else "")
    return found


def _errors_of(form: BaseForm, where: str) -> list[str]:
    found = []
    for name, errors in form.errors.items():
        label = f"{form[name].label}: " if name in form.fields else ""
        found += [f"{where}{label}{error}" for error in errors]
    return found
