"""The handoff: one passing of one lead from marketing to sales, with an owner, a clock and a trail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse

from accounts.models import User
from sla.models import Clock, Target


class PoolQuerySet(models.QuerySet["Pool"]):
    def visible_to(self, user: User) -> Self:
        """BDRs see the pools they are in; everybody else sees all."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(pk__in=PoolMembership.objects.filter(user=user).values("pool"))


class Pool(models.Model):
    """BDRs who share a stream of leads."""

    class OffShift(models.TextChoices):
        """What working hours mean to the turns (HAND-3)."""

        OFFER = "offer", "Leads come all the same"
        PREFER = "prefer", "Whoever is on shift comes first"
        WAIT = "wait", "Leads wait until somebody is on shift"

    name = models.CharField(max_length=80, unique=True)
    team = models.ForeignKey(
        "accounts.Team", on_delete=models.PROTECT, null=True, blank=True, related_name="pools"
    )
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="PoolMembership", related_name="pools")
    declined_for_days = models.PositiveIntegerField(
        default=30, help_text="A rep who passed a lead on is not offered it again for so many days."
    )
    returns_to_same_rep = models.PositiveSmallIntegerField(
        default=1,
        help_text="A returned lead goes back to the rep who had it so many times; then another one looks.",
    )
    returns_before_manager = models.PositiveSmallIntegerField(
        default=2, help_text="A lead returned more often than this goes to a manager of the team."
    )
    off_shift = models.CharField(
        "outside a rep's working hours",
        max_length=8,
        choices=OffShift,
        default=OffShift.PREFER,
        help_text="By the calendar the rep works by, public holidays included.",
    )
    catches_up = models.BooleanField(
        "catch up after an absence",
        default=False,
        help_text="On: a rep who was away gets the leads they missed first. Off: they go on where they were.",
    )
    max_hops = models.PositiveSmallIntegerField(
        default=3, help_text="A lead passed on by so many reps goes to the catch-all pool."
    )
    catch_all = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="caught_from",
        help_text="Where leads go that nobody here keeps; blank: they wait in this pool's overflow queue.",
    )

    objects = PoolQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.CheckConstraint(
                condition=Q(catch_all=None) | ~Q(catch_all=F("id")),
                name="pool_is_not_its_own_catch_all",
                violation_error_message="A pool cannot be its own catch-all: choose another, or none.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class PoolMembership(models.Model):
    """One BDR in one pool, with a weight and a capacity. The counters are kept under the pool row's lock."""

    pool = models.ForeignKey(Pool, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    weight = models.PositiveSmallIntegerField(default=1)
    weekly_capacity = models.PositiveIntegerField(default=50, help_text="New leads a week.")
    max_open = models.PositiveIntegerField(default=100, help_text="Open handoffs at once.")
    is_active = models.BooleanField(default=True)
    countries = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        verbose_name="territory",
        help_text="Countries whose leads they take; blank: any.",
    )
    languages = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        help_text="Languages they speak with leads.",
    )
    skills = ArrayField(
        models.CharField(max_length=60), default=list, blank=True, help_text="What they are expert in."
    )
    received = models.BigIntegerField(default=0, help_text="Leads counted towards their share.")
    entitled = models.DecimalField(
        max_digits=38,
        decimal_places=20,
        default=0,
        help_text="Their share of the leads routed while they were available.",
    )
    last_offered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["pool", "user"], name="pool_member_is_unique"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="pool_member_weight_is_positive"),
        )

    def __str__(self) -> str:
        return f"{self.user} in {self.pool}"


class RoutingRule(models.Model):
    """Which pool a lead goes to and how its owner is chosen there. Rules are tried in order; a blank
    condition holds for any lead (HAND-3)."""

    class Strategy(models.TextChoices):
        ROUND_ROBIN = "round_robin", "In turn, by weight"
        LEAST_LOADED = "least_loaded", "Whoever has the fewest open handoffs"
        NAMED_OWNER = "named_owner", "A named person, else in turn"

    name = models.CharField(max_length=80)
    position = models.PositiveIntegerField(default=0)
    countries = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    industries = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    categories = ArrayField(models.CharField(max_length=1), default=list, blank=True)
    sources = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    employees_from = models.PositiveIntegerField(null=True, blank=True)
    employees_to = models.PositiveIntegerField(null=True, blank=True)
    languages = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    product_lines = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    deal_size_from = models.PositiveBigIntegerField(null=True, blank=True)
    deal_size_to = models.PositiveBigIntegerField(null=True, blank=True)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="rules")
    strategy = models.CharField(max_length=16, choices=Strategy, default=Strategy.ROUND_ROBIN)
    named_owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    account_owner_first = models.BooleanField(
        default=True, help_text="Leads of one company go to the rep who has it already."
    )
    skills = ArrayField(
        models.CharField(max_length=60),
        default=list,
        blank=True,
        verbose_name="skills of the rep",
        help_text="Only reps who have all of these.",
    )
    speaks_language = models.BooleanField(
        "speaks the lead's language", default=False, help_text="Only reps who speak it, where it is known."
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(strategy="named_owner", named_owner__isnull=False)
                | (~Q(strategy="named_owner") & Q(named_owner=None)),
                name="routing_rule_names_its_owner",
                violation_error_message="Name the owner for “a named person”, and for no other strategy.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class HandoffQuerySet(models.QuerySet["Handoff"]):
    def visible_to(self, user: User) -> Self:
        """BDRs see their own handoffs and those of their pools; everybody else sees all (OPS-1)."""
        if user.role != User.Role.BDR:
            return self
        return self.filter(
            Q(owner=user) | Q(pool__in=PoolMembership.objects.filter(user=user).values("pool"))
        )

    def open(self) -> Self:
        """Handoffs that still hold their lead: at most one per lead."""
        # Both say the same (a constraint sees to it); the second is what the partial indexes know.
        return self.filter(status__in=Handoff.OPEN, closed_at=None)

    def offered(self) -> Self:
        return self.filter(status=Handoff.Status.OFFERED)

    def overflow(self) -> Self:
        """Offered to nobody: any member of the pool may claim it (HAND-4)."""
        return self.offered().filter(owner=None)

    def owned_by(self, user: User) -> Self:
        return self.filter(owner=user)

    def with_next_due(self) -> Self:
        """Annotate the rep's next running target: `next_due_at`, `next_due_kind`, `next_warn_at`, or null.

        The transfer to Salesforce is ours to keep, not the rep's, so it is left out; so is a paused clock,
        which has no deadline until it runs again.
        """
        clocks = (
            Clock.objects.ticking()
            .filter(handoff_id=OuterRef("pk"))
            .exclude(kind=Target.Kind.CRM_TRANSFER)
            .order_by("due_at", "id")
        )
        return self.annotate(
            next_due_at=Subquery(clocks.values("due_at")[:1]),
            next_due_kind=Subquery(clocks.values("kind")[:1]),
            next_warn_at=Subquery(clocks.values("risk_at")[:1]),
        )

    def most_urgent_first(self) -> Self:
        """Order by time left on the next target, then category, then age (QUEUE-1). Needs with_next_due()."""
        return self.order_by(F("next_due_at").asc(nulls_last=True), "category", "created_at", "id")


class Handoff(models.Model):
    """One offer of a lead to sales. Closed handoffs are kept."""

    class Status(models.TextChoices):
        OFFERED = "offered", "Offered"
        ACCEPTED = "accepted", "Accepted"
        CONTACTED = "contacted", "Contacted"
        QUALIFIED = "qualified", "Qualified"
        OPPORTUNITY = "opportunity", "Opportunity"
        WON = "won", "Won"
        LOST = "lost", "Lost"
        REJECTED = "rejected", "Rejected"
        WITHDRAWN = "withdrawn", "Withdrawn"

    OPEN = (Status.OFFERED, Status.ACCEPTED, Status.CONTACTED, Status.QUALIFIED, Status.OPPORTUNITY)

    class Trigger(models.TextChoices):
        THRESHOLD = "threshold", "Score reached the threshold"
        INSTANT = "instant", "Instant MQL"
        MANUAL = "manual", "By hand"
        IMPORTED = "imported", "Imported"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    lead = models.ForeignKey("leads.Lead", on_delete=models.PROTECT, related_name="handoffs")
    status = models.CharField(max_length=12, choices=Status, default=Status.OFFERED)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="handoffs"
    )
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="handoffs")
    trigger = models.CharField(max_length=12, choices=Trigger)
    trigger_note = models.CharField(max_length=500, blank=True)

    # The decision was taken on these; the live score moves on
    score = models.IntegerField()
    category = models.CharField(max_length=1)
    warmth = models.CharField(max_length=16)
    drivers = models.JSONField(
        default=list, help_text="Top rules that gave the points: [{name, points, last_at}]."
    )
    is_returning = models.BooleanField(default=False)

    created_at = models.DateTimeField()
    offered_at = models.DateTimeField(
        null=True, help_text="When the present owner got it; null in the overflow queue."
    )
    opened_at = models.DateTimeField(null=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    first_contact_at = models.DateTimeField(null=True)
    qualified_at = models.DateTimeField(null=True)
    qualified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    rejection_code = models.SlugField(
        max_length=40, blank=True, help_text="Code of the reason; feedback holds the rest."
    )
    closing_note = models.CharField(
        max_length=500, blank=True, help_text="Why marketing withdrew it or why it was lost."
    )
    slot_returned_at = models.DateTimeField(
        null=True, help_text="When the owner passed it on as not theirs: it no longer counts as received."
    )
    needs_review_at = models.DateTimeField(null=True, help_text="Flagged for manager review (SLA-5).")
    hops = models.PositiveSmallIntegerField(
        default=0, help_text="How many reps passed this lead on since marketing handed it over."
    )
    incomplete_at = models.DateTimeField(
        null=True, help_text="Mark: the package is below the standard, and marketing has no task for it yet."
    )
    planned_contact_at = models.DateTimeField(
        null=True, help_text="When the rep means to try next; theirs alone, no promise."
    )
    planned_channel = models.CharField(max_length=10, blank=True)
    planned_note = models.CharField(max_length=200, blank=True)

    # Annotated by with_next_due()
    next_due_at: datetime | None
    next_due_kind: str | None
    next_warn_at: datetime | None

    objects = HandoffQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["lead"],
                condition=Q(status__in=["offered", "accepted", "contacted", "qualified", "opportunity"]),
                name="one_open_handoff_per_lead",
            ),
            models.CheckConstraint(
                condition=(Q(status="rejected") & ~Q(rejection_code=""))
                | (~Q(status="rejected") & Q(rejection_code="")),
                name="rejection_has_its_reason",
            ),
            models.CheckConstraint(
                condition=Q(opened_at=None, opened_by=None)
                | Q(opened_at__isnull=False, opened_by__isnull=False),
                name="opened_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="accepted_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(qualified_at=None, qualified_by=None)
                | Q(qualified_at__isnull=False, qualified_by__isnull=False),
                name="qualified_at_and_by_together",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["offered", "accepted", "contacted", "qualified", "opportunity"],
                    closed_at=None,
                )
                | Q(status__in=["won", "lost", "rejected", "withdrawn"], closed_at__isnull=False),
                name="handoff_is_closed_exactly_when_its_status_says_so",
            ),
        )
        indexes = (
            # My queue.
            models.Index(
                fields=["owner", "status"],
                condition=Q(closed_at=None),
                name="handoff_open_by_owner",
            ),
            # The overflow queue, oldest first.
            models.Index(
                fields=["pool", "created_at"],
                condition=Q(status="offered", owner=None),
                name="handoff_overflow",
            ),
            # What a rep received this week, for the weekly capacity.
            models.Index(
                fields=["pool", "offered_at"],
                condition=Q(owner__isnull=False, slot_returned_at=None),
                name="handoff_received_in_pool",
            ),
            models.Index(fields=["-created_at", "-id"], name="handoff_newest_first"),
            # The queue of everybody: open handoffs without a deadline, by category and age.
            models.Index(
                fields=["category", "created_at", "id"],
                condition=Q(closed_at=None),
                name="handoff_open_by_category",
            ),
            models.Index(
                fields=["incomplete_at"], condition=Q(incomplete_at__isnull=False), name="handoff_incomplete"
            ),
        )

    def __str__(self) -> str:
        return f"{self.lead} ({self.get_status_display()})"

    def get_absolute_url(self) -> str:
        return reverse("handoffs:detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.status in self.OPEN


class ContextPackage(models.Model):
    """What the rep is given to read, frozen at the handoff (HAND-5). A trigger refuses update and delete."""

    handoff = models.OneToOneField(
        Handoff, on_delete=models.PROTECT, primary_key=True, related_name="package"
    )
    content = models.JSONField()
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of the canonical JSON.")
    completeness = models.PositiveSmallIntegerField(
        help_text="Per cent of the required fields that are known."
    )
    missing = ArrayField(models.CharField(max_length=40), default=list)
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Package of handoff {self.handoff_id}"


class RoutingDecision(models.Model):
    """Why this rep and why not the others: every candidate considered, with the reason (HAND-3)."""

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="routing_decisions")
    at = models.DateTimeField()
    rule_name = models.CharField(max_length=80, blank=True)
    strategy = models.CharField(max_length=80)
    chosen = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    candidates = models.JSONField(help_text="[{user_id, name, chosen, reason}] in the order considered.")
    shares = models.JSONField(
        null=True,
        help_text="What the turns are booked with for this lead, {user_id: part}; null: as before.",
    )

    def __str__(self) -> str:
        return f"{self.chosen or 'overflow'}: {self.strategy}"


class Attempt(models.Model):
    """One attempt to reach the lead (QUEUE-3)."""

    class Channel(models.TextChoices):
        CALL = "call", "Call"
        EMAIL = "email", "E-mail"
        LINKEDIN = "linkedin", "LinkedIn"
        MEETING = "meeting", "Meeting"

    class Outcome(models.TextChoices):
        CONNECTED = "connected", "Connected"
        VOICEMAIL = "voicemail", "Voicemail"
        NO_ANSWER = "no_answer", "No answer"
        SENT = "sent", "Sent"
        BOUNCED = "bounced", "Bounced"
        WRONG_PERSON = "wrong_person", "Wrong person"

    handoff = models.ForeignKey(Handoff, on_delete=models.PROTECT, related_name="attempts")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    channel = models.CharField(max_length=10, choices=Channel)
    outcome = models.CharField(max_length=14, choices=Outcome)
    note = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ("-at",)

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class Qualification(models.Model):
    """BANT of a handoff, each part with its evidence (QUEUE-4)."""

    class Answer(models.TextChoices):
        YES = "yes", "Yes"
        NO = "no", "No"
        UNKNOWN = "unknown", "Unknown"

    handoff = models.OneToOneField(
        Handoff, on_delete=models.PROTECT, primary_key=True, related_name="qualification"
    )
    budget = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    budget_evidence = models.CharField(max_length=500, blank=True)
    authority = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    authority_evidence = models.CharField(max_length=500, blank=True)
    need = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    need_evidence = models.CharField(max_length=500, blank=True)
    timeline = models.CharField(max_length=8, choices=Answer, default=Answer.UNKNOWN)
    timeline_evidence = models.CharField(max_length=500, blank=True)
    updated_at = models.DateTimeField()
    updated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"BANT of handoff {self.handoff_id}"


class Opportunity(models.Model):
    """The deal a qualified handoff became."""

    handoff = models.OneToOneField(
        Handoff, on_delete=models.PROTECT, primary_key=True, related_name="opportunity"
    )
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="EUR")
    close_on = models.DateField(null=True, blank=True)
    opened_at = models.DateTimeField()
    won_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    lost_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "opportunities"
        constraints = (
            models.CheckConstraint(
                condition=Q(won_at=None) | Q(lost_at=None), name="opportunity_is_won_or_lost_not_both"
            ),
            models.CheckConstraint(
                condition=Q(lost_at=None) | ~Q(lost_reason=""), name="lost_opportunity_has_a_reason"
            ),
        )

    def __str__(self) -> str:
        return f"Opportunity of handoff {self.handoff_id}"


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
        return "A package needs " + ", ".join(self.requires)


class Cadence(models.Model):
    """How often and when to try to reach a lead after acceptance (QUEUE-3). The first that fits applies;
    a blank condition holds for any handoff."""

    name = models.CharField(max_length=80, unique=True)
    position = models.PositiveIntegerField(default=0)
    categories = ArrayField(models.CharField(max_length=1), default=list, blank=True)
    sources = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("position", "id")

    def __str__(self) -> str:
        return self.name


class CadenceStep(models.Model):
    """One attempt of a cadence: due so many minutes after acceptance, in the owner's working hours or not."""

    cadence = models.ForeignKey(Cadence, on_delete=models.CASCADE, related_name="steps")
    number = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(30)])
    channel = models.CharField(max_length=10, choices=Attempt.Channel, default=Attempt.Channel.CALL)
    minutes = models.PositiveIntegerField(
        validators=[MinValueValidator(1), MaxValueValidator(365 * 24 * 60)],
        help_text="After acceptance.",
    )
    in_working_hours = models.BooleanField(default=True, help_text="Off: around the clock.")

    class Meta:
        ordering = ("cadence", "number")
        constraints = (
            models.UniqueConstraint(
                fields=["cadence", "number"],
                name="cadence_step_is_numbered_once",
                violation_error_message="This cadence has such a step already.",
            ),
        )

    def __str__(self) -> str:
        return f"Attempt {self.number} of {self.cadence}"


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


class SavedView(models.Model):
    """A filter somebody keeps under a name: on the queue or the list of leads (QUEUE-1)."""

    class Page(models.TextChoices):
        QUEUE = "queue", "Queue"
        LEADS = "leads", "Leads"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    page = models.CharField(max_length=8, choices=Page)
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=500, help_text="The query string of the page, without selection.")
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["user", "page", "name"],
                name="saved_view_is_named_once",
                violation_error_message="You have a view of this name already: choose another.",
            ),
        )

    def __str__(self) -> str:
        return self.name
