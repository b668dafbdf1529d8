"""What somebody has to look into: an owner, a due time, an answer (SLA-6)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from sla.models.policies import LONGEST_MINUTES


class TicketQuerySet(models.QuerySet["Ticket"]):
    def visible_to(self, user: User) -> Self:
        """BDRs see their own; everybody else all."""
        return self.filter(owner=user) if user.role == User.Role.BDR else self

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def closed(self) -> Self:
        return self.filter(closed_at__isnull=False)

    def late(self, now: datetime) -> Self:
        return self.open().filter(due_at__lt=now)

    def to_tell(self) -> Self:
        """Opened while their owner was off, who has not heard of them yet."""
        return self.open().filter(told_at=None)

    def to_remind_of(self, now: datetime) -> Self:
        """Late, and nobody has been reminded yet."""
        return self.late(now).filter(reminded_at=None)


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
    told_at = models.DateTimeField(null=True, help_text="When its owner heard of it: in working hours.")
    reminded_at = models.DateTimeField(null=True, help_text="When its owner and manager heard it is late.")
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
            # The list of everybody: what is open, by key, and how much of it is late.
            models.Index(fields=["due_at", "id"], condition=Q(closed_at=None), name="ticket_soonest_first"),
            # Sweep: who is to be told, and reminded.
            models.Index(fields=["id"], condition=Q(closed_at=None, told_at=None), name="ticket_to_tell"),
            models.Index(
                fields=["due_at"], condition=Q(closed_at=None, reminded_at=None), name="ticket_to_remind"
            ),
            models.Index(
                fields=["-closed_at", "-id"], condition=Q(closed_at__isnull=False), name="ticket_closed"
            ),
            # Whether an alarm has spoken of this subject before.
            models.Index(fields=["alarm", "subject_key", "-opened_at"], name="ticket_of_subject"),
        )

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("sla:ticket", args=[self.pk])

    def is_late(self, now: datetime) -> bool:
        """Whether it was or is answered too late; answered exactly when due is in time."""
        return (self.closed_at or now) > self.due_at


class AlarmSetting(models.Model):
    """When an alarm opens a ticket, and how long its owner has to look into it."""

    alarm = models.CharField(max_length=20, choices=Ticket.Alarm, unique=True)
    is_active = models.BooleanField(default=True)
    after_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes.")],
        help_text="Of working time without what is missed. Blank: at once.",
    )
    answer_minutes = models.PositiveIntegerField(
        default=8 * 60,
        validators=[
            MinValueValidator(1, "Give 1 minute or more."),
            MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes."),
        ],
        help_text="Working time the owner of the ticket has to look into it.",
    )

    class Meta:
        ordering = ("alarm",)

    def __str__(self) -> str:
        return self.get_alarm_display()
