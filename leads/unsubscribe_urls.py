"""The one page that leads see."""

from django.urls import path

from leads import views_unsubscribing

urlpatterns = [path("<str:token>/", views_unsubscribing.unsubscribe, name="unsubscribe")]
