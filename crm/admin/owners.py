"""Which Salesforce user a person is, and which queue a pool."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from crm.admin.fields import choose_or_type, named_column
from crm.describing import read_queues, read_users
from crm.models import OwnerMapping, QueueMapping
from crm.owners import map_owner, map_queue


class OwnerMappingForm(forms.ModelForm[OwnerMapping]):
    class Meta:
        model = OwnerMapping
        fields = ("user", "salesforce_user_id")
        labels = {"salesforce_user_id": "Salesforce user"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "salesforce_user_id" in self.fields:
            known = [(one.salesforce_id, str(one)) for one in read_users()]
            self.fields["salesforce_user_id"] = choose_or_type(
                self.fields["salesforce_user_id"], known, current=self.instance.salesforce_user_id
            )


@admin.register(OwnerMapping)
class OwnerMappingAdmin(admin.ModelAdmin[OwnerMapping]):
    form = OwnerMappingForm
    list_display = ("user", "salesforce_user_id", "is_active_there")
    list_filter = ("is_active_there",)
    list_select_related = ("user",)
    search_fields = ("user__last_name", "user__email", "salesforce_user_id")
    autocomplete_fields = ("user",)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        column = named_column("salesforce_user_id", read_users(), label="Salesforce user")
        return ("user", column, "is_active_there")

    def save_model(
        self, request: HttpRequest, obj: OwnerMapping, form: forms.ModelForm[OwnerMapping], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        map_owner(obj.user, salesforce_user_id=obj.salesforce_user_id, now=timezone.now())


class QueueMappingForm(forms.ModelForm[QueueMapping]):
    class Meta:
        model = QueueMapping
        fields = ("pool", "queue_id")
        labels = {"queue_id": "Salesforce queue"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "queue_id" in self.fields:
            known = [(one.salesforce_id, one.name) for one in read_queues()]
            self.fields["queue_id"] = choose_or_type(
                self.fields["queue_id"], known, current=self.instance.queue_id
            )


@admin.register(QueueMapping)
class QueueMappingAdmin(admin.ModelAdmin[QueueMapping]):
    form = QueueMappingForm
    list_display = ("pool", "queue_id")
    list_select_related = ("pool",)

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        return ("pool", named_column("queue_id", read_queues(), label="Salesforce queue"))

    def save_model(
        self, request: HttpRequest, obj: QueueMapping, form: forms.ModelForm[QueueMapping], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        map_queue(obj.pool, queue_id=obj.queue_id, now=timezone.now())
