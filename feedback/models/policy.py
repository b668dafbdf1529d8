"""What marketing promises in return, and the goals both sides share."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

# Working time: in a calendar that is open an hour a week, still a date that there is.
LONGEST_MINUTES = 30 * 24 * 60

PROMISED_MINUTES = [
    MinValueValidator(1, "Promise at least 1 minute."),
    MaxValueValidator(LONGEST_MINUTES, "This is longer than 30 whole days of work: the unit is minutes."),
]
PER_CENT = [MaxValueValidator(100, "A share is at most 100 per cent.")]


class FeedbackPolicy(models.Model):
    """What marketing promises in return, and the goal both sides share. One row."""

    fix_minutes = models.PositiveIntegerField(
        "time to fix data",
        default=8 * 60,
        validators=PROMISED_MINUTES,
        help_text="Business minutes of the default calendar.",
    )
    dispute_minutes = models.PositiveIntegerField(
        "time to settle a dispute",
        default=16 * 60,
        validators=PROMISED_MINUTES,
        help_text="Business minutes of the default calendar.",
    )
    reading_minutes = models.PositiveIntegerField(
        "time to read a rejection",
        default=16 * 60,
        validators=PROMISED_MINUTES,
        help_text="Business minutes of the default calendar.",
    )
    sql_from = models.PositiveSmallIntegerField(
        "MQLs that become SQLs, from",
        default=40,
        validators=PER_CENT,
        help_text="Per cent. Fewer: the criteria let too much through.",
    )
    sql_to = models.PositiveSmallIntegerField(
        "MQLs that become SQLs, up to",
        default=70,
        validators=PER_CENT,
        help_text="Per cent. More: the bar is so high that good leads are held back.",
    )
    completeness_goal = models.PositiveSmallIntegerField(
        "complete packages",
        default=80,
        validators=PER_CENT,
        help_text="Per cent of handoffs that come with all that is required.",
    )
    acceptance_goal = models.PositiveSmallIntegerField(
        default=90,
        validators=PER_CENT,
        help_text="Per cent of decided handoffs not returned for a definitional reason.",
    )
    min_decided = models.PositiveSmallIntegerField(
        "decisions needed",
        default=10,
        validators=[MinValueValidator(1, "A pattern needs at least 1 decision.")],
        help_text="Below so many decided handoffs a pattern is not shown.",
    )
    review_months = models.PositiveSmallIntegerField(
        "months between reviews",
        default=0,
        validators=[MaxValueValidator(12, "Review at least once a year: at most 12 months.")],
        help_text="Marketing and managers are asked to review what sales returned. 0: never.",
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        verbose_name_plural = "feedback policy"
        constraints = (
            models.CheckConstraint(condition=Q(singleton=True), name="one_feedback_policy"),
            models.CheckConstraint(
                condition=Q(sql_from__lt=F("sql_to")),
                name="sql_band_is_in_order",
                violation_error_message="The band begins below its end: swap the two.",
            ),
        )

    def __str__(self) -> str:
        return f"Goal {self.acceptance_goal} %"
