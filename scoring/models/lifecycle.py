"""What happens to a version: pilots, its history, and how careful we are."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from scoring.models.versions import ModelVersion


class Pilot(models.Model):
    """Where a version is, or was, tried beside the active one: a share of all leads or of a segment.

    Who is in it follows from the lead's id and facts alone, so it never changes its mind about a lead by
    chance. A blank attribute means leads of every kind.
    """

    version = models.OneToOneField(ModelVersion, on_delete=models.CASCADE, related_name="pilot")
    percent = models.PositiveSmallIntegerField(default=10)
    attribute = models.CharField(max_length=40, blank=True)
    operator = models.CharField(max_length=16, blank=True)
    values = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    low = models.BigIntegerField(null=True, blank=True)
    high = models.BigIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100), name="pilot_percent_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="pilot_ends_after_it_started",
            ),
        )

    def __str__(self) -> str:
        return f"Pilot of {self.version}"


class VersionEvent(models.Model):
    """One entry of the append-only history of versions: who did what, when and why. A trigger refuses update
    and delete; the draft's own entries go with it when it is thrown away."""

    class Kind(models.TextChoices):
        CREATED = "created", "Draft begun"
        PROPOSED = "proposed", "Proposed"
        RETURNED = "returned", "Returned to draft"
        APPROVED = "approved", "Approved"
        APPROVAL_SKIPPED = "approval_skipped", "Published without a second person"
        SCHEDULED = "scheduled", "Scheduled"
        PILOT_STARTED = "pilot_started", "Pilot started"
        PILOT_ENDED = "pilot_ended", "Pilot ended"
        PUBLISHED = "published", "Published"
        ROLLED_BACK = "rolled_back", "Rolled back to this"
        RETIRED = "retired", "Retired"
        RESCORED = "rescored", "All leads scored"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.version}: {self.get_kind_display()}"


class ScoringPolicy(models.Model):
    """How careful we are with scoring. One row, kept by managers; without it the defaults hold."""

    needs_second_person = models.BooleanField(
        "a second person approves",
        default=True,
        help_text="Untick only where a single person looks after scoring; the history then says so.",
    )
    min_outcomes = models.PositiveIntegerField(
        default=30, help_text="Below so many outcomes, calibration says “too few outcomes” (SCORE-15)."
    )
    min_training_outcomes = models.PositiveIntegerField(
        default=200, help_text="Below so many finished leads, no prediction is trained (SCORE-12)."
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        verbose_name_plural = "scoring policy"
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_scoring_policy"),)

    def __str__(self) -> str:
        return "Scoring policy"
