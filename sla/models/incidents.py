"""When the system itself was at fault: nobody's promise is broken by it (SLA-7)."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from common.parking import MarkedWork


class IncidentQuerySet(models.QuerySet["Incident"]):
    def pending(self) -> Self:
        """Those with clocks still to be looked at, and not parked."""
        return self.filter(pending_at__isnull=False, parked_at=None)


class Incident(MarkedWork):
    """A declared outage. Clocks that ran in it get its time back, as a recorded pause.

    One declared in error is withdrawn: the clocks are as before, and the row says who was mistaken and when.
    """

    what = models.CharField(max_length=200, help_text="What was out of order, such as “E-mail was down”.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    pending_at = models.DateTimeField(null=True, help_text="Mark: some of its clocks are still to be done.")
    reached_id = models.BigIntegerField(default=0, help_text="Clocks up to this id are done.")
    excused = models.PositiveIntegerField(default=0, help_text="Clocks whose deadline it moved.")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__gt=F("started_at")),
                name="incident_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by=None)
                | Q(withdrawn_at__isnull=False, withdrawn_by__isnull=False),
                name="incident_is_withdrawn_by_somebody",
            ),
        )
        indexes = (
            # Task: those that have clocks left.
            models.Index(
                fields=["pending_at"], condition=Q(pending_at__isnull=False), name="incident_pending"
            ),
            models.Index(fields=["-started_at", "-id"], name="incident_newest_first"),
        )

    def __str__(self) -> str:
        return self.what
