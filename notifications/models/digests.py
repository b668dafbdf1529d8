"""Which summaries were made."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Digest(models.Model):
    """The summary of a day or a week for one person: made once, even when there was nothing to say."""

    class Kind(models.TextChoices):
        DAILY = "daily", "Daily"
        WEEKLY = "weekly", "Weekly"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="digests", db_index=False
    )
    kind = models.CharField(max_length=6, choices=Kind)
    on = models.DateField(help_text="The day, or the Monday of the week, by the person's clock.")
    made_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["person", "kind", "on"], name="digest_is_made_once"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.on:%d %b %Y}"
