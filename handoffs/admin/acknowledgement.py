"""The automatic answer to leads in the admin: its words, a preview, a test to oneself; and what was sent."""

from __future__ import annotations

from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils import timezone

from accounts.roles import signed_in_user
from common.errors import DomainError
from handoffs.acknowledgement.mail import opening_after, sample_link, send_sample
from handoffs.acknowledgement.words import PLACEHOLDERS, Arrival, unknown_placeholders, word_answer
from handoffs.admin.bases import OneRowAdmin, ReadOnlyAdmin
from handoffs.models import Acknowledgement, AcknowledgementPolicy
from sla.calendars import calendar_of, working_hours


class AcknowledgementPolicyForm(forms.ModelForm[AcknowledgementPolicy]):
    class Meta:
        model = AcknowledgementPolicy
        fields = ("is_active", "within_minutes", "subject", "body", "sender_name", "reply_to", "quiet_days")
        widgets: ClassVar[dict[str, forms.Widget]] = {
            "subject": forms.TextInput(attrs={"size": 80}),
            "body": forms.Textarea(attrs={"rows": 12, "cols": 80}),
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for field in ("subject", "body"):
            if unknown := unknown_placeholders(cleaned.get(field) or ""):
                known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
                self.add_error(field, f"Nothing fills in {', '.join(unknown)}. Use {known}.")
        return cleaned


@admin.register(AcknowledgementPolicy)
class AcknowledgementPolicyAdmin(OneRowAdmin):
    form = AcknowledgementPolicyForm
    list_display = ("__str__", "within_minutes", "subject", "quiet_days")
    change_form_template = "admin/handoffs/acknowledgement_form.html"

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("preview/", self.admin_site.admin_view(self.preview), name="acknowledgement_preview"),
            path("sample/", self.admin_site.admin_view(self.sample), name="acknowledgement_sample"),
        ]
        return own + super().get_urls()

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The answer as typed, to an invented lead."""
        return self._answer(request, send=False)

    def sample(self, request: HttpRequest) -> HttpResponse:
        """The same, and sent to whoever asks."""
        return self._answer(request, send=True)

    def _answer(self, request: HttpRequest, *, send: bool) -> HttpResponse:
        if request.method != "POST" or not self.has_change_permission(request):
            raise PermissionDenied("Only whoever may edit the answer may try it.")
        form = AcknowledgementPolicyForm(request.POST, instance=AcknowledgementPolicy())
        context: dict[str, object] = {"form": form, "placeholders": PLACEHOLDERS}
        if form.is_valid():
            typed, arrival = form.save(commit=False), _sample_arrival()
            context["words"] = word_answer(typed.subject, typed.body, arrival, unsubscribe=sample_link())
            if send:
                context |= _send(typed, arrival, request)
        return render(request, "admin/notifications/_preview.html", context)


def _sample_arrival() -> Arrival:
    """Somebody invented who writes now, after hours by the calendar of the house."""
    now = timezone.now()
    hours = working_hours(calendar_of(None), person=None, around=now)
    return Arrival("Ada", "Nordwind Ltd", opening_after(hours, now), ZoneInfo(hours.zone))


def _send(policy: AcknowledgementPolicy, arrival: Arrival, request: HttpRequest) -> dict[str, object]:
    user = signed_in_user(request)
    try:
        send_sample(policy, arrival, by=user)
    except DomainError as failure:
        return {"failure": str(failure)}
    return {"sent_to": user.email}


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ReadOnlyAdmin):
    list_display = ("handoff_id", "lead", "due_at", "sent_at", "left_out", "attempts", "parked_at")
    list_select_related = ("lead",)
    list_filter = ("left_out",)
    show_full_result_count = False
    ordering = ("-handoff_id",)
