"""The Django admin, branded as the rest."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.contrib.admin.apps import AdminConfig


class PortalAdminSite(AdminSite):
    site_header = "Handoff Portal"
    site_title = "Handoff Portal"
    index_title = "Settings and records"
    site_url = "/"


class PortalAdminConfig(AdminConfig):
    default_site = "accounts.admin_site.PortalAdminSite"
