"""Promises about time: calendars, policies with targets, and the clocks that run."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q


class Calendar(models.Model):
    """Working hours of a place: time zone, weekly intervals, public holidays, closures (SLA-2)."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, help_text="IANA name, such as Europe/Berlin.")
    holiday_country = models.CharField(
        max_length=2, blank=True, help_text="ISO code; blank: no public holidays."
    )
    holiday_subdivision = models.CharField(max_length=8, blank=True)
    is_default = models.BooleanField(default=False)
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="CalendarPerson", related_name="+", blank=True
    )

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_calendar"
            ),
        )

    def __str__(self) -> str:
        return self.name


class CalendarPerson(models.Model):
    """Whose calendar it is: a person has at most one; others work by the default."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE)
    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return f"{self.person} works by {self.calendar}"


class CalendarInterval(models.Model):
    """Open hours on a weekday. Several a day are fine; closes_at <= opens_at runs over midnight;
    both 00:00 is the whole day."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="intervals")
    weekday = models.PositiveSmallIntegerField(choices=Weekday)
    opens_at = models.TimeField()
    closes_at = models.TimeField()

    class Meta:
        ordering = ("weekday", "opens_at")

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens_at:%H:%M}–{self.closes_at:%H:%M}"


class Closure(models.Model):
    """A day on which the place is closed beyond public holidays."""

    calendar = models.ForeignKey(Calendar, on_delete=models.CASCADE, related_name="closures")
    on = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("on",)
        constraints = (models.UniqueConstraint(fields=["calendar", "on"], name="closure_day_is_unique"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.on:%d %b %Y})"


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
    is_active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "policies"
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


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
        null=True, blank=True, help_text="Blank only for 'by close of business'."
    )
    warn_percent = ArrayField(
        models.PositiveSmallIntegerField(),
        default=list,
        blank=True,
        help_text="Warn when so much time has gone: 50, 80.",
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["policy", "kind"], name="one_target_of_a_kind_per_policy"),
            models.CheckConstraint(
                condition=Q(mode="same_day", minutes=None) | (~Q(mode="same_day") & Q(minutes__gt=0)),
                name="target_has_minutes_unless_same_day",
            ),
        )

    def __str__(self) -> str:
        return self.get_kind_display()


class Clock(models.Model):
    """One running or finished measurement of a target for one handoff. What was promised is copied from
    the target, so a later policy never rewrites history (SLA-4)."""

    class Outcome(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    # A plain number: handoffs lie above sla, and foreign keys point down.
    handoff_id = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Target.Kind)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    team = models.ForeignKey("accounts.Team", on_delete=models.SET_NULL, null=True, related_name="+")
    calendar = models.ForeignKey(Calendar, on_delete=models.PROTECT, null=True, related_name="+")
    policy_name = models.CharField(max_length=80)
    mode = models.CharField(max_length=8, choices=Target.Mode)
    minutes = models.PositiveIntegerField(null=True)
    warn_percent = ArrayField(models.PositiveSmallIntegerField(), default=list)

    outcome = models.CharField(max_length=10, choices=Outcome, default=Outcome.RUNNING)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="Stored; moved only by a logged act such as a calendar change.")
    warn_at = models.DateTimeField(null=True, help_text="Mark: the next warning not given yet.")
    stopped_at = models.DateTimeField(null=True)
    breach_recorded_at = models.DateTimeField(
        null=True, help_text="When the sweep noticed; the breach was at due_at."
    )
    paused_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=200, blank=True)
    wall_seconds = models.BigIntegerField(null=True, help_text="Start to stop, around the clock.")
    business_seconds = models.BigIntegerField(null=True, help_text="Start to stop, in the calendar's hours.")

    # Review (SLA-7): for learning, not blame
    cause = models.CharField(max_length=16, blank=True)
    review_note = models.CharField(max_length=1000, blank=True)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

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
                | (~Q(outcome="running") & Q(stopped_at__isnull=False)),
                name="clock_is_stopped_unless_running",
            ),
        )
        indexes = (
            # Sweep: deadlines passed and not recorded yet.
            models.Index(
                fields=["due_at"],
                condition=Q(outcome="running", breach_recorded_at=None, paused_at=None),
                name="clock_due",
            ),
            models.Index(
                fields=["warn_at"], condition=Q(outcome="running", warn_at__isnull=False), name="clock_warn"
            ),
            models.Index(fields=["handoff_id"], name="clock_of_handoff"),
            models.Index(
                fields=["-due_at", "-id"],
                condition=Q(breach_recorded_at__isnull=False),
                name="clock_breached",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} due {self.due_at:%d %b %Y %H:%M}"
