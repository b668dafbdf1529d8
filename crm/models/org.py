"""The org that the portal is connected with: how to reach it, what it is like, how far it was read."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from common.parking import MarkedWork


class Connection(models.Model):
    """How we sign in to the org, and how our session fares; paused after failures that are no record's own
    fault. One row. What the environment says (SALESFORCE_*) goes before what is entered here."""

    class Login(models.TextChoices):
        CLIENT_CREDENTIALS = "client_credentials", "Client id and secret"
        JWT_BEARER = "jwt_bearer", "Signed token (JWT)"

    url = models.URLField("My Domain address", max_length=200, blank=True)
    login = models.CharField(max_length=20, choices=Login, default=Login.CLIENT_CREDENTIALS)
    client_id = models.CharField(max_length=255, blank=True)
    sealed_secret = models.BinaryField(
        null=True, editable=False, help_text="Client secret or private key, sealed by notifications.sealing."
    )
    username = models.CharField(max_length=80, blank=True, help_text="Of the integration user; JWT only.")
    audience = models.URLField(max_length=200, blank=True, default="https://login.salesforce.com")
    changed_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )

    organization_id = models.CharField(
        max_length=18,
        blank=True,
        editable=False,
        help_text="The org that all we know of Salesforce comes from. Signing in to another one is refused.",
    )

    # What we may use
    daily_share = models.PositiveSmallIntegerField(
        default=50, help_text="Per cent of the org's daily calls that the portal may use."
    )
    kept_for_handoffs = models.PositiveSmallIntegerField(
        default=20, help_text="Per cent of our share that only handoffs may use."
    )
    bulk_from = models.PositiveIntegerField(
        default=2000, help_text="From so many waiting leads on they travel by Bulk API."
    )
    fallback_queue_id = models.CharField(
        max_length=18, blank=True, help_text="The queue that owns leads whose owner Salesforce does not take."
    )

    # How it fares
    paused_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failed_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=80, blank=True)
    error = models.CharField(max_length=600, blank=True, help_text="In plain words, for a person.")
    last_pushed_at = models.DateTimeField(null=True)
    calls_used = models.PositiveIntegerField(null=True, help_text="API calls of the org's running day.")
    calls_allowed = models.PositiveIntegerField(null=True)
    app_calls_used = models.PositiveIntegerField(null=True, help_text="Of these, those of our app.")
    app_calls_allowed = models.PositiveIntegerField(null=True)
    usage_at = models.DateTimeField(null=True, help_text="When Salesforce told these figures.")
    probed_at = models.DateTimeField(
        null=True, help_text="When a call was last let through to learn new figures."
    )
    compare_after = models.BigIntegerField(
        null=True, help_text="Mark: the mapping changed; leads after this id are still to be compared."
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(singleton=True), name="one_salesforce_connection"),
            models.CheckConstraint(
                condition=Q(changed_at=None, changed_by=None)
                | Q(changed_at__isnull=False, changed_by__isnull=False),
                name="connection_changed_has_time_and_person",
            ),
            models.CheckConstraint(
                condition=Q(daily_share__range=(1, 100)),
                name="salesforce_share_is_a_percentage",
                violation_error_message="Enter a share from 1 to 100 per cent.",
            ),
            models.CheckConstraint(
                condition=Q(kept_for_handoffs__range=(0, 100)),
                name="salesforce_reserve_is_a_percentage",
                violation_error_message="Enter a share from 0 to 100 per cent.",
            ),
        )

    def __str__(self) -> str:
        return "The connection with Salesforce"


class CallCount(models.Model):
    """How many API calls we made in an hour, by our own count: what Salesforce tells of our app is one figure
    for the running day, and only where an administrator asked for it."""

    hour = models.DateTimeField(primary_key=True, help_text="Its beginning.")
    calls = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.hour:%d %b, %H:%M}: {self.calls}"


class Finding(models.Model):
    """What the check-list of the connection found, item by item, at the last check."""

    class Outcome(models.TextChoices):
        GOOD = "good", "In order"
        WARNING = "warning", "Look at it"
        BAD = "bad", "Must be mended"

    key = models.CharField(max_length=60, unique=True)
    outcome = models.CharField(max_length=7, choices=Outcome)
    words = models.CharField(max_length=300)
    remedy = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        return self.words


class ObjectDescription(models.Model):
    """What `describe` said of an object, kept: asking each time would spend the allocation."""

    object_name = models.CharField(max_length=40, unique=True)
    content = models.JSONField(help_text="The answer's fields that a mapping is checked against.")
    fetched_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.object_name


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
