"""What marketing owes: data to fix, disputes, rejections to read, leads promised (FEED-1, FEED-4, SLA-8)."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from feedback.models.verdicts import Verdict
from handoffs.models import Handoff


class MarketingTaskQuerySet(models.QuerySet["MarketingTask"]):
    def visible_to(self, user: User) -> Self:
        """The tasks of handoffs that this person may see."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(handoff__in=Handoff.objects.visible_to(user))

    def open(self) -> Self:
        return self.filter(done_at=None)

    def late(self, now: datetime) -> Self:
        return self.open().filter(due_at__lt=now)


class MarketingTask(models.Model):
    """Something marketing owes a lead, with a due time: data to fix, gaps to fill (FEED-1, HAND-5)."""

    class Kind(models.TextChoices):
        FIX_DATA = "fix_data", "Fix the data"
        FILL_GAPS = "fill_gaps", "Fill the gaps"

    kind = models.CharField(max_length=12, choices=Kind)
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    handoff = models.ForeignKey("handoffs.Handoff", on_delete=models.PROTECT, related_name="+")
    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, null=True, related_name="task")
    wanted = models.CharField(max_length=1000, help_text="What is wrong or missing, in words.")
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    outcome = models.CharField(max_length=500, blank=True, help_text="What was done, in words.")

    objects = MarketingTaskQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["handoff", "kind"], name="one_task_of_a_kind_per_handoff"),
            models.CheckConstraint(
                # Nobody in particular closes a task that is needed no more.
                condition=Q(done_at__isnull=False) | Q(done_by=None, outcome=""),
                name="task_is_settled_only_when_done",
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=Q(done_at=None), name="marketing_task_open"),
            # The list of what is done, by key.
            models.Index(
                fields=["-done_at", "-id"], condition=Q(done_at__isnull=False), name="marketing_task_done"
            ),
            models.Index(fields=["-created_at", "-id"], name="marketing_task_newest_first"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.wanted}"[:120]

    def get_absolute_url(self) -> str:
        return reverse("feedback:task", args=[self.pk])

    @property
    def needless_because(self) -> str:
        """Why a task was closed that nobody has done."""
        undone = self.kind == self.Kind.FIX_DATA
        return "The rejection was undone" if undone else "The handoff has ended"

    @property
    def rep(self) -> User | None:
        """Who waits for the gaps to be filled: nobody if the handoff has ended, or nobody has it yet."""
        return self.handoff.owner if self.verdict_id is None and self.handoff.is_open else None


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, user: User) -> Self:
        """Those over handoffs that this person may see."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(verdict__handoff__in=Handoff.objects.visible_to(user))


class Dispute(models.Model):
    """Marketing contradicts a rejection, once; a manager settles it; both count in the figures (FEED-4)."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "The rejection stands"
        OVERTURNED = "overturned", "The lead was good"

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="dispute")
    comment = models.CharField(max_length=1000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When a manager should have settled it.")
    outcome = models.CharField(max_length=12, choices=Outcome, blank=True)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    settlement = models.CharField(max_length=1000, blank=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(outcome="", settled_at=None, settled_by=None, settlement="")
                | (~Q(outcome="") & Q(settled_at__isnull=False, settled_by__isnull=False)),
                name="dispute_is_settled_with_an_outcome",
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=Q(settled_at=None), name="dispute_open"),
            # The list of what is settled, by key.
            models.Index(
                fields=["-settled_at", "-id"],
                condition=Q(settled_at__isnull=False),
                name="dispute_settled_newest_first",
            ),
        )

    def __str__(self) -> str:
        return f"Dispute of “{self.verdict}”"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def open(self) -> Self:
        """Rejections that stand and that nobody in marketing has read yet."""
        return self.filter(read_at=None, verdict__undoing=None)


class Reading(models.Model):
    """Marketing reads each rejection in time: feedback nobody reads dries up (SLA-8)."""

    verdict = models.OneToOneField(
        Verdict, on_delete=models.PROTECT, primary_key=True, related_name="reading"
    )
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    read_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ReadingQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(read_at=None, read_by=None) | Q(read_at__isnull=False, read_by__isnull=False),
                name="rejection_is_read_by_somebody",
            ),
        )
        indexes = (
            models.Index(fields=["due_at"], condition=Q(read_at=None), name="reading_open"),
            models.Index(fields=["created_at"], name="reading_by_time"),
        )

    def __str__(self) -> str:
        return f"Reading of “{self.verdict}”"


class Commitment(models.Model):
    """What marketing promises sales for a month: so many MQLs, and how good they are (SLA-8)."""

    month = models.DateField(unique=True, help_text="The first day of the month.")
    mqls = models.PositiveIntegerField(
        "MQLs",
        validators=[
            MinValueValidator(1, "Promise at least 1 MQL."),
            MaxValueValidator(1_000_000, "Promise at most 1,000,000 MQLs a month."),
        ],
    )
    good_percent = models.PositiveSmallIntegerField(
        "of these good, in per cent",
        validators=[MaxValueValidator(100, "A share is at most 100 per cent.")],
        help_text="Decided handoffs that sales does not return as wrong fit or not qualified.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ("-month",)
        constraints = (
            models.CheckConstraint(condition=Q(month__day=1), name="commitment_is_for_a_whole_month"),
            models.CheckConstraint(
                condition=Q(mqls__gte=1, good_percent__lte=100), name="commitment_is_possible"
            ),
        )

    def __str__(self) -> str:
        return f"{self.month:%B %Y}: {self.mqls} MQLs"
