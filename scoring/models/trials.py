"""Looking before leaping: backtests of drafts, and predictions fitted on outcomes."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.parking import MarkedWork
from scoring.models.versions import ModelVersion


class BacktestQuerySet(models.QuerySet["Backtest"]):
    def waiting(self) -> Self:
        return self.filter(finished_at=None, parked_at=None)


class Backtest(MarkedWork):
    """A draft run against history, week by week, as everything was known then (SCORE-10).

    The draft may be edited after: `fingerprint` tells whether the result is still about what it says now.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="backtests")
    against = models.ForeignKey(ModelVersion, on_delete=models.SET_NULL, null=True, related_name="+")
    days = models.PositiveSmallIntegerField(default=90)
    fingerprint = models.CharField(max_length=64)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    steps_done = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=1)
    finished_at = models.DateTimeField(null=True, blank=True)
    result = models.JSONField(default=dict)

    objects = BacktestQuerySet.as_manager()

    class Meta:
        ordering = ("-requested_at", "-id")
        constraints = (
            models.CheckConstraint(condition=Q(days__gte=7, days__lte=366), name="backtest_days_are_sane"),
            models.UniqueConstraint(
                fields=["version"], condition=Q(finished_at=None), name="one_unfinished_backtest_per_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.version}, last {self.days} days"


class PredictionModelQuerySet(models.QuerySet["PredictionModel"]):
    def promoted(self) -> Self:
        return self.filter(status=PredictionModel.Status.PROMOTED)


class PredictionModel(models.Model):
    """A model fitted on outcomes, with the report of its held-out test (SCORE-12). A person promotes it; at
    most one is promoted."""

    class Status(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        PROMOTED = "promoted", "In use"
        RETIRED = "retired", "Retired"

    status = models.CharField(max_length=12, choices=Status, default=Status.CANDIDATE)
    trained_at = models.DateTimeField()
    trained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    algorithm = models.CharField(max_length=40)
    artefact = models.BinaryField(help_text="The fitted pipeline, in a format that runs no code on loading.")
    report = models.JSONField(default=dict)
    promoted_at = models.DateTimeField(null=True, blank=True)
    promoted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = PredictionModelQuerySet.as_manager()

    class Meta:
        ordering = ("-trained_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="promoted"), name="one_promoted_prediction"
            ),
            models.CheckConstraint(
                condition=Q(promoted_at=None, promoted_by=None)
                | Q(promoted_at__isnull=False, promoted_by__isnull=False),
                name="prediction_promoted_at_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.algorithm}, trained {self.trained_at:%d %b %Y}"


class LeadPrediction(models.Model):
    """What the promoted prediction says of a lead, with its reasons in words; never part of the score."""

    lead = models.OneToOneField(
        "leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="prediction"
    )
    model = models.ForeignKey(PredictionModel, on_delete=models.CASCADE, related_name="+")
    per_mille = models.PositiveSmallIntegerField(help_text="Probability that it converts.")
    reasons = models.JSONField(default=list)
    predicted_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(per_mille__lte=1000), name="prediction_is_a_probability"),
        )

    def __str__(self) -> str:
        return f"{self.per_mille / 10:g} %"
