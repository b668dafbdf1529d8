from django.urls import path

from crm.views import leads, overview

app_name = "crm"

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("retry/", overview.retry_cause, name="retry_cause"),
    path("<int:lead_id>/retry/", overview.retry, name="retry"),
    path("lead/<int:lead_id>/panel/", leads.lead_panel, name="lead_panel"),
]
