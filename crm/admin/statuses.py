"""Which Lead Status each stage stands for."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from crm.admin.fields import choose_or_type
from crm.changes import send_again
from crm.describing import read_statuses
from crm.models import LeadSync, StatusMapping


class StatusMappingForm(forms.ModelForm[StatusMapping]):
    class Meta:
        model = StatusMapping
        fields = ("stage", "status")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            # The status of a conversion cannot be written.
            known = [(one.label, one.label) for one in read_statuses() if not one.is_converted]
            self.fields["status"] = choose_or_type(self.fields["status"], known, current=self.instance.status)


@admin.register(StatusMapping)
class StatusMappingAdmin(admin.ModelAdmin[StatusMapping]):
    form = StatusMappingForm
    list_display = ("stage", "status")

    def save_model(
        self, request: HttpRequest, obj: StatusMapping, form: forms.ModelForm[StatusMapping], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        send_again(LeadSync.objects.filter(lead__stage=obj.stage), now=timezone.now())
