"""Which activities count as what: signals, their conditions, and the activities that matched."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q


class SignalQuerySet(models.QuerySet["Signal"]):
    def current(self) -> Self:
        """The latest revision of each signal: what a new rule may count."""
        return self.filter(retired_at=None)


class Signal(models.Model):
    """A class of activities, such as "Pricing page visit". Several revisions may share a key: a signal
    used by a published version is immutable (a trigger refuses), and an edit makes the next revision."""

    class Intent(models.TextChoices):
        HIGH = "high", "High intent"
        LOW = "low", "Low intent"

    key = models.SlugField(max_length=60)
    revision = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=80)
    event_names = ArrayField(models.CharField(max_length=120), help_text="Any of these event names.")
    intent = models.CharField(max_length=8, choices=Intent, default=Intent.LOW)
    is_engagement = models.BooleanField(
        default=True,
        help_text="Counts as engagement: resets decay. Untick for bounces, unsubscribes and the like.",
    )
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    # A mark: null means that activities older than the signal are not matched to it yet.
    backfilled_at = models.DateTimeField(null=True, blank=True, editable=False)
    # While that is under way: activities up to this id are matched. Null when it has not begun, or is done.
    backfilled_to = models.BigIntegerField(null=True, blank=True, editable=False)

    objects = SignalQuerySet.as_manager()

    class Meta:
        ordering = ("name", "-revision")
        constraints = (
            models.UniqueConstraint(fields=["key", "revision"], name="signal_revision_is_unique"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(retired_at=None), name="signal_has_one_current_revision"
            ),
        )

    def __str__(self) -> str:
        return self.name


class SignalCondition(models.Model):
    """A condition on a property of the event; all conditions of a signal must hold."""

    class Operator(models.TextChoices):
        EQUALS = "equals", "is"
        ONE_OF = "one_of", "is one of"
        CONTAINS = "contains", "contains"
        STARTS_WITH = "starts_with", "starts with"
        AT_LEAST = "at_least", "is at least"
        AT_MOST = "at_most", "is at most"

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="conditions")
    property_name = models.CharField(max_length=80)
    operator = models.CharField(max_length=16, choices=Operator)
    values = ArrayField(models.CharField(max_length=200))

    def __str__(self) -> str:
        return f"{self.property_name} {self.get_operator_display()} {', '.join(self.values)}"


class SignalHit(models.Model):
    """An activity of a lead that matches a signal: the narrow table the engine reads in index order.

    `received_at` is when we could count it: when the activity reached us or, if that was later, when we knew
    whose it was.
    """

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+", db_index=False)
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="+", db_index=False)
    activity = models.ForeignKey("leads.Activity", on_delete=models.CASCADE, related_name="+", db_index=False)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["activity", "signal"], name="signal_hit_is_unique"),)
        indexes = (
            # The engine's covering index (SCORING.md): one lead's hits, signal by signal, in time.
            models.Index(
                fields=["lead", "signal", "occurred_at"], include=["received_at"], name="signal_hit_of_lead"
            ),
        )

    def __str__(self) -> str:
        return f"{self.signal_id} at {self.occurred_at}"
