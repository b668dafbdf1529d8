"""Segment's HTTP API. Clients disagree about the slash at the end."""

from django.urls import re_path

from leads import segment_views as views
from leads.segment import Kind

app_name = "segment"
urlpatterns = [
    re_path(r"^batch/?$", views.batch, name="batch"),
    *(re_path(rf"^{kind}/?$", views.single, {"kind": kind.value}, name=kind.value) for kind in Kind),
]
