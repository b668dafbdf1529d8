"""When the system itself was at fault: nobody's promise is broken by it (SLA-7)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q


class Incident(models.Model):
    """A declared outage. Clocks that ran in it get its time back, as a recorded pause."""

    what = models.CharField(max_length=200, help_text="What was out of order, such as “E-mail was down”.")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    excused = models.PositiveIntegerField(default=0, help_text="Clocks whose deadline it moved.")

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(ended_at__gt=F("started_at")),
                name="incident_ends_after_it_starts",
                violation_error_message="The end must be after the start.",
            ),
        )

    def __str__(self) -> str:
        return self.what
