"""Every address of the portal."""

from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from accounts.views import home
from common.api_docs import browse_schema

urlpatterns = [
    # First, because addresses are tried in order and these are called most.
    path("api/v1/", include("handoff_portal.api_urls")),
    path("v1/", include("leads.segment_urls")),
    path("", home, name="home"),
    path("", include("accounts.urls")),
    path("", include("operations.urls")),
    path("", include("handoffs.urls")),
    path("leads/", include("leads.urls")),
    path("unsubscribe/", include("leads.unsubscribe_urls")),
    path("scoring/", include("scoring.urls")),
    path("sla/", include("sla.urls")),
    path("", include("feedback.urls")),
    path("ops/salesforce/", include("crm.urls")),
    path("notifications/", include("notifications.urls")),
    path("admin/", admin.site.urls),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", browse_schema, name="api_docs"),
]

handler404 = "common.errors_on_pages.not_found"
handler500 = "common.errors_on_pages.server_error"
