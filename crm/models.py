"""Where each record stands with Salesforce."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class LeadSync(models.Model):
    """How far Salesforce knows a lead. Stale when the lead's revision is ahead of what was pushed (CRM-1)."""

    lead = models.OneToOneField("leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="sync")
    salesforce_id = models.CharField(max_length=18, blank=True)
    pushed_revision = models.PositiveIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True)
    in_flight_since = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try.")
    not_before = models.DateTimeField(null=True, help_text="Back-off: not tried again before.")
    parked_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True, help_text="In plain words, for a person.")
    remote_status = models.CharField(max_length=80, blank=True)
    remote_owner_id = models.CharField(max_length=18, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["parked_at"], condition=Q(parked_at__isnull=False), name="lead_sync_parked"),
        )

    def __str__(self) -> str:
        return f"Lead {self.lead_id}: revision {self.pushed_revision}"


class TaskSync(models.Model):
    """The Salesforce Task that stands for a handoff."""

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    salesforce_id = models.CharField(max_length=18, blank=True)
    pushed_revision = models.PositiveIntegerField(
        default=0, help_text="Revision of the lead it was last pushed at."
    )

    def __str__(self) -> str:
        return f"Task of handoff {self.handoff_id}"


class OwnerMapping(models.Model):
    """Which Salesforce user a person is."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    salesforce_user_id = models.CharField(max_length=18, unique=True)

    def __str__(self) -> str:
        return f"{self.user} is {self.salesforce_user_id}"


class PullCursor(models.Model):
    """How far we have read Salesforce's changes of one object."""

    object_name = models.CharField(max_length=40, unique=True)
    cursor = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.object_name
