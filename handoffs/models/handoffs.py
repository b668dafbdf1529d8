"""The handoff: one passing of one lead from marketing to sales, with an owner, a clock and a trail."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse

from accounts.models import User
from handoffs.models.pools import Pool, PoolMembership
from sla.models import Clock


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

    def overflow_for(self, user: User) -> Self:
        """What of the overflow this person may see. As visible_to() says it, without the handoffs that they
        own themselves: nobody owns these, and asked for either the database reads the overflow of all pools.
        """
        if user.role != User.Role.BDR:
            return self.overflow()
        return self.overflow().filter(pool__in=PoolMembership.objects.filter(user=user).values("pool"))

    def owned_by(self, user: User) -> Self:
        return self.filter(owner=user)

    def with_next_due(self) -> Self:
        """Annotate the rep's next running target: `next_due_at`, `next_due_kind`, `next_warn_at`, or null.

        What the portal promises itself is not the rep's to keep, so it is left out; so is a paused clock,
        which has no deadline until it runs again.
        """
        theirs = Clock.objects.ticking().kept_by_reps()
        clocks = theirs.filter(handoff_id=OuterRef("pk")).order_by("due_at", "id")
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
    flagged_at = models.DateTimeField(
        null=True, help_text="Escalated so far that Salesforce shows it (SLA-5)."
    )
    hops = models.PositiveSmallIntegerField(
        default=0, help_text="How many reps passed this lead on since marketing handed it over."
    )
    incomplete_at = models.DateTimeField(
        null=True, help_text="Mark: the package is below the standard, and marketing has no task for it yet."
    )
    activity_check_at = models.DateTimeField(
        null=True, help_text="Mark: when to look whether the rep has done anything; null: not looked yet."
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
            # Sweep of the alarms: accepted, and nothing attempted yet.
            models.Index(
                fields=["activity_check_at"],
                condition=Q(status="accepted", closed_at=None),
                name="handoff_activity_check",
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
