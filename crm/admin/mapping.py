"""The editor of the field mapping: all fields on one page, each with what is wrong with it (CRM-2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_POST

from crm.admin.mapping_forms import EditorFormSet, FieldMappingForm, RowForm, is_needed
from crm.admin.mapping_rows import fixed_fields, group_rows
from crm.client import connected_client
from crm.describing import read_descriptions
from crm.fitting import check_against_org, check_mapping
from crm.models import FieldMapping
from crm.problems import SalesforceError
from crm.rules import compare_all_leads

Rows = forms.BaseModelFormSet[FieldMapping, RowForm]

EDITOR = "admin:crm_fieldmapping_changelist"
READING = (FieldMapping.Direction.PULL, FieldMapping.Direction.BOTH)
SENT_ANEW = "Every lead is compared with the mapping, and what differs is sent."
READ_ANEW = (
    "What Salesforce holds already in a field that is newly read comes in when the record changes there "
    "next, or with a comparison that mends."
)


@admin.register(FieldMapping)
class FieldMappingAdmin(admin.ModelAdmin[FieldMapping]):
    form = FieldMappingForm
    add_form_template = change_form_template = "admin/crm/field_form.html"
    actions = None

    def get_urls(self) -> list[URLPattern]:
        check = self.admin_site.admin_view(require_POST(self.check_view))
        return [path("check/", check, name="crm_fieldmapping_check"), *super().get_urls()]

    # --- All fields on one page ------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The whole mapping at once, to change many fields together."""
        may_change = self.has_change_permission(request)
        if not may_change and (request.method == "POST" or not self.has_view_permission(request)):
            raise PermissionDenied("The mapping is kept by operators.")
        queryset = FieldMapping.objects.order_by("object_name", "pk")
        formset = EditorFormSet(request.POST or None, queryset=queryset, is_fixed=not may_change)
        if request.method == "POST" and formset.is_valid():
            self._save_rows(request, formset)
            return redirect(EDITOR)
        return TemplateResponse(
            request, "admin/crm/mapping.html", self._editor(request, formset, may_change=may_change)
        )

    def _editor(self, request: HttpRequest, formset: Rows, *, may_change: bool) -> dict[str, Any]:
        descriptions = read_descriptions()
        groups = group_rows(formset.forms, descriptions)
        return self.admin_site.each_context(request) | {
            "title": "Field mapping",
            "opts": FieldMapping._meta,
            "formset": formset,
            "groups": groups,
            "fixed": fixed_fields(),
            "problems": [row for group in groups for row in group.rows if row.mapping.problem],
            "compared_at": min((one.fetched_at for one in descriptions.values()), default=None),
            "may_change": may_change,
        }

    @transaction.atomic
    def _save_rows(self, request: HttpRequest, formset: Rows) -> None:
        formset.save()
        if not formset.changed_objects:
            messages.info(request, "Nothing was changed.")
            return
        for mapping, names in formset.changed_objects:
            self.log_change(request, mapping, [{"changed": {"fields": names}}])
        is_newly_read = any(
            "direction" in names and mapping.direction in READING
            for mapping, names in formset.changed_objects
        )
        self._carry_out(request, is_newly_read=is_newly_read)

    # --- One field -------------------------------------------------------------------------------

    def get_form(
        self, request: HttpRequest, obj: FieldMapping | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs.setdefault("fields", FieldMappingForm.Meta.fields)
        return super().get_form(request, obj, change, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: FieldMapping | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and is_needed(obj))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        taken = set(FieldMapping.objects.values_list("object_name", "salesforce_field"))
        there = [
            (name, field)
            for name, described in read_descriptions().items()
            for field in described.fields.values()
            if (name, field.name) not in taken
        ]
        context = {"fields_there": there, "show_save_and_add_another": True, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def save_model(self, request: HttpRequest, obj: FieldMapping, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._carry_out(request, is_newly_read=obj.direction in READING)

    # --- Both ------------------------------------------------------------------------------------

    def _carry_out(self, request: HttpRequest, *, is_newly_read: bool) -> None:
        wrong = check_mapping(now=timezone.now())
        compare_all_leads()
        messages.success(request, f"{SENT_ANEW} {READ_ANEW if is_newly_read else ''}".strip())
        if wrong:
            named = ", ".join(str(mapping) for mapping in wrong[:5])
            messages.warning(request, f"These do not fit Salesforce as it is: {named}.")

    def check_view(self, request: HttpRequest) -> HttpResponse:
        """Ask Salesforce what its fields are like, and compare the mapping with that."""
        if not self.has_change_permission(request):
            raise PermissionDenied("The mapping is kept by operators.")
        client = connected_client()
        if client is None:
            messages.error(request, "No Salesforce org is connected yet. Connect one first.")
            return redirect(EDITOR)
        try:
            wrong = check_against_org(client, now=timezone.now())
        except SalesforceError as error:
            messages.error(request, f"Salesforce did not tell: {error.problem.in_plain_words}")
            return redirect(EDITOR)
        if wrong:
            messages.warning(request, f"Compared with Salesforce: {len(wrong)} of the fields need attention.")
        else:
            messages.success(request, "Compared with Salesforce: every field fits.")
        return redirect(EDITOR)
