"""What sales said about a lead and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from accounts.models import User
from common.parking import MarkedWork
from common.spans import days_within_ten_years
from feedback.wording import fill_in
from handoffs.models import Handoff
from leads.models import Lead

MOST_ATTEMPTS = 30
# Working time: in a calendar that is open an hour a week, still a date that there is.
LONGEST_MINUTES = 30 * 24 * 60

PROMISED_MINUTES = [
    MinValueValidator(1, "Promise at least 1 minute."),
    MaxValueValidator(LONGEST_MINUTES, "This is longer than 30 whole days of work: the unit is minutes."),
]


class RejectionReason(models.Model):
    """A reason for which a lead may be refused, with its type and consequence (FEED-1)."""

    class Type(models.TextChoices):
        PROCEDURAL = "procedural", "Procedural: wrong rep"
        CLERICAL = "clerical", "Clerical: bad data"
        DEFINITIONAL = "definitional", "Definitional: evidence about scoring"
        TIMING = "timing", "Timing: too early"
        DUPLICATE = "duplicate", "Duplicate"
        UNREACHABLE = "unreachable", "Unreachable"

    class Treatment(models.TextChoices):
        REROUTE = "reroute", "Offer it to another rep"
        EDUCATE = "educate", "Education track, re-checked after a delay"
        BLOCK_UNTIL_FIT_CHANGES = "block_until_fit_changes", "Blocked until a fit attribute changes"
        RE_ENGAGE = "re_engage", "Rare contact until new activity"
        LINK_DUPLICATE = "link_duplicate", "Linked to the other lead"
        NURTURE = "nurture", "Nurture, re-checked after a delay"
        DISQUALIFY = "disqualify", "Disqualified for good"
        FIX_DATA = "fix_data", "Marketing fixes the data"

    code = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    type = models.CharField(max_length=16, choices=Type)
    treatment = models.CharField(max_length=24, choices=Treatment)
    consequence = models.CharField(
        max_length=200,
        help_text="Shown under the option when a rep chooses. {days} and {attributes} are filled in: "
        "the delay, and what must change.",
    )
    recycle_after_days = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[days_within_ten_years],
        help_text="Re-checked after so many days.",
    )
    fit_fields = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        verbose_name="comes back when one of these changes",
        help_text="Of leads blocked until their fit changes. None: any fit attribute.",
    )
    requires_attempts = models.PositiveSmallIntegerField(
        "attempts needed",
        default=0,
        validators=[MaxValueValidator(MOST_ATTEMPTS, f"At most {MOST_ATTEMPTS}: a cadence has no more.")],
        help_text="Logged attempts to reach the lead, before a rep can choose this. 0: none.",
    )
    requires_note = models.BooleanField(default=False)
    requires_duplicate = models.BooleanField(default=False)
    tells_marketing = models.BooleanField(default=False, help_text="Marketing is told at once.")
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.label

    @property
    def promise(self) -> str:
        """The consequence as people read it, with the terms in force filled in."""
        return fill_in(self.consequence, days=self.recycle_after_days, fit_fields=self.fit_fields)

    @property
    def asks_for_words(self) -> bool:
        """Whether choosing it is not enough: it wants something written beside."""
        return self.requires_note or self.requires_duplicate


class VerdictQuerySet(models.QuerySet["Verdict"]):
    def standing(self) -> Self:
        """Rejections that were not undone: the only ones that count in any figure."""
        return self.filter(undoing=None)

    def against_marketing(self) -> Self:
        """Those that say the criteria let the wrong lead through (FEED-1), unless a manager found the lead
        good (FEED-4)."""
        definitional = self.standing().filter(reason__type=RejectionReason.Type.DEFINITIONAL)
        return definitional.exclude(dispute__outcome=Dispute.Outcome.OVERTURNED)


class Verdict(models.Model):
    """A rejection of a handoff, with its reason. A rejected handoff has exactly one that stands; a trigger
    refuses update and delete."""

    class Via(models.TextChoices):
        PAGE = "page", "Page"
        API = "api", "API"
        SALESFORCE = "salesforce", "Salesforce"

    handoff = models.ForeignKey("handoffs.Handoff", on_delete=models.PROTECT, related_name="verdicts")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    reason = models.ForeignKey(RejectionReason, on_delete=models.PROTECT, related_name="verdicts")
    note = models.CharField(max_length=1000, blank=True)
    duplicate_of = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    via = models.CharField(max_length=12, choices=Via)

    objects = VerdictQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["-at", "-id"], name="verdict_newest_first"),)

    def __str__(self) -> str:
        return f"{self.reason} ({self.at:%d %b %Y})"


class VerdictUndoing(models.Model):
    """The rep took a rejection back within seconds: the verdict is kept and no longer stands."""

    verdict = models.OneToOneField(
        Verdict, on_delete=models.PROTECT, primary_key=True, related_name="undoing"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Undone: {self.verdict}"


class RecyclingQuerySet(models.QuerySet["Recycling"]):
    def due(self, now: datetime) -> Self:
        """Leads whose delay is over and which have not been woken; not those that are parked."""
        return self.filter(wake_at__lte=now, woken_at=None, parked_at=None)

    def under_way(self) -> Self:
        """Leads that are held by this return now: neither woken nor free by what they did, nor handed off by
        hand meanwhile."""
        return self.filter(woken_at=None, started_at=F("lead__recycled_at")).exclude(
            lead__hold=Lead.Hold.NONE
        )


class Recycling(MarkedWork):
    """A rejected lead on its way back: held until it wakes (FEED-2). Nothing rejected disappears."""

    verdict = models.OneToOneField(Verdict, on_delete=models.PROTECT, related_name="recycling")
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="+")
    treatment = models.CharField(max_length=24, choices=RejectionReason.Treatment)
    started_at = models.DateTimeField()
    wake_at = models.DateTimeField(null=True, help_text="Mark: re-evaluate from this time on.")
    woken_at = models.DateTimeField(null=True)

    objects = RecyclingQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(
                fields=["wake_at"], condition=Q(woken_at=None, wake_at__isnull=False), name="recycling_due"
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_treatment_display()} since {self.started_at:%d %b %Y}"


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


class QualityCheck(models.Model):
    """Ten seconds after the first conversation: was the lead what the package said (FEED-3)?"""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        PARTLY = "partly", "Partly"
        NO = "no", "No"

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.PROTECT, primary_key=True, related_name="quality_check"
    )
    really_qualified = models.CharField(max_length=6, choices=Answer)
    data_matched = models.CharField(max_length=6, choices=Answer)
    timing_right = models.CharField(max_length=6, choices=Answer)
    conversation = models.PositiveSmallIntegerField(help_text="Quality of the conversation, 1 to 5.")
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(conversation__gte=1, conversation__lte=5), name="conversation_is_rated_1_to_5"
            ),
        )
        indexes = (models.Index(fields=["-at"], name="quality_check_newest_first"),)

    def __str__(self) -> str:
        return f"Quality check of handoff {self.handoff_id}"


class AcceptanceReason(models.Model):
    """Which drivers made the rep accept (FEED-3): names of rules, and words of their own."""

    handoff = models.OneToOneField(
        "handoffs.Handoff", on_delete=models.PROTECT, primary_key=True, related_name="acceptance_reason"
    )
    drivers = ArrayField(models.CharField(max_length=120), default=list)
    note = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return ", ".join(self.drivers) or self.note


class Pulse(models.Model):
    """How satisfied one person is in one month (FEED-6): sales with the leads, marketing with the
    follow-up. One answer per person and month; the last one counts."""

    class Side(models.TextChoices):
        SALES = "sales", "Sales, with lead quality"
        MARKETING = "marketing", "Marketing, with follow-up"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    side = models.CharField(max_length=10, choices=Side)
    month = models.DateField(help_text="The first day of the month.")
    score = models.PositiveSmallIntegerField(help_text="0 to 10.")
    comment = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "month"], name="one_pulse_a_month"),
            models.CheckConstraint(condition=Q(score__lte=10), name="pulse_is_0_to_10"),
        )

    def __str__(self) -> str:
        return f"{self.get_side_display()}: {self.score}"


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
    acceptance_goal = models.PositiveSmallIntegerField(
        default=90,
        validators=[MaxValueValidator(100, "A share is at most 100 per cent.")],
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
        constraints = (models.CheckConstraint(condition=Q(singleton=True), name="one_feedback_policy"),)

    def __str__(self) -> str:
        return f"Goal {self.acceptance_goal} %"
