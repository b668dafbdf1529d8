"""What sales said about a lead and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.parking import MarkedWork


class RejectionReason(models.Model):
    """A reason for which a lead may be refused, with its type and consequence (FEED-1)."""

    class Type(models.TextChoices):
        PROCEDURAL = "procedural", "Procedural: wrong rep"
        CLERICAL = "clerical", "Clerical: bad data"
        DEFINITIONAL = "definitional", "Definitional: evidence about scoring"
        TIMING = "timing", "Timing: too early"
        DUPLICATE = "duplicate", "Duplicate"
        UNREACHABLE = "unreachable", "Unreachable"

    class Treatment(models.TextChoices):
        REROUTE = "reroute", "Offer it to another rep"
        EDUCATE = "educate", "Education track, re-checked after a delay"
        BLOCK_UNTIL_FIT_CHANGES = "block_until_fit_changes", "Blocked until a fit attribute changes"
        RE_ENGAGE = "re_engage", "Rare contact until new activity"
        LINK_DUPLICATE = "link_duplicate", "Linked to the other lead"
        NURTURE = "nurture", "Nurture, re-checked after a delay"
        DISQUALIFY = "disqualify", "Disqualified for good"
        FIX_DATA = "fix_data", "Marketing fixes the data"

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    type = models.CharField(max_length=16, choices=Type)
    treatment = models.CharField(max_length=24, choices=Treatment)
    consequence = models.CharField(max_length=200, help_text="Shown under the option when a rep chooses.")
    recycle_after_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Re-checked after so many days."
    )
    requires_note = models.BooleanField(default=False)
    requires_duplicate = models.BooleanField(default=False)
    tells_marketing = models.BooleanField(default=False, help_text="Marketing is told at once.")
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.label


class Verdict(models.Model):
    """A rejection of a handoff, with its reason. There is exactly one per rejected handoff."""

    class Via(models.TextChoices):
        PAGE = "page", "Page"
        API = "api", "API"
        SALESFORCE = "salesforce", "Salesforce"

    handoff = models.OneToOneField("handoffs.Handoff", on_delete=models.PROTECT, related_name="verdict")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(RejectionReason, on_delete=models.PROTECT, related_name="verdicts")
    note = models.CharField(max_length=1000, blank=True)
    duplicate_of = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    via = models.CharField(max_length=12, choices=Via)

    class Meta:
        indexes = (models.Index(fields=["-at", "-id"], name="verdict_newest_first"),)

    def __str__(self) -> str:
        return f"{self.reason} ({self.at:%d %b %Y})"


class RecyclingQuerySet(models.QuerySet["Recycling"]):
    def due(self, now: datetime) -> Self:
        """Leads whose delay is over and which have not been woken; not those that are parked."""
        return self.filter(wake_at__lte=now, woken_at=None, parked_at=None)


class Recycling(MarkedWork):
    """A rejected lead on its way back: held until it wakes (FEED-2). Nothing rejected disappears."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="recycling")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    treatment = models.CharField(max_length=24, choices=RejectionReason.Treatment)
    started_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True, help_text="Mark: re-evaluate from this time on.")
    woken_at = models.DateTimeField(null=True)

    objects = RecyclingQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["wake_at"], condition=Q(woken_at=None, wake_at__isnull=False), name="recycling_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_treatment_display()} since {self.started_at:%d %b %Y}"
