"""People, teams, absences and tokens in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import Absence, ApiToken, Team, User
from accounts.roles import signed_in_user
from accounts.services import note_return
from accounts.tokens import revoke_token
from common.inlines import LabelledFormSet


class AbsenceInline(admin.TabularInline[Absence, User]):
    formset = LabelledFormSet
    model = Absence
    extra = 0


def _is_above(person: User | None, request: HttpRequest) -> bool:
    """Whether this is a superuser, and whoever asks is none."""
    return person is not None and person.is_superuser and not request.user.is_superuser


@admin.register(User)
class PortalUserAdmin(UserAdmin[User]):
    """A person. Permissions come from the role, so groups and single permissions are not offered."""

    list_display = ("username", "first_name", "last_name", "role", "team", "is_active", "away_since")
    list_filter = ("role", "team", "is_active")
    list_select_related = ("team",)
    search_fields = ("username", "first_name", "last_name", "email")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "time_zone")}),
        ("Work", {"fields": ("role", "team", "away_since", "away_reason", "is_active")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "usable_password", "password1", "password2", "role", "team")}),
    )
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    inlines = (AbsenceInline,)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # Whoever may set a superuser's password is a superuser.
        return not _is_above(obj, request) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not _is_above(obj, request) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without deleting many at once, which asks for no permission on the single person."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if form.initial.get("away_since") and obj.away_since is None:
            note_return(obj, now=timezone.now())

    def get_inline_instances(self, request: HttpRequest, obj: User | None = None) -> Any:
        return super().get_inline_instances(request, obj) if obj else []


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    list_display = ("name",)
    search_fields = ("name",)


@admin.register(Absence)
class AbsenceAdmin(admin.ModelAdmin[Absence]):
    list_display = ("user", "starts_at", "ends_at", "reason")
    list_select_related = ("user",)
    date_hierarchy = "starts_at"


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Seen and revoked here. Made on the profile page only, by the person in whose name it acts."""

    list_display = ("name", "prefix", "user", "scopes", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    list_filter = ("revoked_at",)
    search_fields = ("name", "prefix", "user__username")
    readonly_fields = ("user", "name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    exclude = ("digest",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    @admin.action(description="Revoke the selected tokens", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        now = timezone.now()
        for token in queryset:
            revoke_token(token, by=signed_in_user(request), now=now)
        self.message_user(
            request, "Revoked. Calls with these tokens are refused from now on.", messages.SUCCESS
        )
