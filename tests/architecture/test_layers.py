"""The rules of ARCHITECTURE.md that imports alone do not show."""

from __future__ import annotations

import inspect
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils.module_loading import import_string

ROOT = Path(__file__).resolve().parents[2]
APPS = settings.PORTAL_APPS  # highest first
OURS = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in APPS]
# crm and protocol share a layer in the import contract, so neither may point at the other.
SIBLINGS = {"crm", "protocol"}


def depth(app_label: str) -> int:
    return APPS.index(app_label)


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_foreign_keys_point_down(model: type[models.Model]) -> None:
    for field in model._meta.get_fields():
        if not (field.is_relation and field.concrete) or field.related_model is None:
            continue
        target = field.related_model._meta.app_label
        if target in APPS:
            assert depth(target) >= depth(model._meta.app_label), (
                f"{model._meta.label}.{field.name} points up"
            )
            assert {target, model._meta.app_label} != SIBLINGS


def test_the_list_of_apps_is_the_import_contract() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = pyproject["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    named = [name.strip(" ()") for layer in layers for name in layer.split("|")]

    assert [name for name in named if name in APPS] == APPS


def test_the_one_hook_upward_resolves() -> None:
    task = import_string(settings.LEAD_CHANGED_TASK)

    assert list(inspect.signature(task).parameters) == ["lead_id"]


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_a_model_says_what_a_row_means(model: type[models.Model]) -> None:
    if not model._meta.auto_created:
        assert model.__doc__
        assert not model.__doc__.startswith(f"{model.__name__}(")


# Pairs whose "by" may be empty because a machine may have done it.
DONE_BY_A_MACHINE_TOO = {
    ("scoring.ModelVersion", "published_at"),  # load_preset publishes without a person
    ("scoring.ModelVersion", "created_at"),
    ("handoffs.Handoff", "closed_at"),  # Salesforce may report won or lost
}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model._meta.label)
def test_who_and_when_travel_together(model: type[models.Model]) -> None:
    """A pair like accepted_at and accepted_by is both or neither, and the database says so."""
    fields = {field.name: field for field in model._meta.get_fields() if field.concrete}
    constraints = " ".join(str(constraint) for constraint in model._meta.constraints)
    for name, at in fields.items():
        by = fields.get(f"{name.removesuffix('_at')}_by") if name.endswith("_at") else None
        if by is None or not at.null or (model._meta.label, name) in DONE_BY_A_MACHINE_TOO:
            continue
        if by.remote_field.on_delete is models.SET_NULL:  # the person may have left since
            continue
        assert f"{name}" in constraints, f"{model._meta.label}: hold {name} and {by.name} together"
