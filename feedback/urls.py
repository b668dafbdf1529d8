from django.urls import path

from feedback import views

app_name = "feedback"
urlpatterns = [
    path("marketing/", views.inbox, name="inbox"),
    path("handoffs/<int:pk>/reject/", views.reject, name="reject"),
    path("feedback/lead/<int:pk>/panel/", views.lead_panel, name="lead_panel"),
]
