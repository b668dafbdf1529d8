"""What marketing calls qualified: signals, versioned models with rules, and each lead's score now."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Prefetch, Q

from scoring import rules


class SignalQuerySet(models.QuerySet["Signal"]):
    def current(self) -> Self:
        """The latest revision of each signal: what a new rule may count."""
        return self.filter(retired_at=None)


class Signal(models.Model):
    """A class of activities, such as "Pricing page visit". Several revisions may share a key: a signal
    used by a published version is immutable (a trigger refuses), and an edit makes the next revision."""

    class Intent(models.TextChoices):
        HIGH = "high", "High intent"
        LOW = "low", "Low intent"

    key = models.SlugField(max_length=60)
    revision = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=80)
    event_names = ArrayField(models.CharField(max_length=120), help_text="Any of these event names.")
    intent = models.CharField(max_length=8, choices=Intent, default=Intent.LOW)
    is_engagement = models.BooleanField(
        default=True,
        help_text="Counts as engagement: resets decay. Untick for bounces, unsubscribes and the like.",
    )
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)
    # A mark: null means that activities older than the signal are not matched to it yet.
    backfilled_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = SignalQuerySet.as_manager()

    class Meta:
        ordering = ("name", "-revision")
        constraints = (
            models.UniqueConstraint(fields=["key", "revision"], name="signal_revision_is_unique"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(retired_at=None), name="signal_has_one_current_revision"
            ),
        )

    def __str__(self) -> str:
        return self.name


class SignalCondition(models.Model):
    """A condition on a property of the event; all conditions of a signal must hold."""

    class Operator(models.TextChoices):
        EQUALS = "equals", "is"
        ONE_OF = "one_of", "is one of"
        CONTAINS = "contains", "contains"
        STARTS_WITH = "starts_with", "starts with"
        AT_LEAST = "at_least", "is at least"
        AT_MOST = "at_most", "is at most"

    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="conditions")
    property_name = models.CharField(max_length=80)
    operator = models.CharField(max_length=16, choices=Operator)
    values = ArrayField(models.CharField(max_length=200))

    def __str__(self) -> str:
        return f"{self.property_name} {self.get_operator_display()} {', '.join(self.values)}"


class SignalHit(models.Model):
    """An activity of a lead that matches a signal: the narrow table the engine reads in index order."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+", db_index=False)
    signal = models.ForeignKey(Signal, on_delete=models.CASCADE, related_name="+", db_index=False)
    activity = models.ForeignKey("leads.Activity", on_delete=models.CASCADE, related_name="+", db_index=False)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["activity", "signal"], name="signal_hit_is_unique"),)
        indexes = (
            # The engine's covering index (SCORING.md): one lead's hits, signal by signal, in time.
            models.Index(
                fields=["lead", "signal", "occurred_at"], include=["received_at"], name="signal_hit_of_lead"
            ),
        )

    def __str__(self) -> str:
        return f"{self.signal_id} at {self.occurred_at}"


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def active(self) -> Self:
        return self.filter(status=ModelVersion.Status.ACTIVE)

    def in_force(self, moment: datetime) -> Self:
        """The version by which leads were scored at that moment."""
        return self.filter(published_at__lte=moment).filter(Q(retired_at=None) | Q(retired_at__gt=moment))

    def with_rules(self) -> Self:
        """Everything that the engine and the sentences read of a version, in four queries."""
        rules_with_signals = Rule.objects.select_related("signal")
        return self.prefetch_related(Prefetch("rules", rules_with_signals), "decay_steps", "category_tiers")


class ModelVersion(models.Model):
    """One version of the scoring model. A published version is immutable; exactly one is active (SCORE-1)."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        ACTIVE = "active", "Active"
        RETIRED = "retired", "Retired"

    number = models.PositiveIntegerField(unique=True)
    name = models.CharField(max_length=80)
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
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
            models.CheckConstraint(
                condition=Q(status="draft", published_at=None)
                | (~Q(status="draft") & Q(published_at__isnull=False)),
                name="model_version_is_draft_until_published",
            ),
        )

    def __str__(self) -> str:
        return f"Version {self.number}: {self.name}"


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
    all others."""

    class Category(models.TextChoices):
        A = "A", "A — ready to engage"
        B = "B", "B — interested but early"

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="category_tiers")
    category = models.CharField(max_length=1, choices=Category)
    min_engagement = models.IntegerField("engagement of at least")
    min_fit = models.IntegerField("and fit of at least")
    position = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.UniqueConstraint(
                fields=["version", "min_engagement", "min_fit"], name="category_tier_bounds_are_unique"
            ),
        )

    def __str__(self) -> str:
        return f"{self.category}: engagement of at least {self.min_engagement} and fit of {self.min_fit}"


class Rule(models.Model):
    """One rule of a version (SCORE-2): it tests an attribute or counts a signal."""

    class Kind(models.TextChoices):
        FIT = "fit", "Fit"
        BEHAVIOUR = "behaviour", "Behaviour"
        INTENT = "intent", "Explicit intent"
        NEGATIVE = "negative", "Negative"
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

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=16, choices=Kind)
    name = models.CharField(max_length=120)
    points = models.IntegerField(default=0)
    position = models.PositiveIntegerField(default=0)

    # Fit-like
    attribute = models.CharField(
        max_length=40, blank=True, help_text="A key of scoring.attributes.ATTRIBUTES."
    )
    operator = models.CharField(max_length=16, choices=Operator, blank=True)
    values = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    low = models.BigIntegerField(null=True, blank=True)
    high = models.BigIntegerField(null=True, blank=True)

    # Behaviour-like
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    min_count = models.PositiveIntegerField(default=1)
    window_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Days of 24 hours; blank: however long ago."
    )
    per_occurrence = models.BooleanField(default=False)
    cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="At most so many points from this rule."
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
                | Q(kind__in=["disqualifier", "instant_mql"], points=0),
                name="rule_points_suit_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(kind="fit", signal=None)
                | Q(kind__in=["behaviour", "intent", "instant_mql"], signal__isnull=False)
                | Q(kind__in=["negative", "disqualifier"]),
                name="rule_subject_suits_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(min_count__gte=1, min_count__lte=rules.MAX_OCCURRENCES)
                & (Q(window_days=None) | Q(window_days__gte=1, window_days__lte=rules.MAX_DAYS))
                & (Q(cap=None) | Q(cap__gte=1, cap__lte=rules.MAX_CAP)),
                name="rule_counts_are_sane",
            ),
        )

    def __str__(self) -> str:
        return self.name


class LeadScore(models.Model):
    """The score of a lead now. Rewritten only when the result changes; the ledger is recomputed on demand."""

    class Category(models.TextChoices):
        A = "A", "A — ready to engage"
        B = "B", "B — interested but early"
        C = "C", "C — engaged research"

    class Warmth(models.TextChoices):
        HAND_RAISER = "hand_raiser", "Hand-raiser"
        RETURNING = "returning", "Returning"
        ACCUMULATED = "accumulated", "Accumulated signals"
        COLD = "cold", "Cold"

    lead = models.OneToOneField(
        "leads.Lead", on_delete=models.CASCADE, primary_key=True, related_name="score"
    )
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="+", db_index=False)
    total = models.IntegerField()
    fit = models.IntegerField()
    engagement = models.IntegerField()
    category = models.CharField(max_length=1, choices=Category)
    warmth = models.CharField(max_length=16, choices=Warmth)
    icp_match = models.BooleanField()
    has_signal = models.BooleanField()
    has_red_flag = models.BooleanField()
    is_instant_mql = models.BooleanField()
    qualifies = models.BooleanField()
    next_change_at = models.DateTimeField(null=True)
    scored_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.total} points"
