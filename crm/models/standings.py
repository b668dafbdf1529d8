"""Where each record stands with Salesforce."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import User
from leads.models import Lead


class LeadSyncQuerySet(models.QuerySet["LeadSync"]):
    def visible_to(self, user: User) -> Self:
        """The standings of the leads that this person may read."""
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def stale(self) -> Self:
        """Leads that changed since Salesforce last confirmed them, as far as their changes were folded in
        (see `crm.changes`)."""
        return self.filter(send_at__isnull=False)

    def claimable(self, now: datetime) -> Self:
        """Stale and free to be sent: not on its way, not parked, not waiting after a failure."""
        return self.filter(send_at__lte=now, in_flight_since=None, parked_at=None)

    def in_flight(self) -> Self:
        return self.filter(in_flight_since__isnull=False)

    def parked(self) -> Self:
        """Waiting for a person."""
        return self.filter(parked_at__isnull=False)


class Lane(models.IntegerChoices):
    """Two waiting changes are sent in this order (CRM-4); a short allocation holds back the later ones."""

    HANDOFF = 0, "Handoffs"
    LATER = 1, "Scores and details"


class LeadChange(models.Model):
    """Mark: this lead changed. Written by a trigger in the transaction that changes it, as leads know nothing
    of Salesforce; only ever added, so that it waits for nobody, and folded into LeadSync.send_at (CRM-1)."""

    # Neither constraint nor index: whoever changes a lead pays for this row.
    lead = models.ForeignKey(
        "leads.Lead", on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    lane = models.PositiveSmallIntegerField(choices=Lane)
    at = models.DateTimeField(help_text="When the transaction began.")

    def __str__(self) -> str:
        return f"Lead {self.lead_id} changed"


class LeadSync(models.Model):
    """How far Salesforce knows a lead. Stale as long as `send_at` is set (CRM-1)."""

    class State(models.TextChoices):
        CURRENT = "current", "Up to date"
        WAITING = "waiting", "Waits to be sent"
        SENDING = "sending", "On its way"
        RETRYING = "retrying", "To be tried again"
        PARKED = "parked", "Needs a person"
        CONVERTED = "converted", "Converted in Salesforce"
        MERGED = "merged", "Merged into another record"
        REMOVED = "removed", "Deleted in Salesforce"

    lead = models.OneToOneField("leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="sync")
    # In the order of its bytes, which is Salesforce's, whatever the language of the database.
    salesforce_id = models.CharField(max_length=18, blank=True, db_collation="C")

    # What Salesforce confirmed
    pushed_revision = models.PositiveIntegerField(default=0)
    pushed_at = models.DateTimeField(null=True)
    # A counter decides whether the mark may be taken away, never a time: a transaction that began before the
    # push and committed after it would be missed for ever.
    resends_asked = models.PositiveIntegerField(
        default=0, help_text="How often a change, of the lead or of a mapping, asked for a comparison."
    )
    acknowledged = models.JSONField(
        default=dict, help_text="Our fields as last confirmed; only what differs is sent."
    )
    acknowledged_at = models.DateTimeField(
        null=True, help_text="By Salesforce's clock, to the second: by then that had taken effect."
    )

    # What is on its way
    in_flight_since = models.DateTimeField(null=True)
    sending = models.JSONField(
        default=dict, help_text="Fields whose arrival is not confirmed: on the way, or cut off."
    )
    claimed_revision = models.PositiveIntegerField(
        default=0, help_text="The lead's revision as the last claim read it."
    )
    resends_taken = models.PositiveIntegerField(
        default=0, help_text="How many of `resends_asked` the last claim knew of."
    )
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try.")

    # The mark of the push. A change of the lead sets it (see LeadChange), a failure moves it into the future.
    send_at = models.DateTimeField(null=True, help_text="Mark: to be sent, not before.")
    lane = models.PositiveSmallIntegerField(
        choices=Lane, default=Lane.LATER, help_text="Which of two waiting changes goes first."
    )
    waiting_since = models.DateTimeField(null=True, help_text="The first change not confirmed yet.")
    job = models.ForeignKey(
        "crm.BulkJob",
        on_delete=models.SET_NULL,
        null=True,
        related_name="leads",
        help_text="The bulk job that it travels with.",
    )

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
    removed_at = models.DateTimeField(
        null=True, help_text="Found deleted in Salesforce: not written any more."
    )
    master_id = models.CharField(max_length=18, blank=True, help_text="The record it was merged into.")
    remote_stamp = models.DateTimeField(null=True, help_text="SystemModstamp of the row last taken over.")
    remote_digest = models.CharField(
        max_length=32, blank=True, help_text="Of that row: one that says the same is passed over."
    )

    objects = LeadSyncQuerySet.as_manager()

    class Meta:
        verbose_name = "standing of a lead"
        verbose_name_plural = "standings of leads"
        indexes = (
            models.Index(
                fields=["lane", "send_at"],
                condition=Q(send_at__isnull=False, in_flight_since=None, parked_at=None),
                name="lead_sync_to_send",
            ),
            models.Index(fields=["salesforce_id"], name="lead_sync_salesforce_id"),
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
        if self.in_flight_since:
            return self.State.SENDING
        if self.is_converted:
            return self.State.CONVERTED
        if self.removed_at:
            return self.State.REMOVED
        if self.master_id:
            return self.State.MERGED
        if self.send_at is None and revision <= self.pushed_revision:
            return self.State.CURRENT
        return self.State.RETRYING if self.attempts else self.State.WAITING


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


class AttemptSync(models.Model):
    """The completed Salesforce Task that stands for an attempt to reach a lead. An attempt never changes, so
    a row says that it arrived."""

    attempt = models.OneToOneField(
        "handoffs.Attempt", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    salesforce_id = models.CharField(max_length=18)

    def __str__(self) -> str:
        return f"Task of attempt {self.attempt_id}"


class Conversion(models.Model):
    """What a lead became in Salesforce: its account, contact and deal there (CRM-3)."""

    lead = models.OneToOneField("leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="+")
    converted_on = models.DateField(null=True)
    account_id = models.CharField(max_length=18, blank=True)
    contact_id = models.CharField(max_length=18, blank=True)
    opportunity_id = models.CharField(max_length=18, blank=True)

    # The deal as Salesforce has it; blank until it was read.
    deal_name = models.CharField(max_length=120, blank=True)
    deal_stage = models.CharField(max_length=255, blank=True)
    amount = models.DecimalField(max_digits=18, decimal_places=2, null=True)
    close_on = models.DateField(null=True)
    is_closed = models.BooleanField(default=False)
    is_won = models.BooleanField(default=False)
    deal_stamp = models.DateTimeField(null=True, help_text="SystemModstamp of the deal last taken over.")

    class Meta:
        indexes = (
            models.Index(
                fields=["opportunity_id"], condition=~Q(opportunity_id=""), name="conversion_of_deal"
            ),
        )

    def __str__(self) -> str:
        return f"Conversion of lead {self.lead_id}"
