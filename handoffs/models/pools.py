"""Pools of BDRs, who is in them, and the rules that send leads there (HAND-3)."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from accounts.models import User


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

    channels = models.ManyToManyField(
        "notifications.Channel",
        blank=True,
        related_name="+",
        help_text="Shared channels, such as a Slack channel of the team, that hear of each new lead.",
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
    weight = models.PositiveSmallIntegerField(default=1, validators=[MinValueValidator(1)])
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
