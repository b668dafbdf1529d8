"""Where each record stands with Salesforce."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from common.parking import MarkedWork
from leads.models import Lead


class LeadSyncQuerySet(models.QuerySet["LeadSync"]):
    def visible_to(self, user: User) -> Self:
        """The standings of the leads that this person may read."""
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def stale(self) -> Self:
        """Leads that changed since Salesforce last confirmed them. A counter decides, never a time: a
        transaction that began before the push and committed after it would be missed for ever."""
        changed = Q(lead__revision__gt=F("pushed_revision"))
        asked = Q(resends_asked__gt=F("resends_done"))
        return self.filter(changed | asked, is_converted=False)

    def claimable(self, now: datetime) -> Self:
        """Stale and free to be sent: not on its way, not parked, not waiting after a failure."""
        ready = Q(not_before=None) | Q(not_before__lte=now)
        return self.stale().filter(ready, in_flight_since=None, parked_at=None)

    def in_flight(self) -> Self:
        return self.filter(in_flight_since__isnull=False)

    def parked(self) -> Self:
        """Waiting for a person."""
        return self.filter(parked_at__isnull=False)


class LeadSync(models.Model):
    """How far Salesforce knows a lead. Stale when the lead's revision is ahead of what was pushed (CRM-1)."""

    class State(models.TextChoices):
        CURRENT = "current", "Up to date"
        WAITING = "waiting", "Waits to be sent"
        SENDING = "sending", "On its way"
        RETRYING = "retrying", "To be tried again"
        PARKED = "parked", "Needs a person"
        CONVERTED = "converted", "Converted in Salesforce"

    lead = models.OneToOneField("leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="sync")
    salesforce_id = models.CharField(max_length=18, blank=True)

    # What Salesforce confirmed
    pushed_revision = models.PositiveIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True)
    # Not the lead but a mapping changed: compare it again. Counted, as revisions are, for the same reason.
    resends_asked = models.PositiveIntegerField(default=0)
    resends_done = models.PositiveIntegerField(default=0)
    acknowledged = models.JSONField(
        default=dict, help_text="Our fields as last confirmed; only what differs is sent."
    )
    acknowledged_at = models.DateTimeField(null=True, help_text="By Salesforce's clock, as that call began.")

    # What is on its way
    in_flight_since = models.DateTimeField(null=True)
    sending = models.JSONField(
        default=dict, help_text="Fields whose arrival is not confirmed: on the way, or cut off."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try.")
    not_before = models.DateTimeField(null=True, help_text="Back-off: not tried again before.")

    # What went wrong
    parked_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error = models.CharField(max_length=600, blank=True, help_text="In plain words, for a person.")

    # What people did there
    remote_status = models.CharField(max_length=255, blank=True)
    remote_owner_id = models.CharField(max_length=18, blank=True)
    remote_owner_name = models.CharField(max_length=121, blank=True)
    is_converted = models.BooleanField(
        default=False, help_text="Converted in Salesforce: not written any more."
    )

    objects = LeadSyncQuerySet.as_manager()

    class Meta:
        verbose_name = "standing of a lead"
        verbose_name_plural = "standings of leads"
        indexes = (
            # The operators' page and the sweep of forgotten claims.
            models.Index(fields=["parked_at"], condition=Q(parked_at__isnull=False), name="lead_sync_parked"),
            models.Index(
                fields=["in_flight_since"],
                condition=Q(in_flight_since__isnull=False),
                name="lead_sync_in_flight",
            ),
        )

    def __str__(self) -> str:
        return f"Lead {self.lead_id}: revision {self.pushed_revision}"

    def state(self, *, revision: int) -> State:
        """Where it stands, given the lead's present revision."""
        if self.parked_at:
            return self.State.PARKED
        if self.is_converted:
            return self.State.CONVERTED
        if self.in_flight_since:
            return self.State.SENDING
        if revision <= self.pushed_revision and self.resends_asked <= self.resends_done:
            return self.State.CURRENT
        return self.State.RETRYING if self.not_before else self.State.WAITING


class TaskSync(models.Model):
    """The Salesforce Task that stands for a handoff."""

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    salesforce_id = models.CharField(max_length=18, blank=True)
    acknowledged = models.JSONField(default=dict, help_text="Our fields as last confirmed.")

    class Meta:
        verbose_name = "task of a handoff"
        verbose_name_plural = "tasks of handoffs"

    def __str__(self) -> str:
        return f"Task of handoff {self.handoff_id}"


class OwnerMapping(models.Model):
    """Which Salesforce user a person is. Without one, their leads keep the owner they have there."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    salesforce_user_id = models.CharField(
        max_length=18, unique=True, help_text="The 18-character id, beginning with 005."
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(salesforce_user_id__regex=r"^005[A-Za-z0-9]{15}$"),
                name="owner_mapping_names_a_salesforce_user",
                violation_error_message="Enter the 18-character id of a user; it begins with 005.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.salesforce_user_id}"


class StatusMapping(models.Model):
    """The Lead Status in Salesforce that a stage stands for. A stage without one leaves the status alone."""

    stage = models.CharField(max_length=16, choices=Lead.Stage, unique=True)
    status = models.CharField(max_length=40, help_text="A value of the Lead Status picklist.")

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.status}"


class PullCursor(models.Model):
    """How far we have read Salesforce's changes of one object."""

    object_name = models.CharField(max_length=40, unique=True)
    cursor = models.DateTimeField(null=True, help_text="Salesforce's clock; everything before was applied.")
    succeeded_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=600, blank=True)

    def __str__(self) -> str:
        return self.object_name


class PullFailure(MarkedWork):
    """A row of Salesforce that could not be taken over. Parked, it no longer holds up the cursor."""

    salesforce_id = models.CharField(max_length=18, unique=True)
    stamp = models.DateTimeField(null=True, help_text="Of the row, by Salesforce's clock.")

    def __str__(self) -> str:
        return f"{self.salesforce_id}: {self.error}"


class Connection(models.Model):
    """How our session with the org fares; paused after failures that are no record's own fault. One row."""

    paused_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failed_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error = models.CharField(max_length=600, blank=True, help_text="In plain words, for a person.")
    last_pushed_at = models.DateTimeField(null=True)
    calls_used = models.PositiveIntegerField(null=True, help_text="API calls of the running day.")
    calls_allowed = models.PositiveIntegerField(null=True)
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_salesforce_connection"),)

    def __str__(self) -> str:
        return "The connection with Salesforce"
