"""Why sales may refuse a lead, that it did, and how the lead comes back (FEED-1, FEED-2)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import F, Q

from common.parking import MarkedWork
from common.spans import days_within_ten_years
from feedback.wording import fill_in
from leads.models import Lead

MOST_ATTEMPTS = 30


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
    consequence = models.CharField(
        max_length=200,
        help_text="Shown under the option when a rep chooses. {days} and {attributes} are filled in: "
        "the delay, and what must change.",
    )
    recycle_after_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[days_within_ten_years],
        help_text="Re-checked after so many days.",
    )
    fit_fields = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        verbose_name="comes back when one of these changes",
        help_text="Of leads blocked until their fit changes. None: any fit attribute.",
    )
    requires_attempts = models.PositiveSmallIntegerField(
        "attempts needed",
        default=0,
        validators=[MaxValueValidator(MOST_ATTEMPTS, f"At most {MOST_ATTEMPTS}: a cadence has no more.")],
        help_text="Logged attempts to reach the lead, before a rep can choose this. 0: none.",
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

    @property
    def promise(self) -> str:
        """The consequence as people read it, with the terms in force filled in."""
        return fill_in(self.consequence, days=self.recycle_after_days, fit_fields=self.fit_fields)

    @property
    def asks_for_words(self) -> bool:
        """Whether choosing it is not enough: it wants something written beside."""
        return self.requires_note or self.requires_duplicate


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def standing(self) -> Self:
        """Rejections that were not undone: the only ones that count in any figure."""
        return self.filter(undoing=None)

    def against_marketing(self) -> Self:
        """Those that say the criteria let the wrong lead through (FEED-1), unless a manager found the lead
        good (FEED-4)."""
        definitional = self.standing().filter(reason__type=RejectionReason.Type.DEFINITIONAL)
        return definitional.exclude(dispute__outcome="overturned")


class Verdict(models.Model):
    """A rejection of a handoff, with its reason. A rejected handoff has exactly one that stands; a trigger
    refuses update and delete."""

    class Via(models.TextChoices):
        PAGE = "page", "Page"
        API = "api", "API"
        SALESFORCE = "salesforce", "Salesforce"

    handoff = models.ForeignKey("handoffs.Handoff", on_delete=models.PROTECT, related_name="verdicts")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(RejectionReason, on_delete=models.PROTECT, related_name="verdicts")
    note = models.CharField(max_length=1000, blank=True)
    duplicate_of = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    via = models.CharField(max_length=12, choices=Via)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["-at", "-id"], name="verdict_newest_first"),)

    def __str__(self) -> str:
        return f"{self.reason} ({self.at:%d %b %Y})"


class VerdictUndoing(models.Model):
    """The rep took a rejection back within seconds: the verdict is kept and no longer stands."""

    verdict = models.OneToOneField(
        Verdict, on_delete=models.PROTECT, primary_key=True, related_name="undoing"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Undone: {self.verdict}"


class RecyclingQuerySet(models.QuerySet["Recycling"]):
    def due(self, now: datetime) -> Self:
        """Leads whose delay is over and which have not been woken; not those that are parked."""
        return self.filter(wake_at__lte=now, woken_at=None, parked_at=None)

    def under_way(self) -> Self:
        """Leads that are held by this return now: neither woken nor free by what they did, nor handed off by
        hand meanwhile."""
        return self.filter(woken_at=None, started_at=F("lead__recycled_at")).exclude(
            lead__hold=Lead.Hold.NONE
        )


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
