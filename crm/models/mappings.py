"""What of ours is what of theirs: fields, people, pools, statuses, campaigns, companies."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from leads.models import Lead


class FieldMapping(models.Model):
    """One field that both sides know (CRM-2), which way it travels, and who is right when both changed it."""

    class Object(models.TextChoices):
        LEAD = "Lead", "Lead"
        TASK = "Task", "Task"

    class Direction(models.TextChoices):
        PUSH = "push", "To Salesforce"
        PULL = "pull", "From Salesforce"
        BOTH = "both", "Both ways"
        OFF = "off", "Not exchanged"

    class Rule(models.TextChoices):
        OURS = "ours", "The portal is right"
        THEIRS = "theirs", "Salesforce is right"
        NEWEST = "newest", "The latest change is right"
        OURS_IF_BLANK = "ours_if_blank", "Salesforce is right, unless it is blank there"

    object_name = models.CharField("object", max_length=40, choices=Object, default=Object.LEAD)
    portal_field = models.CharField(
        max_length=40, help_text="What of the portal: see `crm.mapping.catalogue`."
    )
    salesforce_field = models.CharField(
        max_length=80, help_text="The API name there, such as Portal_Score__c."
    )
    direction = models.CharField(max_length=4, choices=Direction, default=Direction.PUSH)
    rule = models.CharField(
        "when both changed it",
        max_length=14,
        choices=Rule,
        default=Rule.OURS,
        help_text="For both ways only.",
    )
    sends_blanks = models.BooleanField(
        default=False, help_text="The field is ours alone: having nothing to say empties it there, too."
    )

    # What the last comparison with `describe` found
    remote_type = models.CharField(
        max_length=20, blank=True, editable=False, help_text="What kind of field it is there."
    )
    max_length = models.PositiveIntegerField(
        null=True, editable=False, help_text="How many characters it holds there; null: any, or unknown."
    )
    problem = models.CharField(max_length=300, blank=True, editable=False)
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("object_name", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["object_name", "salesforce_field"],
                name="salesforce_field_is_mapped_once",
                violation_error_message="This field of Salesforce is mapped already.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.object_name}.{self.salesforce_field}"


class OwnerMapping(models.Model):
    """Which Salesforce user a person is. Without one, their leads keep the owner they have there."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    salesforce_user_id = models.CharField(
        max_length=18, unique=True, help_text="The 18-character id, beginning with 005."
    )

    is_active_there = models.BooleanField(
        default=True,
        help_text="Salesforce lets nobody who is not active own a record: their leads go to a queue.",
    )
    checked_at = models.DateTimeField(null=True, blank=True, editable=False)

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


class QueueMapping(models.Model):
    """The Salesforce queue that owns a pool's leads while nobody does, or while their owner may not there."""

    pool = models.OneToOneField("handoffs.Pool", on_delete=models.CASCADE, related_name="+")
    queue_id = models.CharField(max_length=18, help_text="The 18-character id, beginning with 00G.")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(queue_id__regex=r"^00G[A-Za-z0-9]{15}$"),
                name="queue_mapping_names_a_salesforce_queue",
                violation_error_message="Enter the 18-character id of a queue; it begins with 00G.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.pool} is {self.queue_id}"


class CampaignMatch(models.Model):
    """The Salesforce Campaign of the name that leads bring along; blank while there is none."""

    name = models.CharField(max_length=120, unique=True)
    campaign_id = models.CharField(max_length=18, blank=True)
    look_at = models.DateTimeField(null=True, help_text="Mark: look for it in Salesforce.")

    def __str__(self) -> str:
        return self.name


class CampaignMembership(models.Model):
    """A lead that Salesforce counts as a member of its campaign."""

    lead = models.OneToOneField("leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="+")
    campaign_id = models.CharField(max_length=18)
    member_id = models.CharField(max_length=18)

    def __str__(self) -> str:
        return f"Lead {self.lead_id} in campaign {self.campaign_id}"


class AccountMatch(models.Model):
    """The Salesforce Account that a company is, found by its domain; blank while there is none."""

    company = models.OneToOneField(
        "leads.Company", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    account_id = models.CharField(max_length=18, blank=True)
    name = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=255, blank=True, help_text="Account Type there, such as Customer.")
    owner_id = models.CharField(max_length=18, blank=True)
    owner_name = models.CharField(max_length=121, blank=True)
    how_many = models.PositiveIntegerField(default=0, help_text="Accounts that share the domain.")
    look_at = models.DateTimeField(null=True, help_text="Mark: look for it in Salesforce.")
    looked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="account_to_look_for"),
        )

    def __str__(self) -> str:
        return f"Company {self.company_id}"
