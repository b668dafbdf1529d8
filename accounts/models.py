"""People: who works here, in which role and team, and the tokens they hold."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Team(models.Model):
    """A group of people who work the same leads."""

    name = models.CharField(max_length=80, unique=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person who signs in. The role decides what they may do; the team, which leads they see."""

    class Role(models.TextChoices):
        BDR = "bdr", "BDR"
        MARKETING = "marketing", "Marketing"
        MANAGER = "manager", "Manager"
        OPERATOR = "operator", "Operator"
        READ_ONLY = "read_only", "Read-only"

    class Theme(models.TextChoices):
        SYSTEM = "auto", "Follow the system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    role = models.CharField(max_length=16, choices=Role, default=Role.READ_ONLY)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="members")
    time_zone = models.CharField(max_length=64, default="UTC", help_text="IANA name, such as Europe/Berlin.")
    theme = models.CharField(max_length=8, choices=Theme, default=Theme.SYSTEM)
    away_since = models.DateTimeField(
        null=True, blank=True, help_text="Set while the person is away now: nothing new is routed to them."
    )
    away_reason = models.CharField(
        max_length=200, blank=True, help_text="Why, if the portal took them out of the rotation."
    )
    back_since = models.DateTimeField(
        null=True, blank=True, help_text="When they last came back: what they let lapse before is forgotten."
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(away_reason="") | Q(away_since__isnull=False),
                name="only_who_is_away_has_a_reason",
                violation_error_message="Who is here needs no reason to be away: leave it blank.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["bdr", "marketing", "manager", "operator", "read_only"]),
                name="user_role_is_known",
            ),
        )

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Absence(models.Model):
    """A stretch of time in which a person does not work: vacation, illness, training."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="absence_ends_after_it_starts",
                violation_error_message="An absence ends after it starts: give a later end.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.starts_at:%d %b %Y} to {self.ends_at:%d %b %Y}"


class ApiToken(models.Model):
    """A bearer token of one person for the API. Only its SHA-256 digest is kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        INTAKE = "intake", "Send leads and activities"
        WORK = "work", "Act on handoffs"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12, help_text="The first characters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope))
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
