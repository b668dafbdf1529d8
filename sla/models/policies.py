"""What was promised: policies with their targets and what follows a breach, version by version (SLA-1)."""

from __future__ import annotations

from django.conf import settings
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
    countries = ArrayField(
        models.CharField(max_length=80), default=list, blank=True, help_text="Of the lead; blank: any."
    )
    industries = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, help_text="Of the company; blank: any."
    )
    min_employees = models.PositiveIntegerField(
        "employees from", null=True, blank=True, help_text="Of the company; blank: any."
    )
    max_employees = models.PositiveIntegerField(
        "employees up to", null=True, blank=True, help_text="Of the company; blank: any."
    )
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
    version = models.PositiveIntegerField(default=0, editable=False, help_text="Of the terms in force.")

    class Meta:
        verbose_name_plural = "policies"
        ordering = ("position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(min_employees=None)
                | Q(max_employees=None)
                | Q(min_employees__lte=models.F("max_employees")),
                name="policy_sizes_are_in_order",
                violation_error_message="“Employees from” is above “employees up to”: swap them.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Target(models.Model):
    """A promise of a policy: this must have happened so many minutes after the handoff."""

    class Kind(models.TextChoices):
        CRM_TRANSFER = "crm_transfer", "Transfer to Salesforce"
        NOTIFICATION = "notification", "Rep told"
        OPENED = "opened", "Opened"
        DECISION = "decision", "Accept or reject"
        FIRST_CONTACT = "first_contact", "First contact"
        CADENCE = "cadence", "Contact attempts"
        QUALITY_CHECK = "quality_check", "Check after the first conversation"
        RETURN = "return", "Return of a bad lead"

    # Kept by the portal itself: no rep can do anything for them.
    OURS = (Kind.CRM_TRANSFER, Kind.NOTIFICATION)

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
    attempts = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1, "Give 1 attempt or more.")],
        help_text="For contact attempts: so many within the time, unless somebody was reached before.",
    )
    max_pause_minutes = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes.")],
        help_text="All pauses together, in minutes around the clock; then the clock goes on by itself. "
        "Blank: no limit, 0: it cannot be paused.",
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
            models.CheckConstraint(
                condition=Q(kind="cadence", attempts__isnull=False, attempts__gt=0)
                | (~Q(kind="cadence") & Q(attempts=None)),
                name="only_a_cadence_has_attempts",
                violation_error_message="Say how many contact attempts, and only for “Contact attempts”.",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()


class EscalationStep(models.Model):
    """What happens when a target of the policy was missed, so long after the deadline (SLA-5).

    Steps of a policy are taken in the order of their times; those of one time in the order of their keys.
    """

    class Action(models.TextChoices):
        REMIND = "remind", "Remind the owner"
        NOTIFY_MANAGER = "notify_manager", "Tell the manager"
        REASSIGN = "reassign", "Give it to the next rep"
        REVIEW = "review", "Open a review for the manager"
        FLAG_CRM = "flag_crm", "Flag it in Salesforce"
        REST = "rest", "Take the rep out of the rotation"

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="steps")
    action = models.CharField(max_length=16, choices=Action)
    after_minutes = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(LONGEST_MINUTES, "This is longer than a year: the unit is minutes.")],
        help_text="After the deadline, in working time of the owner. 0: at once.",
    )
    kinds = ArrayField(
        models.CharField(max_length=16, choices=Target.Kind),
        default=list,
        blank=True,
        help_text="For these targets only; blank: for all but the transfer to Salesforce.",
    )
    waits_for_receiver = models.BooleanField(
        "waits until the receiver works",
        default=True,
        help_text="Nobody is told at night: whoever is to act hears of it when their working day begins.",
    )
    lapses = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1, "Give 1 or more.")],
        help_text="To take a rep out of the rotation: after so many offers lapsed in a row.",
    )

    class Meta:
        ordering = ("policy", "after_minutes", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["policy", "action", "after_minutes"],
                name="escalation_step_stands_once",
                violation_error_message="This step stands there already.",
            ),
            models.CheckConstraint(
                condition=Q(action="rest", lapses__isnull=False, lapses__gt=0)
                | (~Q(action="rest") & Q(lapses=None)),
                name="only_resting_counts_lapses",
                violation_error_message="Say after how many lapsed offers, and only to take a rep out.",
            ),
        )

    def __str__(self) -> str:
        return self.get_action_display()


class PolicyVersion(models.Model):
    """What a policy said from a moment on. Never changed: a trigger sees to it (SLA-4)."""

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    terms = models.JSONField(help_text="Conditions, targets and steps, as `sla.versions` reads them.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("policy", "-number")
        constraints = (
            models.UniqueConstraint(fields=["policy", "number"], name="policy_version_is_numbered_once"),
        )

    def __str__(self) -> str:
        return f"{self.policy}, version {self.number}"


class PinnedPolicy(models.Model):
    """Which version holds for a handoff, from its first clock to its last (SLA-4)."""

    # A plain number: handoffs lie above sla, and foreign keys point down.
    handoff_id = models.BigIntegerField(primary_key=True)
    version = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"Handoff {self.handoff_id}: {self.version}"
