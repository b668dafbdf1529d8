"""What was sent and answered, in bulk jobs and record by record; and the weekly comparison of both sides."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.parking import MarkedWork


class BulkJob(MarkedWork):
    """A Bulk API 2.0 job on its way. The rows that travel with it are claimed by it, not by a worker: whoever
    finds it due goes on where another one was killed."""

    class State(models.TextChoices):
        FILLING = "filling", "Being filled"
        OPENING = "opening", "Being handed over"
        UPLOADED = "uploaded", "Handed to Salesforce"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    class Operation(models.TextChoices):
        """What is known there is found by its id: by our key, it would be made anew once somebody deleted or
        merged it."""

        UPSERT = "upsert", "New records"
        UPDATE = "update", "Changes of known records"

    object_name = models.CharField(max_length=40)
    operation = models.CharField(max_length=6, choices=Operation, default=Operation.UPSERT)
    salesforce_id = models.CharField(max_length=18, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.FILLING)
    follows = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="followers",
        help_text="The job of the leads whose tasks this one carries, once it is done.",
    )
    rows = models.PositiveIntegerField(default=0)
    processed = models.PositiveIntegerField(default=0, help_text="As Salesforce told last.")
    refused = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    look_at = models.DateTimeField(null=True, help_text="Mark: ask Salesforce how far it is.")

    class Meta:
        indexes = (
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="bulk_job_to_look"),
        )

    def __str__(self) -> str:
        return f"{self.object_name}: {self.rows} rows"


class Exchange(models.Model):
    """One entry of a lead's history with Salesforce: what was said, and the answer. Personal data masked."""

    class Direction(models.TextChoices):
        OUT = "out", "Sent"
        IN = "in", "Read"

    class Outcome(models.TextChoices):
        CONFIRMED = "confirmed", "Confirmed"
        RETRIED = "retried", "To be tried again"
        REFUSED = "refused", "Refused"
        TAKEN_OVER = "taken_over", "Taken over"
        CONFLICT = "conflict", "Both had changed it"

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction)
    object_name = models.CharField(max_length=40)
    salesforce_id = models.CharField(max_length=18, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    fields = models.JSONField(default=dict, help_text="Field to masked value.")
    code = models.CharField(max_length=80, blank=True)
    words = models.CharField(max_length=600, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["lead", "-id"], name="exchange_of_lead"),
            models.Index(fields=["at"], name="exchange_at"),
        )

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.object_name}: {self.get_outcome_display()}"


class Reconciliation(MarkedWork):
    """One comparison of both sides, record by record (CRM-9)."""

    class Stage(models.TextChoices):
        LEADS = "leads", "Leads"
        UNKNOWN_THERE = "unknown_there", "Leads that Salesforce does not know"
        TASKS = "tasks", "Tasks"

    class Why(models.TextChoices):
        """What explains a difference, so that it is none to mend."""

        WAITING = "waiting", "Wait to be sent"
        ON_ITS_WAY = "on_its_way", "On their way"
        PARKED = "parked", "Wait for a person"
        UNREAD = "unread", "Changed there, still to be read"
        SET_ASIDE = "set_aside", "Could not be taken over"
        KEPT_THERE = "kept_there", "Changed there, where that may stay"
        CONVERTED = "converted", "Converted there"
        MERGED = "merged", "Merged there"
        REMOVED = "removed", "Deleted there"

    created_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    repairs = models.BooleanField(default=False, help_text="Mend what differs, by the rules of the mapping.")
    look_at = models.DateTimeField(null=True, help_text="Mark: begin, or go on after `reached`.")
    stage = models.CharField(max_length=13, choices=Stage, default=Stage.LEADS)
    reached = models.CharField(
        max_length=255, blank=True, help_text="What was compared last of its stage: an id there, or a key."
    )
    finished_at = models.DateTimeField(null=True)
    compared = models.PositiveIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    mended = models.PositiveIntegerField(default=0)
    explained = models.JSONField(default=dict, help_text="By why: records whose difference explains itself.")

    class Meta:
        indexes = (
            models.Index(
                fields=["look_at"], condition=Q(look_at__isnull=False), name="reconciliation_to_look"
            ),
        )

    def __str__(self) -> str:
        return f"Comparison of {self.created_at:%d %b %Y}"

    @property
    def left(self) -> int:
        """Differences that are still there."""
        return self.differing - self.mended

    @property
    def explained_in_words(self) -> list[tuple[str, int]]:
        return [(str(why.label), self.explained[why]) for why in self.Why if self.explained.get(why)]


class Drift(models.Model):
    """One difference that a comparison found."""

    class Kind(models.TextChoices):
        FIELD = "field", "A field differs"
        MISSING_THERE = "missing_there", "Missing in Salesforce"
        UNKNOWN_HERE = "unknown_here", "Not known here"
        DOUBLED = "doubled", "More than once in Salesforce"

    reconciliation = models.ForeignKey(Reconciliation, on_delete=models.CASCADE, related_name="drifts")
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, null=True, related_name="+")
    salesforce_id = models.CharField(max_length=18, blank=True)
    kind = models.CharField(max_length=14, choices=Kind)
    field = models.CharField(max_length=80, blank=True)
    ours = models.CharField(max_length=255, blank=True, help_text="Masked.")
    theirs = models.CharField(max_length=255, blank=True, help_text="Masked.")
    explanation = models.CharField(max_length=300, blank=True, help_text="Why it may differ, what was done.")
    is_mended = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.field or self.salesforce_id}"
