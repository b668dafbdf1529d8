"""The recycle contract in the admin (FEED-2)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from common.spans import days_within_ten_years
from handoffs.admin.bases import OneRowAdmin
from handoffs.admin.fields import SignalsField
from handoffs.models import RecycleContract
from handoffs.recycle_contract import look_again_at_returned_leads


class RecycleContractForm(forms.ModelForm[RecycleContract]):
    enough_signals = SignalsField(
        "Enough by itself", help_text="Any of these signals since the return is enough, whatever its points."
    )

    class Meta:
        model = RecycleContract
        fields = ("min_points", "enough_signals", "cool_off_days")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "cool_off_days" not in self.fields:  # for whoever may only look
            return
        self.fields["cool_off_days"].validators.append(days_within_ten_years)
        signals: SignalsField = self.fields["enough_signals"]  # type: ignore[assignment]
        signals.offer(self.instance.enough_signals)


@admin.register(RecycleContract)
class RecycleContractAdmin(OneRowAdmin):
    form = RecycleContractForm
    list_display = ("__str__", "min_points", "enough_signals", "cool_off_days")

    def save_model(
        self, request: HttpRequest, obj: RecycleContract, form: RecycleContractForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if form.has_changed():
            look_again_at_returned_leads(now=timezone.now())
