"""What goes out around the first contact: an appointment for the rep, a word of thanks to the lead."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from common.parking import MarkedWork


class CalendarInvitationQuerySet(models.QuerySet["CalendarInvitation"]):
    def standing(self) -> Self:
        return self.filter(cancelled_at=None)

    def outdated(self, now: datetime) -> Self:
        """Still to come, and something happened to the lead since: the sweep's work. Those taken back too,
        because the act that led to it may itself be undone."""
        return self.filter(starts_at__gt=now, lead_revision__lt=F("handoff__lead__revision"))


class CalendarInvitation(models.Model):
    """The appointment for the first contact of a handoff, as it was last sent (NOTE-2).

    Calendars know it by an identity made of the handoff and the person; each change has a higher sequence
    number (RFC 5546), or they keep the old one.
    """

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.CASCADE, primary_key=True, related_name="invitation"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    sequence = models.PositiveIntegerField(default=0)
    cancelled_at = models.DateTimeField(null=True)
    lead_revision = models.PositiveIntegerField(
        help_text="Mark: behind the lead's revision, something happened and it is looked at again."
    )

    objects = CalendarInvitationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="invitation_ends_after_it_starts"
            ),
        )
        indexes = (
            # Which times of a person are taken.
            models.Index(
                fields=["person", "starts_at"], condition=Q(cancelled_at=None), name="invitation_standing"
            ),
            # For .outdated(): few of all there ever were are still to come.
            models.Index(fields=["starts_at"], name="invitation_to_come"),
        )

    def __str__(self) -> str:
        return f"First contact, {self.starts_at:%d %b %Y %H:%M}"

    @property
    def is_standing(self) -> bool:
        return self.cancelled_at is None


class AcknowledgementPolicy(models.Model):
    """The automatic answer to a lead that arrives outside working hours (SLA-3, NOTE-5). One row."""

    is_active = models.BooleanField(
        "answer automatically", default=False, help_text="Only leads that gave an e-mail address get one."
    )
    within_minutes = models.PositiveSmallIntegerField(
        default=15,
        validators=[
            MinValueValidator(1, "Promise at least 1 minute."),
            MaxValueValidator(24 * 60, "An answer after a day is none: use at most 1440 minutes."),
        ],
        help_text="Sent at once; later than this it counts as late.",
    )
    subject = models.CharField(max_length=150)
    body = models.TextField(max_length=4000)
    sender_name = models.CharField(max_length=80, blank=True, help_text="Blank: as the portal's mail is.")
    reply_to = models.EmailField(blank=True, help_text="Where answers go; blank: to the sender.")
    quiet_days = models.PositiveSmallIntegerField(
        default=30, help_text="Nobody gets a second one within so many days."
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        verbose_name_plural = "acknowledgement policy"
        constraints = (
            models.CheckConstraint(condition=Q(singleton=True), name="one_acknowledgement_policy"),
        )

    def __str__(self) -> str:
        return "Answers automatically" if self.is_active else "No automatic answer"


class AcknowledgementQuerySet(models.QuerySet["Acknowledgement"]):
    def due(self, now: datetime) -> Self:
        """To be sent: neither done nor parked, and not in somebody's hands."""
        return self.filter(next_try_at__lte=now, parked_at=None)


class Acknowledgement(MarkedWork):
    """One automatic answer to one lead: to be sent, sent, or left out and why."""

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.CASCADE, primary_key=True, related_name="acknowledgement"
    )
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    due_at = models.DateTimeField()
    next_try_at = models.DateTimeField(null=True, help_text="Mark: to be tried then; null once it is over.")
    sent_at = models.DateTimeField(null=True)
    left_out = models.CharField(max_length=120, blank=True, help_text="Why none was sent.")

    objects = AcknowledgementQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(next_try_at=None, sent_at__isnull=False, left_out="")
                | (Q(next_try_at=None, sent_at=None) & ~Q(left_out=""))
                | Q(next_try_at__isnull=False, sent_at=None, left_out=""),
                name="acknowledgement_waits_or_is_over",
            ),
        )
        indexes = (
            models.Index(
                fields=["next_try_at"],
                condition=Q(next_try_at__isnull=False, parked_at=None),
                name="acknowledgement_due",
            ),
            models.Index(fields=["lead", "-sent_at"], name="acknowledgement_of_lead"),
        )

    def __str__(self) -> str:
        return self.left_out or ("Sent" if self.sent_at else "To be sent")
