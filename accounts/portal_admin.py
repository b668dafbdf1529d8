"""The Django admin, branded as the rest and entered by role."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.roles import may_open_admin


class PortalAdminSite(AdminSite):
    """Entry by role instead of `is_staff`, and one sign-in page (the throttled one) for everything."""

    site_header = "Handoff Portal"
    site_title = "Handoff Portal"
    index_title = "Settings and records"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, User) and user.is_active and may_open_admin(user)

    def login(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or "/admin/")
        if not self.has_permission(request):
            raise PermissionDenied("The admin is not open to this role.")
        return redirect("admin:index")
