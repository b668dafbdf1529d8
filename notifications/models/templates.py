"""The words that leave the portal."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from notifications.models.messages import Notification


class MessageTemplate(models.Model):
    """How messages of one kind are worded outside the portal. Kinds without a row use the shipped wording."""

    kind = models.CharField(max_length=12, choices=Notification.Kind, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField(max_length=4000)
    changed_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ("kind",)

    def __str__(self) -> str:
        return self.get_kind_display()
