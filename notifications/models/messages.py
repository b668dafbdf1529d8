"""Messages to people: what, to whom, once."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models

from accounts.models import User


class NotificationQuerySet(models.QuerySet["Notification"]):
    def visible_to(self, user: User) -> Self:
        return self.filter(recipient=user)

    def unread(self) -> Self:
        return self.filter(read_at=None)


class Notification(models.Model):
    """One message to one person, shown in the portal. The dedupe key: never told twice (NOTE-3)."""

    class Kind(models.TextChoices):
        HANDOFF = "handoff", "New handoff"
        OVERFLOW = "overflow", "Overflow"
        WARNING = "warning", "Due soon"
        BREACH = "breach", "Overdue"
        ESCALATION = "escalation", "Escalated"
        REJECTION = "rejection", "Rejection"
        TASK = "task", "Task"
        DISPUTE = "dispute", "Dispute"
        CRM = "crm", "Salesforce"
        SCORING = "scoring", "Scoring"
        DELIVERY = "delivery", "Delivery of messages"
        DIGEST = "digest", "Digest"

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    dedupe_key = models.CharField(max_length=160)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=200, blank=True, help_text="A path within the portal.")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["recipient", "dedupe_key"], name="notification_is_told_once"),
        )
        indexes = (
            models.Index(fields=["recipient", "-created_at"], name="notification_newest_first"),
            models.Index(fields=["recipient"], condition=models.Q(read_at=None), name="notification_unread"),
        )

    def __str__(self) -> str:
        return self.title
