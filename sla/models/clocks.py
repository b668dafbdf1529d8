"""The clocks that run, and the stretches in which they stood still (SLA-4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from accounts.models import User
from common.parking import MarkedWork
from sla.models.calendars import Calendar
from sla.models.incidents import Incident
from sla.models.policies import EscalationStep, PolicyVersion, Target


class ClockQuerySet(models.QuerySet["Clock"]):
    def visible_to(self, user: User) -> Self:
        """The clocks this person may read: BDRs their own and their team's, everybody else all."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(Q(owner=user) | Q(team__isnull=False, team=user.team_id))

    def running(self) -> Self:
        return self.filter(outcome=Clock.Outcome.RUNNING)

    def ticking(self) -> Self:
        """Running and not paused: time is passing."""
        return self.running().filter(paused_at=None)

    def kept_by_reps(self) -> Self:
        """Not what the portal promises itself."""
        return self.exclude(kind__in=Target.OURS)

    def late(self, now: datetime) -> Self:
        """Overdue at this moment and still not done, whether or not a sweep has noticed."""
        return self.ticking().filter(due_at__lt=now)

    def at_risk(self, now: datetime) -> Self:
        """Past the first warning and not yet due; so no breach is on record, which the index knows."""
        return self.ticking().filter(risk_at__lte=now, due_at__gte=now, breach_recorded_at=None)

    def due(self, now: datetime) -> Self:
        """Deadlines passed that nobody has recorded as breached: the sweep's work. Not what is parked."""
        return self.late(now).filter(breach_recorded_at=None, parked_at=None)

    def warning_due(self, now: datetime) -> Self:
        """Warnings to give. Once the deadline has passed, a warning makes no sense any more."""
        return self.ticking().filter(warn_at__lte=now, due_at__gte=now, parked_at=None)

    def breached(self) -> Self:
        """Breaches on record. `due(now)` holds those of the last seconds."""
        return self.filter(breach_recorded_at__isnull=False)

    def missed(self, now: datetime) -> Self:
        """Promises missed at this moment, on record or not: for looking up, not for listing."""
        return self.filter(
            Q(breach_recorded_at__isnull=False)
            | Q(outcome=Clock.Outcome.RUNNING, paused_at=None, due_at__lt=now)
        )

    def step_due(self, now: datetime) -> Self:
        """Missed targets with a step of escalation to take. Not what stands still or is parked."""
        return self.ticking().filter(next_step_at__lte=now, parked_at=None)

    def alarming(self) -> Self:
        """Missed, still not done, and no alarm has spoken of it: kinds that an alarm watches (SLA-6)."""
        watched = self.running().filter(kind__in=Clock.WATCHED)
        return watched.breached().filter(paused_at=None, alarmed_at=None)

    def pause_over(self, now: datetime) -> Self:
        """Paused for as long as the policy allows."""
        return self.running().filter(resume_at__lte=now, parked_at=None)

    def to_review(self) -> Self:
        """Breaches on record whose cause nobody has named yet although the policy asks for it."""
        return self.breached().filter(reviews_breaches=True, reviewed_at=None)

    def for_display(self) -> Self:
        """With everything a row on a page names, in the same query."""
        return self.select_related("lead__company", "owner", "team")


class Clock(MarkedWork):
    """One running or finished measurement of a target for one handoff. What was promised is copied from
    the target, so a later policy never rewrites history (SLA-4)."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    class State(models.TextChoices):
        """Where a clock stands at a moment. Never stored: it follows from the times."""

        ON_TIME = "on_time", "On time"
        AT_RISK = "at_risk", "At risk"
        LATE = "late", "Late"
        PAUSED = "paused", "Paused"
        MET = "met", "Met"
        MISSED = "missed", "Missed"
        CANCELLED = "cancelled", "Cancelled"

    class Cause(models.TextChoices):
        """Why a promise was missed, as far as the system can be changed (SLA-7)."""

        CAPACITY = "capacity", "Capacity"
        PRIORITISATION = "prioritisation", "Prioritisation"
        ROUTING = "routing", "Routing"
        LEAD_QUALITY = "lead_quality", "Lead quality"
        OTHER = "other", "Other"

    # What alarms watch (SLA-6): for how long, their settings say.
    WATCHED = (Target.Kind.OPENED, Target.Kind.CADENCE)

    # Whose and what
    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    # A plain number: handoffs lie above sla, and foreign keys point down.
    handoff_id = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Target.Kind)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    team = models.ForeignKey("accounts.Team", on_delete=models.SET_NULL, null=True, related_name="+")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, related_name="+")
    hours_digest = models.CharField(
        max_length=16, blank=True, help_text="Of the working hours due_at was computed by."
    )

    # What was promised
    policy_name = models.CharField(max_length=80)
    policy_version = models.ForeignKey(
        PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    mode = models.CharField(max_length=8, choices=Target.Mode)
    minutes = models.PositiveIntegerField(null=True)
    after_hours_minutes = models.PositiveIntegerField(null=True)
    warn_percent = ArrayField(models.PositiveSmallIntegerField(), default=list)
    restarts_on_reassignment = models.BooleanField(default=True)
    reviews_breaches = models.BooleanField(default=True)
    attempts_needed = models.PositiveSmallIntegerField(null=True, help_text="Of a cadence.")
    max_pause_minutes = models.PositiveIntegerField(null=True)

    # What figures are told apart by (SLA-9)
    category = models.CharField(max_length=1, blank=True)
    source = models.CharField(max_length=80, blank=True)

    # How it goes
    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.RUNNING)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Stored; moved only by a logged act such as a calendar change.")
    warnings_at = ArrayField(models.DateTimeField(), default=list, help_text="When to warn, in order.")
    risk_at = models.DateTimeField(null=True, help_text="The first warning: from here on it is at risk.")
    warn_at = models.DateTimeField(null=True, help_text="Mark: the next warning not given yet.")
    stopped_at = models.DateTimeField(null=True)
    breach_recorded_at = models.DateTimeField(
        null=True, help_text="When we noticed; the breach itself was at due_at."
    )
    steps_taken = models.PositiveSmallIntegerField(default=0, help_text="Of the ladder, left-out ones too.")
    next_step_at = models.DateTimeField(null=True, help_text="Mark: the next step of the ladder.")
    alarmed_at = models.DateTimeField(null=True, help_text="When its alarm opened a ticket.")
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    resume_at = models.DateTimeField(null=True, help_text="Mark: the longest pause allowed ends.")
    due_before_incident = models.DateTimeField(
        null=True, help_text="When it was due before an incident excused the time it took."
    )
    wall_seconds = models.BigIntegerField(
        null=True, help_text="Start to stop without pauses, around the clock."
    )
    business_seconds = models.BigIntegerField(
        null=True, help_text="Start to stop without pauses, in the calendar's hours."
    )

    # Review (SLA-7): for learning, not blame
    cause = models.CharField(max_length=16, choices=Cause, blank=True)
    review_note = models.CharField(max_length=1000, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ClockQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["handoff_id", "kind"],
                condition=Q(outcome="running"),
                name="one_running_clock_per_target",
            ),
            models.CheckConstraint(
                condition=Q(due_at__gte=F("started_at")), name="clock_is_due_after_it_starts"
            ),
            models.CheckConstraint(
                condition=Q(outcome="running", stopped_at=None)
                | (~Q(outcome="running") & Q(stopped_at__isnull=False, paused_at=None)),
                name="clock_is_stopped_unless_running",
            ),
            models.CheckConstraint(
                condition=Q(paused_at=None, pause_reason="")
                | (Q(paused_at__isnull=False) & ~Q(pause_reason="")),
                name="clock_pause_has_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(breach_recorded_at=None) | Q(breach_recorded_at__gt=F("due_at")),
                name="clock_breach_is_recorded_after_it_was_due",
            ),
            models.CheckConstraint(
                condition=Q(reviewed_at=None, reviewed_by=None, cause="")
                | (Q(reviewed_at__isnull=False, reviewed_by__isnull=False) & ~Q(cause="")),
                name="clock_review_has_a_cause",
            ),
            models.CheckConstraint(
                condition=Q(next_step_at=None) | Q(breach_recorded_at__isnull=False),
                name="clock_escalates_after_a_breach",
            ),
            models.CheckConstraint(
                condition=Q(resume_at=None) | Q(paused_at__isnull=False), name="only_a_paused_clock_resumes"
            ),
        )
        indexes = (
            # Sweep: deadlines passed and not recorded yet.
            models.Index(
                fields=["due_at"],
                condition=Q(outcome="running", breach_recorded_at=None, paused_at=None),
                name="clock_due",
            ),
            # Sweep: warnings to give.
            models.Index(
                fields=["warn_at"],
                condition=Q(outcome="running", paused_at=None, warn_at__isnull=False),
                name="clock_warn",
            ),
            # Sweep: steps of escalation to take.
            models.Index(
                fields=["next_step_at"],
                condition=Q(outcome="running", paused_at=None, next_step_at__isnull=False),
                name="clock_next_step",
            ),
            # Sweep: pauses that have lasted as long as they may.
            models.Index(
                fields=["resume_at"],
                condition=Q(outcome="running", resume_at__isnull=False),
                name="clock_resume",
            ),
            # Sweep of the alarms: missed a while ago and still not done.
            models.Index(
                fields=["due_at"],
                condition=Q(
                    outcome="running",
                    kind__in=["opened", "cadence"],
                    breach_recorded_at__isnull=False,
                    paused_at=None,
                    alarmed_at=None,
                ),
                name="clock_alarm",
            ),
            # Live board: late, longest first.
            models.Index(
                fields=["due_at"],
                include=["owner", "team"],  # counted by these without a look at the rows
                condition=Q(outcome="running", paused_at=None),
                name="clock_late",
            ),
            # Live board: at risk. What has been missed is past it.
            models.Index(
                fields=["risk_at"],
                include=["due_at", "owner", "team"],
                condition=Q(
                    outcome="running", paused_at=None, risk_at__isnull=False, breach_recorded_at=None
                ),
                name="clock_at_risk",
            ),
            # Breach list, latest first, by key.
            models.Index(
                fields=["-due_at", "-id"],
                condition=Q(breach_recorded_at__isnull=False),
                name="clock_breached",
            ),
            # Live board: how many wait for a review.
            models.Index(
                fields=["due_at"],
                condition=Q(breach_recorded_at__isnull=False, reviews_breaches=True, reviewed_at=None),
                name="clock_to_review",
            ),
            # The API's list, newest first, by key.
            models.Index(fields=["-started_at", "-id"], name="clock_newest_first"),
            models.Index(fields=["handoff_id"], name="clock_of_handoff"),
            # Which clocks ran in the time of an incident: these, and those that run.
            models.Index(fields=["stopped_at"], condition=Q(stopped_at__isnull=False), name="clock_stopped"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} due {self.due_at:%d %b %Y %H:%M}"

    def is_late(self, now: datetime) -> bool:
        """Whether the promise is or was missed, to the microsecond. Done exactly when due is in time."""
        return (self.stopped_at or self.paused_at or now) > self.due_at

    def seconds_late(self, now: datetime) -> int:
        """Whole seconds past the deadline so far, or when it was done; 0 when in time."""
        passed = (self.stopped_at or self.paused_at or now) - self.due_at
        return max(passed // timedelta(seconds=1), 0)

    def state(self, now: datetime) -> State:
        late = self.is_late(now)
        if self.outcome == self.Outcome.CANCELLED:
            return self.State.CANCELLED
        if self.outcome == self.Outcome.DONE:
            return self.State.MISSED if late else self.State.MET
        if late:
            return self.State.LATE
        if self.paused_at:
            return self.State.PAUSED
        at_risk = self.risk_at is not None and self.risk_at <= now
        return self.State.AT_RISK if at_risk else self.State.ON_TIME


class Pause(models.Model):
    """A stretch in which a clock stood still, with the reason. Open while the clock is paused."""

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="pauses")
    reason = models.CharField(max_length=200)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    incident = models.ForeignKey(Incident, on_delete=models.PROTECT, null=True, related_name="pauses")

    class Meta:
        ordering = ("started_at",)
        constraints = (
            models.UniqueConstraint(
                fields=["clock"], condition=Q(ended_at=None), name="one_open_pause_per_clock"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None) | Q(ended_at__gte=F("started_at")),
                name="pause_ends_after_it_starts",
            ),
        )

    def __str__(self) -> str:
        return self.reason


class Escalation(models.Model):
    """One step of the ladder of one clock, taken or left out once, with what came of it (SLA-5)."""

    class Result(models.TextChoices):
        TAKEN = "taken", "Taken"
        LEFT_OUT = "left_out", "Left out"

    clock = models.ForeignKey(Clock, on_delete=models.CASCADE, related_name="escalations")
    position = models.PositiveSmallIntegerField(
        help_text="Among the steps of the policy's version that fit the target, from 0."
    )
    action = models.CharField(max_length=16, choices=EscalationStep.Action)
    due_at = models.DateTimeField(help_text="When the ladder wanted it.")
    at = models.DateTimeField(help_text="When it was taken or left out.")
    result = models.CharField(max_length=8, choices=Result)
    why = models.CharField(max_length=300, help_text="What was done, or why not, in words.")

    class Meta:
        ordering = ("clock", "position")
        constraints = (
            models.UniqueConstraint(fields=["clock", "position"], name="escalation_step_is_taken_once"),
        )
        indexes = (models.Index(fields=["-at", "-id"], name="escalation_newest_first"),)

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.why}"
