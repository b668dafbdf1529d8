"""How screens behave that are not there to add, change and delete at will."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from common.inlines import LabelledFormSet


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """What verbs write and people read."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(admin.TabularInline[Any, Any]):
    formset = LabelledFormSet
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NamedRowForm(forms.ModelForm[Any]):
    """A row edited in a list: its inputs have no labels there, so they are named by column and row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of {self.instance}"


class EditableListAdmin(admin.ModelAdmin[Any]):
    """A list in which order and use are changed on the spot."""

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm[Any]]:
        return super().get_changelist_form(request, **{"form": NamedRowForm} | kwargs)


class OneRowAdmin(admin.ModelAdmin[Any]):
    """A standard there is one of: it can be changed, not multiplied nor removed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not self.model._default_manager.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
