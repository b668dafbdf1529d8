from django.urls import path

from crm import views

app_name = "crm"

urlpatterns = [
    path("", views.overview, name="overview"),
    path("retry/", views.retry_cause, name="retry_cause"),
    path("<int:lead_id>/retry/", views.retry, name="retry"),
    path("lead/<int:lead_id>/panel/", views.lead_panel, name="lead_panel"),
]
