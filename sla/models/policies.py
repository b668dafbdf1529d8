"""What was promised: policies with their targets (SLA-1)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

# A promise for later than this is a slip of the unit, and no calendar need look further ahead.
LONGEST_MINUTES = 365 * 24 * 60


def check_warn_percent(parts: list[int]) -> None:
    """Refuse warnings that come before the start or after the deadline."""
    if any(not 1 <= part <= 99 for part in parts):
        raise ValidationError("A warning comes before the deadline: use 1 to 99 per cent, such as 50, 80.")


class Policy(models.Model):
    """Targets for a kind of handoff. Policies are tried in order; the first that matches applies (SLA-1)."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(default=0)
    category = models.CharField(max_length=1, blank=True, help_text="A, B or C; blank: any.")
    warmth = models.CharField(max_length=16, blank=True, help_text="Blank: any.")
    source = models.CharField(max_length=80, blank=True, help_text="Lead source; blank: any.")
    is_instant_mql = models.BooleanField(
        null=True, blank=True, help_text="Only demo requests and the like; blank: any."
    )
    is_catch_all = models.BooleanField(
        null=True, blank=True, help_text="Only leads nobody kept, in a catch-all pool; blank: any."
    )
    is_active = models.BooleanField(default=True)
    reviews_breaches = models.BooleanField(
        default=True, help_text="A manager reviews each missed target and names its cause."
    )

    class Meta:
        verbose_name_plural = "policies"
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name

    def matches(
        self, *, category: str, warmth: str, source: str, is_instant_mql: bool, is_catch_all: bool
    ) -> bool:
        """Whether this policy applies to a handoff; a blank condition holds for any."""
        return (
            self.category in ("", category)
            and self.warmth in ("", warmth)
            and self.source.casefold() in ("", source.casefold())
            and self.is_instant_mql in (None, is_instant_mql)
            and self.is_catch_all in (None, is_catch_all)
        )


class Target(models.Model):
    """A promise of a policy: this must have happened so many minutes after the handoff."""

    class Kind(models.TextChoices):
        CRM_TRANSFER = "crm_transfer", "Transfer to Salesforce"
        OPENED = "opened", "Opened"
        DECISION = "decision", "Accept or reject"
        FIRST_CONTACT = "first_contact", "First contact"

    class Mode(models.TextChoices):
        BUSINESS = "business", "Business hours of the owner"
        WALL = "wall", "Around the clock"
        SAME_DAY = "same_day", "By close of business of the day"

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="targets")
    kind = models.CharField(max_length=16, choices=Kind)
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.BUSINESS)
    minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes.")],
        help_text="Blank only for 'by close of business'.",
    )
    warn_percent = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        blank=True,
        validators=[check_warn_percent],
        help_text="Warn when so much of the time has gone, in per cent: 50, 80.",
    )
    after_hours_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[
            MinValueValidator(1, "Give 1 minute or more, or leave it blank."),
            MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes."),
        ],
        help_text="For leads that arrive outside working hours: so many minutes from the next opening "
        "instead. Blank: no difference (SLA-3).",
    )
    restarts_on_reassignment = models.BooleanField(
        default=True, help_text="The next owner gets the full time. Otherwise the clock goes on as it is."
    )

    class Meta:
        ordering = ("policy", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["policy", "kind"],
                name="one_target_of_a_kind_per_policy",
                violation_error_message="This policy has such a target already: change that one.",
            ),
            models.CheckConstraint(
                # Without isnull the check would be null for blank minutes, and null passes.
                condition=Q(mode="same_day", minutes=None)
                | (~Q(mode="same_day") & Q(minutes__isnull=False, minutes__gt=0)),
                name="target_has_minutes_unless_same_day",
                violation_error_message="Give the minutes allowed, 1 or more; leave them blank only for "
                "“by close of business”.",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()
