"""What somebody has to look into: an owner, a due time, an answer (SLA-6)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import User


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> Self:
        """BDRs see their own; everybody else all."""
        return self.filter(owner=user) if user.role == User.Role.BDR else self

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def late(self, now: datetime) -> Self:
        return self.open().filter(due_at__lt=now)


class Ticket(models.Model):
    """An alarm that waits for a person. The same alarm opens no second one while it is open."""

    class Alarm(models.TextChoices):
        NOT_OPENED = "not_opened", "Not opened in time"
        NO_ACTIVITY = "no_activity", "No activity"
        UNEXPLAINED_RETURN = "unexplained_return", "Returned without an explanation"
        CRM_FAILING = "crm_failing", "Salesforce sync failing"
        CADENCE_ABANDONED = "cadence_abandoned", "Contact attempts given up"
        ESCALATED = "escalated", "Escalated for review"

    alarm = models.CharField(max_length=20, choices=Alarm)
    subject_key = models.CharField(max_length=120, help_text="What it is about, such as handoff-12.")
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=200, blank=True, help_text="A path within the portal.")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, null=True, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    answer = models.CharField(max_length=1000, blank=True, help_text="What came of it, in words.")

    objects = TicketQuerySet.as_manager()

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=["alarm", "subject_key"],
                condition=Q(closed_at=None),
                name="one_open_ticket_per_alarm_and_subject",
            ),
            models.CheckConstraint(
                # Nobody in particular closes an alarm whose cause has gone by itself.
                condition=Q(closed_at__isnull=False) | Q(closed_by=None, answer=""),
                name="ticket_is_answered_only_when_closed",
            ),
        )
        indexes = (
            models.Index(fields=["owner", "due_at"], condition=Q(closed_at=None), name="ticket_open"),
            models.Index(fields=["-opened_at", "-id"], name="ticket_newest_first"),
        )

    def __str__(self) -> str:
        return self.title


class AlarmSetting(models.Model):
    """When an alarm opens a ticket, and how long its owner has to look into it."""

    alarm = models.CharField(max_length=20, choices=Ticket.Alarm, unique=True)
    is_active = models.BooleanField(default=True)
    after_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of working time without what is missed. Blank: at once."
    )
    answer_minutes = models.PositiveIntegerField(
        default=8 * 60, help_text="Working time the owner of the ticket has to look into it."
    )

    class Meta:
        ordering = ("alarm",)

    def __str__(self) -> str:
        return self.get_alarm_display()
