"""Versioned models with their rules: what marketing calls qualified (SCORE-1, SCORE-2)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Prefetch, Q

from scoring.language import rules
from scoring.models.signals import Signal


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def active(self) -> Self:
        return self.filter(status=ModelVersion.Status.ACTIVE)

    def in_use(self, moment: datetime) -> Self:
        """The version in force at that moment and, if one ran, the version in pilot beside it."""
        in_force = Q(published_at__lte=moment) & (Q(retired_at=None) | Q(retired_at__gt=moment))
        in_pilot = Q(pilot__started_at__lte=moment) & (
            Q(pilot__ended_at=None) | Q(pilot__ended_at__gt=moment)
        )
        return self.filter(in_force | in_pilot)

    def with_rules(self) -> Self:
        """Everything that the engine and the sentences read of a version, in five queries."""
        rules_with_signals = Rule.objects.select_related("signal")
        return self.prefetch_related(
            Prefetch("rules", rules_with_signals), "groups", "decay_steps", "category_tiers"
        )


class ModelVersion(models.Model):
    """One version of the scoring model: draft → proposed → (scheduled, pilot) → active → retired (SCORE-1).

    Only a draft can be edited. At most one version is active and at most one is in pilot, and the database
    says so. `scoring.lifecycle.versions` holds the verbs; VersionEvent keeps who did what, when and why.
    """

    class Formula(models.TextChoices):
        ADDITIVE = "additive", "Points are added up"
        HYBRID = "hybrid", "Engagement and readiness are weighted"
        CHECKLIST = "checklist", "The checklist alone decides"

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Waiting for approval"
        SCHEDULED = "scheduled", "Approved, takes effect later"
        PILOT = "pilot", "Pilot"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFT)
    formula = models.CharField(
        max_length=12,
        choices=Formula,
        default=Formula.ADDITIVE,
        help_text="How points become a score, and what besides the checklist makes an MQL.",
    )
    engagement_percent = models.PositiveSmallIntegerField(
        "weight of engagement, in %",
        default=40,
        help_text="In the weighted formula; readiness has the rest, so 40 means 40 % and 60 %.",
    )
    threshold = models.PositiveIntegerField(default=50, help_text="Points from which a lead is an MQL.")
    icp_from = models.PositiveIntegerField(
        "ICP match from",
        default=20,
        help_text="Fit points from which a lead matches the ideal customer profile.",
    )
    signal_days = models.PositiveIntegerField(
        "clear signal lasts",
        default=90,
        help_text="Days for which a high-intent signal counts as clear interest.",
    )
    decay_floor = models.PositiveIntegerField(
        default=0, help_text="Decay leaves at least so many of the points earned by behaviour."
    )
    based_on = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField(null=True, blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # The active version that its proposer saw beside it: approval is about the difference from that one.
    proposed_against = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    # Who approved is empty where a one-person team skips the second person, and the log says so.
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    takes_effect_at = models.DateTimeField(
        null=True, blank=True, help_text="Blank: as soon as it is approved."
    )
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True, help_text="Why this version: kept with who and when.")

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.CheckConstraint(
                condition=Q(threshold__gte=1, threshold__lte=rules.MAX_THRESHOLD),
                name="model_version_threshold_is_sane",
            ),
            models.CheckConstraint(
                condition=Q(signal_days__gte=1, signal_days__lte=rules.MAX_DAYS),
                name="model_version_signal_days_are_sane",
            ),
            models.CheckConstraint(
                condition=Q(icp_from__lte=rules.MAX_THRESHOLD, decay_floor__lte=rules.MAX_THRESHOLD),
                name="model_version_bounds_are_sane",
            ),
            models.CheckConstraint(
                condition=Q(status="retired", retired_at__isnull=False)
                | (~Q(status="retired") & Q(retired_at=None)),
                name="model_version_is_retired_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="active"), name="one_active_model_version"
            ),
            models.UniqueConstraint(
                fields=["status"], condition=Q(status="pilot"), name="one_pilot_model_version"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "proposed", "scheduled", "pilot"], published_at=None)
                | Q(status="active", published_at__isnull=False)
                | Q(status="retired"),
                name="model_version_is_published_when_active",
            ),
            models.CheckConstraint(
                condition=Q(proposed_at=None, proposed_by=None)
                | Q(proposed_at__isnull=False, proposed_by__isnull=False),
                name="model_version_proposed_at_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(approved_at__isnull=False) | Q(approved_by=None),
                name="model_version_approved_at_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled")
                | Q(approved_at__isnull=False, takes_effect_at__isnull=False),
                name="model_version_is_scheduled_for_a_time",
            ),
            models.CheckConstraint(
                condition=Q(engagement_percent__lte=100), name="model_version_weights_sum_to_100"
            ),
        )

    def __str__(self) -> str:
        return f"Version {self.number}: {self.name}"

    def is_pilot_at(self, moment: datetime) -> bool:
        """Whether it was tried beside the active version then. No query after select_related("pilot")."""
        pilot = getattr(self, "pilot", None)
        if pilot is None or pilot.started_at is None or pilot.started_at > moment:
            return False
        return pilot.ended_at is None or bool(pilot.ended_at > moment)


class RuleGroup(models.Model):
    """Rules whose points together stop at a cap (SCORE-7)."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=80)
    cap = models.PositiveIntegerField(
        help_text="All rules of the group together give at most so many points."
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=["version", "name"], name="rule_group_name_is_unique"),
            models.CheckConstraint(
                condition=Q(cap__gte=1, cap__lte=rules.MAX_CAP), name="rule_group_cap_is_sane"
            ),
        )

    def __str__(self) -> str:
        return self.name


class DecayStep(models.Model):
    """After so many days without engagement, behaviour points count for so many per mille (SCORE-4)."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="decay_steps")
    after_days = models.PositiveIntegerField("after days")
    per_mille = models.PositiveSmallIntegerField(
        "per mille kept", help_text="750 keeps three quarters of the points."
    )

    class Meta:
        ordering = ("after_days",)
        constraints = (
            models.UniqueConstraint(fields=["version", "after_days"], name="decay_step_day_is_unique"),
            models.CheckConstraint(condition=Q(per_mille__lte=1000), name="decay_step_never_grows_points"),
            models.CheckConstraint(
                condition=Q(after_days__gte=1, after_days__lte=rules.MAX_DAYS), name="decay_step_day_is_sane"
            ),
        )

    def __str__(self) -> str:
        return f"after {self.after_days} days × {self.per_mille / 1000:g}"


class CategoryTier(models.Model):
    """One line of the category matrix (SCORE-8): the first line whose bounds a lead reaches decides; C is for
    all others. Readiness is fit, or in the hybrid formula fit and engagement times the multipliers."""

    class Category(models.TextChoices):
        A = "A", "A — ready to engage"
        B = "B", "B — interested but early"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="category_tiers")
    category = models.CharField(max_length=1, choices=Category)
    min_engagement = models.IntegerField("engagement of at least")
    min_readiness = models.IntegerField("and readiness of at least")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["version", "min_engagement", "min_readiness"], name="category_tier_bounds_are_unique"
            ),
        )

    def __str__(self) -> str:
        bounds = f"engagement of at least {self.min_engagement} and readiness of {self.min_readiness}"
        return f"{self.category}: {bounds}"


class Rule(models.Model):
    """One rule of a version (SCORE-2): it tests an attribute or counts a signal."""

    class Kind(models.TextChoices):
        FIT = "fit", "Fit"
        BEHAVIOUR = "behaviour", "Behaviour"
        INTENT = "intent", "Explicit intent"
        NEGATIVE = "negative", "Negative"
        MULTIPLIER = "multiplier", "Multiplier"
        DISQUALIFIER = "disqualifier", "Disqualifier"
        INSTANT_MQL = "instant_mql", "Instant MQL"

    class Operator(models.TextChoices):
        ONE_OF = "one_of", "is one of"
        NOT_ONE_OF = "not_one_of", "is none of"
        CONTAINS = "contains", "contains"
        HAS_WORD = "has_word", "has the word"
        BETWEEN = "between", "is between"
        NOT_BETWEEN = "not_between", "is outside"
        IS_KNOWN = "is_known", "is known"
        IS_BLANK = "is_blank", "is blank"

    class Decay(models.TextChoices):
        NONE = "", "Does not fade"
        STEP = "step", "Fades in steps"
        LINEAR = "linear", "Fades evenly"
        HALF_LIFE = "half_life", "Halves again and again"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="rules")
    group = models.ForeignKey(
        RuleGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="rules"
    )
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=120)
    points = models.IntegerField(default=0)
    factor_per_mille = models.PositiveSmallIntegerField(
        default=rules.PER_MILLE, help_text="Of a multiplier: 1500 is times one and a half."
    )
    position = models.PositiveIntegerField(default=0)

    # Fit-like
    attribute = models.CharField(max_length=40, blank=True, help_text="What the rule asks about.")
    operator = models.CharField(max_length=16, choices=Operator, blank=True)
    values = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    low = models.BigIntegerField(null=True, blank=True)
    high = models.BigIntegerField(null=True, blank=True)

    # Behaviour-like
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    min_count = models.PositiveIntegerField(default=1)
    max_count = models.PositiveIntegerField(
        null=True, blank=True, help_text="Holds only while seen at most so often; blank: however often."
    )
    window_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days of 24 hours; blank: however long ago."
    )
    per_occurrence = models.BooleanField(default=False)
    cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="At most so many points from this rule."
    )
    # The points of the rule itself fade with the days since its signal was last seen.
    decay = models.CharField(max_length=12, choices=Decay, default=Decay.NONE, blank=True)
    decay_days = models.PositiveIntegerField(null=True, blank=True)
    decay_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Of a step: so much of the points is lost each time."
    )
    decay_floor_percent = models.PositiveSmallIntegerField(
        default=0, help_text="So much of the points always stays."
    )

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.CheckConstraint(
                condition=(Q(signal=None) & ~Q(attribute="") & ~Q(operator=""))
                | (Q(signal__isnull=False) & Q(attribute="") & Q(operator="")),
                name="rule_tests_an_attribute_or_counts_a_signal",
            ),
            models.CheckConstraint(
                condition=Q(low=None) | Q(high=None) | Q(low__lte=F("high")), name="rule_range_is_not_empty"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["fit", "behaviour", "intent"], points__gte=1, points__lte=rules.MAX_POINTS
                )
                | Q(kind="negative", points__lte=-1, points__gte=-rules.MAX_POINTS)
                | Q(kind__in=["multiplier", "disqualifier", "instant_mql"], points=0),
                name="rule_points_suit_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="fit", signal=None)
                | Q(kind__in=["behaviour", "intent", "instant_mql"], signal__isnull=False)
                | Q(kind__in=["negative", "multiplier", "disqualifier"]),
                name="rule_subject_suits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(min_count__gte=1, min_count__lte=rules.MAX_OCCURRENCES)
                & (Q(window_days=None) | Q(window_days__gte=1, window_days__lte=rules.MAX_DAYS))
                & (Q(max_count=None) | Q(max_count__gte=F("min_count"), max_count__lte=rules.MAX_OCCURRENCES))
                & (Q(cap=None) | Q(cap__gte=1, cap__lte=rules.MAX_CAP)),
                name="rule_counts_are_sane",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind="multiplier", factor_per_mille__gte=1, factor_per_mille__lte=rules.MAX_FACTOR
                )
                | (~Q(kind="multiplier") & Q(factor_per_mille=rules.PER_MILLE)),
                name="rule_factor_suits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(decay="", decay_days=None, decay_percent=None, decay_floor_percent=0)
                | (
                    Q(decay__in=["step", "linear", "half_life"], signal__isnull=False)
                    & Q(decay_days__gte=1, decay_days__lte=rules.MAX_DAYS, decay_floor_percent__lte=99)
                    & (
                        Q(decay="step", decay_percent__gte=1, decay_percent__lte=100)
                        | (~Q(decay="step") & Q(decay_percent=None))
                    )
                ),
                name="rule_decay_is_whole",
            ),
        )

    def __str__(self) -> str:
        return self.name
