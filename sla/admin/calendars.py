"""Calendars in the admin, checked with sentences before they can do harm."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from holidays.utils import list_supported_countries

from accounts.roles import signed_in_user
from common.inlines import LabelledFormSet
from sla.business_hours import Shift, check_zone, find_overlap
from sla.calendar_changes import make_default_calendar, recompute_changed_clocks
from sla.models import Calendar, CalendarInterval, CalendarPerson, Closure
from sla.timeline import CalendarError


class CalendarForm(forms.ModelForm[Calendar]):
    class Meta:
        model = Calendar
        fields = ("name", "time_zone", "holiday_country", "holiday_subdivision")

    def clean_time_zone(self) -> str:
        zone: str = self.cleaned_data["time_zone"]
        try:
            check_zone(zone)
        except CalendarError as error:
            raise ValidationError(str(error)) from error
        return zone

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        country = cleaned["holiday_country"] = cleaned.get("holiday_country", "").upper()
        part = cleaned["holiday_subdivision"] = cleaned.get("holiday_subdivision", "").upper()
        parts = list_supported_countries()
        if country and country not in parts:
            self.add_error("holiday_country", f"No public holidays are known for “{country}”. Use DE, US …")
        elif part and part not in parts.get(country, []):
            known = ", ".join(parts.get(country, [])) or "none; leave it blank"
            self.add_error("holiday_subdivision", f"“{part}” is not a part of “{country}”. Known: {known}.")
        if "is_default" in self.changed_data and self.initial.get("is_default"):
            self.add_error(
                "is_default", "One calendar must be the default. Tick another one after deleting this."
            )
        return cleaned


class IntervalFormSet(LabelledFormSet):
    def clean(self) -> None:
        """Refuse a calendar that is never open, and hours counted twice."""
        super().clean()
        if any(self.errors):
            return
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        shifts = [Shift.between(each["weekday"], each["opens_at"], each["closes_at"]) for each in kept]
        if not shifts:
            raise ValidationError("This calendar would never be open. Give it at least one interval.")
        if overlap := find_overlap(shifts):
            raise ValidationError(f"{overlap[0]} and {overlap[1]} overlap. Change one of them.")


class IntervalInline(admin.TabularInline[CalendarInterval, Calendar]):
    model = CalendarInterval
    formset = IntervalFormSet
    extra = 0
    min_num = 1
    verbose_name = "working interval"
    verbose_name_plural = (
        "Working hours (several intervals a day are fine; closing at or before opening is the next day)"
    )


class ClosureInline(admin.TabularInline[Closure, Calendar]):
    formset = LabelledFormSet
    model = Closure
    extra = 0
    verbose_name_plural = "Closed days beyond public holidays"


class PersonInline(admin.TabularInline[CalendarPerson, Calendar]):
    formset = LabelledFormSet
    model = CalendarPerson
    extra = 0
    autocomplete_fields = ("person",)


@admin.register(Calendar)
class CalendarAdmin(admin.ModelAdmin[Calendar]):
    form = CalendarForm
    list_display = ("name", "time_zone", "holidays_of", "is_default")
    inlines = (IntervalInline, ClosureInline, PersonInline)
    actions = ("make_default",)

    @admin.display(description="public holidays")
    def holidays_of(self, calendar: Calendar) -> str:
        place = (calendar.holiday_country, calendar.holiday_subdivision)
        return "-".join(part for part in place if part) or "none"

    @admin.action(description="Make this the default calendar", permissions=["change"])
    def make_default(self, request: HttpRequest, queryset: QuerySet[Calendar]) -> None:
        if queryset.count() != 1:
            self.message_user(request, "Choose exactly one calendar.", messages.ERROR)
            return
        calendar = make_default_calendar(queryset.get())
        self.message_user(request, f"New clocks go by “{calendar}”.", messages.SUCCESS)

    def save_model(self, request: HttpRequest, obj: Calendar, form: Any, change: bool) -> None:
        # Somebody without a calendar of their own must have one to work by.
        obj.is_default = obj.is_default or not Calendar.objects.filter(is_default=True).exists()
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        moved = recompute_changed_clocks(by=signed_in_user(request), now=timezone.now())
        if moved:
            clocks = "1 open clock" if moved == 1 else f"{moved} open clocks"
            self.message_user(request, f"The due time of {clocks} moved.", messages.WARNING)

    def has_delete_permission(self, request: HttpRequest, obj: Calendar | None = None) -> bool:
        # Everybody without a calendar of their own works by the default one.
        return super().has_delete_permission(request, obj) and not (obj and obj.is_default)
