"""What a rep does after accepting: attempts by a cadence, BANT, the deal (QUEUE-3, QUEUE-4)."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import User
from handoffs.models.handoffs import Handoff


class Attempt(models.Model):
    """One attempt to reach the lead (QUEUE-3)."""

    class Channel(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
        LINKEDIN = "linkedin", "LinkedIn"
        MEETING = "meeting", "Meeting"

    class Outcome(models.TextChoices):
        CONNECTED = "connected", "Connected"
        VOICEMAIL = "voicemail", "Voicemail"
        NO_ANSWER = "no_answer", "No answer"
        SENT = "sent", "Sent"
        BOUNCED = "bounced", "Bounced"
        WRONG_PERSON = "wrong_person", "Wrong person"

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="attempts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=Channel)
    outcome = models.CharField(max_length=14, choices=Outcome)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class Qualification(models.Model):
    """BANT of a handoff, each part with its evidence (QUEUE-4)."""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        NO = "no", "No"
        UNKNOWN = "unknown", "Unknown"

    handoff = models.OneToOneField(
        Handoff, on_delete=models.PROTECT, primary_key=True, related_name="qualification"
    )
    budget = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    budget_evidence = models.CharField(max_length=500, blank=True)
    authority = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    authority_evidence = models.CharField(max_length=500, blank=True)
    need = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    need_evidence = models.CharField(max_length=500, blank=True)
    timeline = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    timeline_evidence = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"BANT of handoff {self.handoff_id}"


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def visible_to(self, user: User) -> Self:
        """The deals of handoffs that this person may see."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(handoff__in=Handoff.objects.visible_to(user))


class Opportunity(models.Model):
    """The deal a qualified handoff became."""

    handoff = models.OneToOneField(
        Handoff, on_delete=models.PROTECT, primary_key=True, related_name="opportunity"
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    close_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()
    won_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    lost_reason = models.CharField(max_length=200, blank=True)

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "opportunities"
        constraints = (
            models.CheckConstraint(
                condition=Q(won_at=None) | Q(lost_at=None), name="opportunity_is_won_or_lost_not_both"
            ),
            models.CheckConstraint(
                condition=Q(lost_at=None) | ~Q(lost_reason=""), name="lost_opportunity_has_a_reason"
            ),
        )

    def __str__(self) -> str:
        return f"Opportunity of handoff {self.handoff_id}"


class Cadence(models.Model):
    """How often and when to try to reach a lead after acceptance (QUEUE-3). The first that fits applies;
    a blank condition holds for any handoff."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(default=0)
    categories = ArrayField(models.CharField(max_length=1), default=list, blank=True)
    sources = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class CadenceStep(models.Model):
    """One attempt of a cadence: due so many minutes after acceptance, in the owner's working hours or not."""

    cadence = models.ForeignKey(Cadence, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(30)])
    channel = models.CharField(max_length=10, choices=Attempt.Channel, default=Attempt.Channel.CALL)
    minutes = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(365 * 24 * 60)],
        help_text="After acceptance.",
    )
    in_working_hours = models.BooleanField(default=True, help_text="Off: around the clock.")

    class Meta:
        ordering = ("cadence", "number")
        constraints = (
            models.UniqueConstraint(
                fields=["cadence", "number"],
                name="cadence_step_is_numbered_once",
                violation_error_message="This cadence has such a step already.",
            ),
        )

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.cadence}"
