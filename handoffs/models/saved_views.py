"""Filters that people keep."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A filter somebody keeps under a name: on the queue or the list of leads (QUEUE-1)."""

    class Page(models.TextChoices):
        QUEUE = "queue", "Queue"
        LEADS = "leads", "Leads"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=8, choices=Page)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, help_text="The query string of the page, without selection.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["user", "page", "name"],
                name="saved_view_is_named_once",
                violation_error_message="You have a view of this name already: choose another.",
            ),
        )

    def __str__(self) -> str:
        return self.name
