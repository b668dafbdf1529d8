"""What a person wants to hear of, over which way, and when not."""

from __future__ import annotations

from datetime import time
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import User
from notifications.models.messages import Notification

Kind = Notification.Kind


def usual_email_kinds() -> list[str]:
    """For somebody who has the portal open all day: what must not wait for the next look at it.

    Warnings are left out: the queue counts down by itself, and one lead may warn several times.
    """
    return [Kind.HANDOFF, Kind.BREACH, Kind.ESCALATION, Kind.TASK, Kind.DISPUTE, Kind.CRM, Kind.DIGEST]


def usual_channel_kinds() -> list[str]:
    """Who sets up a channel of their own wants to be called to what cannot wait."""
    return [
        Kind.HANDOFF,
        Kind.OVERFLOW,
        Kind.WARNING,
        Kind.BREACH,
        Kind.ESCALATION,
        Kind.TASK,
        Kind.DISPUTE,
        Kind.CRM,
    ]


def usual_quiet_from() -> time:
    return time(20)


def usual_quiet_until() -> time:
    return time(7)


class PreferenceQuerySet(models.QuerySet["Preference"]):
    def of(self, user: User) -> Preference:
        """What holds for this person: their own choice, else the house's, else the usual. May be unsaved."""
        rows = {row.person_id: row for row in self.filter(Q(person=user) | Q(person=None))}
        return rows.get(user.pk) or (rows[None].copy_for(user) if None in rows else Preference(person=user))

    def house(self) -> Self:
        return self.filter(person=None)


class Preference(models.Model):
    """How one person is told, besides in the portal. The row of nobody holds for all who have not chosen."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="preferences",
        db_index=False,
    )
    email_kinds = ArrayField(
        models.CharField(max_length=12, choices=Kind), default=usual_email_kinds, blank=True
    )
    channel_kinds = ArrayField(
        models.CharField(max_length=12, choices=Kind), default=usual_channel_kinds, blank=True
    )
    quiet_from = models.TimeField(
        null=True, blank=True, default=usual_quiet_from, help_text="In the person's own time zone."
    )
    quiet_until = models.TimeField(
        null=True, blank=True, default=usual_quiet_until, help_text="May be on the next day."
    )
    daily_digest_at = models.TimeField("daily digest at", null=True, blank=True)
    weekly_digest = models.BooleanField(default=False)
    wants_invitations = models.BooleanField(
        "calendar invitations",
        default=True,
        help_text="An appointment by e-mail for the first contact with each new lead.",
    )

    objects = PreferenceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person"], nulls_distinct=False, name="preference_is_one_per_person"
            ),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="preference_quiet_hours_have_both_ends",
            ),
        )

    def __str__(self) -> str:
        return str(self.person) if self.person else "Everybody who has not chosen"

    def copy_for(self, user: User) -> Preference:
        """An unsaved row of this person with what is in this one."""
        fields = [field.name for field in self._meta.concrete_fields if field.name not in ("id", "person")]
        return Preference(person=user, **{name: getattr(self, name) for name in fields})
