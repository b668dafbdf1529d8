"""Makes the portal's admin site the default one. Loaded before any model, so it imports none."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class PortalAdminConfig(AdminConfig):
    default_site = "accounts.portal_admin.PortalAdminSite"
