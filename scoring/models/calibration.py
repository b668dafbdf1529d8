"""Whether the score keeps its word: one count of what became of the leads it sent to sales (SCORE-11)."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.parking import MarkedWork
from scoring.models.versions import ModelVersion


class CalibrationRunQuerySet(models.QuerySet["CalibrationRun"]):
    def waiting(self) -> Self:
        return self.filter(finished_at=None, parked_at=None)

    def finished(self) -> Self:
        return self.filter(finished_at__isnull=False)


class CalibrationRun(MarkedWork):
    """The hand-offs of the last `days` before `as_of`, each scored by the version as it was known then.

    Only counts are kept (`scoring.calibration.counts.Counts`), so the page can say today's guards and bands
    of them. `position` is how far the count has come, so that a worker goes on where the one before stopped.
    """

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="calibrations")
    days = models.PositiveSmallIntegerField(default=365)
    as_of = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    position = models.JSONField(default=dict, editable=False)
    counts = models.JSONField(default=dict, editable=False)
    steps_done = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=1)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = CalibrationRunQuerySet.as_manager()

    class Meta:
        ordering = ("-as_of", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(days__gte=7, days__lte=1_100), name="calibration_days_are_sane"
            ),
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(finished_at=None, parked_at=None),
                name="one_calibration_of_a_version_at_a_time",
            ),
        )

    def __str__(self) -> str:
        return f"{self.version}, last {self.days} days"
