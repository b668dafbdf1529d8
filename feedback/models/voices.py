"""What people say of the leads, of each other's work, and of why they accepted (FEED-3, FEED-6)."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class QualityCheck(models.Model):
    """Ten seconds after the first conversation: was the lead what the package said (FEED-3)?"""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        PARTLY = "partly", "Partly"
        NO = "no", "No"

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.PROTECT, primary_key=True, related_name="quality_check"
    )
    really_qualified = models.CharField(max_length=6, choices=Answer)
    data_matched = models.CharField(max_length=6, choices=Answer)
    timing_right = models.CharField(max_length=6, choices=Answer)
    conversation = models.PositiveSmallIntegerField(help_text="Quality of the conversation, 1 to 5.")
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(conversation__gte=1, conversation__lte=5), name="conversation_is_rated_1_to_5"
            ),
        )
        indexes = (models.Index(fields=["-at"], name="quality_check_newest_first"),)

    def __str__(self) -> str:
        return f"Quality check of handoff {self.handoff_id}"


class AcceptanceReason(models.Model):
    """Which drivers made the rep accept (FEED-3): names of rules, and words of their own."""

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.PROTECT, primary_key=True, related_name="acceptance_reason"
    )
    drivers = ArrayField(models.CharField(max_length=120), default=list)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return ", ".join(self.drivers) or self.note


class Pulse(models.Model):
    """How satisfied one person is in one month (FEED-6): sales with the leads, marketing with the
    follow-up. One answer per person and month; the last one counts."""

    class Side(models.TextChoices):
        SALES = "sales", "Sales, with lead quality"
        MARKETING = "marketing", "Marketing, with follow-up"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    side = models.CharField(max_length=10, choices=Side)
    month = models.DateField(help_text="The first day of the month.")
    score = models.PositiveSmallIntegerField(help_text="0 to 10.")
    comment = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "month"], name="one_pulse_a_month"),
            models.CheckConstraint(condition=Q(score__lte=10), name="pulse_is_0_to_10"),
        )

    def __str__(self) -> str:
        return f"{self.get_side_display()}: {self.score}"
