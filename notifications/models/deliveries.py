"""What was sent to whom over which way, and how it went."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Coalesce

from accounts.models import User
from notifications.models.channels import Channel
from notifications.models.messages import Notification

SEES_ALL = (User.Role.OPERATOR, User.Role.MANAGER)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def visible_to(self, user: User) -> Self:
        """Operators and managers see all, everybody else what was for them."""
        if user.role in SEES_ALL or user.is_superuser:
            return self
        return self.filter(recipient=user)

    def due(self, now: datetime) -> Self:
        return self.filter(next_try_at__lte=now)

    def given_up(self) -> Self:
        return self.filter(status=Delivery.Status.GIVEN_UP)

    def not_begun(self) -> Self:
        """Queued and never tried: nobody has seen it."""
        # That it has a mark goes without saying; said, the index of the marks finds it.
        return self.filter(status=Delivery.Status.QUEUED, attempts=0, next_try_at__isnull=False)

    def held(self) -> Self:
        """Put off until somebody's quiet hours end. An invitation stays a message of its own."""
        return self.not_begun().filter(held_at__isnull=False, calendar="")

    def foremost(self, now: datetime) -> Self:
        """Of what was held for one person over one way, only the oldest that is due: whoever takes it takes
        the others with it (notifications.merging)."""
        older = (
            Delivery.objects.held()
            .due(now)
            .filter(recipient=OuterRef("recipient"), pk__lt=OuterRef("pk"))
            .alias(way=Coalesce("channel_id", 0))
            .filter(way=Coalesce(OuterRef("channel_id"), 0))
        )
        is_single = Q(held_at=None) | Q(attempts__gt=0) | ~Q(calendar="")
        return self.filter(is_single | ~Exists(older))


class Delivery(models.Model):
    """One message over one way: to a person by e-mail or their own channel, or to a shared channel.

    Sent at least once, and more than once only if a process dies between the receiver's answer and our
    record of it (docs/adr/0022).
    """

    class Status(models.TextChoices):
        QUEUED = "queued", "Waits"
        SENDING = "sending", "On its way"
        SENT = "sent", "Sent"
        GIVEN_UP = "given_up", "Given up"
        MERGED = "merged", "In a summary"

    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="deliveries"
    )
    channel = models.ForeignKey(
        Channel,
        on_delete=models.CASCADE,
        null=True,
        related_name="deliveries",
        help_text="Null: the person's e-mail address.",
    )
    kind = models.CharField(max_length=12, choices=Notification.Kind)
    dedupe_key = models.CharField(max_length=160)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=200, blank=True)
    facts = models.JSONField(default=list, help_text="[{key, label, value}], in the order to be shown.")
    calendar = models.TextField(blank=True, help_text="An iCalendar file to go with it.")
    calendar_method = models.CharField(max_length=10, blank=True, help_text="REQUEST or CANCEL.")
    # As it was worded when first tried; blank before. Later tries say the same.
    subject = models.CharField(max_length=250, blank=True)
    text = models.TextField(blank=True)

    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    queued_at = models.DateTimeField()
    # The mark: try at this time. While one is on its way, the time after which its sender counts as dead.
    next_try_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True, help_text="When it was put off because of quiet hours.")
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)
    fell_back_to = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="+")
    merged_into = models.ForeignKey(
        "self",
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="The summary of what waited for the end of quiet hours.",
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = (
            models.CheckConstraint(
                condition=Q(recipient__isnull=False) | Q(channel__isnull=False),
                name="delivery_has_a_receiver",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "sending"], next_try_at__isnull=False, sent_at=None)
                | Q(status="sent", next_try_at=None, sent_at__isnull=False)
                | Q(status="given_up", next_try_at=None, sent_at=None)
                | Q(status="merged", next_try_at=None, sent_at=None, merged_into__isnull=False),
                name="delivery_status_fits_its_times",
            ),
            models.UniqueConstraint(
                fields=["recipient", "dedupe_key"],
                condition=Q(channel=None),
                name="delivery_once_by_email",
            ),
            models.UniqueConstraint(
                fields=["channel", "dedupe_key"],
                condition=Q(channel__isnull=False),
                name="delivery_once_by_channel",
            ),
        )
        indexes = (
            # For .due()
            models.Index(fields=["next_try_at"], condition=Q(next_try_at__isnull=False), name="delivery_due"),
            # For .held(): what one person will get when their quiet hours end
            models.Index(
                fields=["recipient"],
                condition=Q(status="queued", attempts=0, held_at__isnull=False),
                name="delivery_held",
            ),
            # The log, all of it and one person's; and what needs a person
            models.Index(fields=["-queued_at", "-id"], name="delivery_newest_first"),
            models.Index(fields=["recipient", "-queued_at"], name="delivery_of_person"),
            models.Index(fields=["-queued_at"], condition=Q(status="given_up"), name="delivery_given_up"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_email(self) -> bool:
        return self.channel_id is None
