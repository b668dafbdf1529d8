"""What the protocol asks and recommends: playbooks, the gate to SQL, the package, the way back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from handoffs.models.contact import Attempt


class Playbook(models.Model):
    """What to say first, for leads that show certain signals (HAND-5). The first that matches applies."""

    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    signal_keys = ArrayField(
        models.SlugField(max_length=60), default=list, blank=True, help_text="Any of these; blank: any lead."
    )
    categories = ArrayField(models.CharField(max_length=1), default=list, blank=True)
    sources = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    industries = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    channel = models.CharField(max_length=10, choices=Attempt.Channel)
    timing = models.CharField(max_length=120)
    opening_line = models.CharField(
        max_length=500, help_text="Placeholders: {first_name}, {company}, {title}."
    )
    topics = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    objections = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    next_step = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class QualificationGate(models.Model):
    """Which parts of BANT must be a yes before a handoff is SQL (QUEUE-4). One row."""

    requires = ArrayField(models.CharField(max_length=12), default=list)
    budget_may_be_rough = models.BooleanField(
        "budget need only roughly fit",
        default=False,
        help_text="The rep is asked whether the budget roughly fits, not whether it is granted.",
    )
    evidence_needed = models.BooleanField(
        default=False, help_text="On: each yes that is needed must say what the lead said."
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_qualification_gate"),)

    def __str__(self) -> str:
        return "SQL needs " + ", ".join(self.requires)


class PackageStandard(models.Model):
    """Which facts a context package must hold to count as complete (HAND-5). One row."""

    requires = ArrayField(models.CharField(max_length=40), default=list)
    task_below = models.PositiveSmallIntegerField(
        "task for marketing below",
        default=60,
        validators=[MaxValueValidator(100)],
        help_text="Per cent complete; below it marketing gets the task to fill the gaps. 0: never.",
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_package_standard"),)

    def __str__(self) -> str:
        return "A package needs " + ", ".join(name.replace("_", " ") for name in self.requires)


class RecycleContract(models.Model):
    """What a returned lead must show to become an MQL again (FEED-2). One row."""

    min_points = models.PositiveIntegerField(
        "points of new evidence",
        default=1,
        help_text="What the lead did since its return must be worth so many points by the rules.",
    )
    enough_signals = ArrayField(
        models.SlugField(max_length=60),
        default=list,
        blank=True,
        help_text="Any one of these since the return is enough, whatever its points.",
    )
    cool_off_days = models.PositiveSmallIntegerField(
        default=0, help_text="Not before so many days after the return, whatever happens."
    )
    singleton = models.BooleanField(default=True, unique=True, editable=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_recycle_contract"),)

    def __str__(self) -> str:
        return f"Again after {self.cool_off_days} days with {self.min_points} points of new evidence"
