"""Each lead's score now, and what keeps them right: re-scoring, the release list, the check."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from common.parking import MarkedWork
from leads.models import Lead
from scoring.language.rules import PER_MILLE
from scoring.models.signals import Signal, SignalHit
from scoring.models.versions import ModelVersion, Rule

# Stages from which a lead becomes an MQL; the others are with sales, customers, or out for good.
ENTRY_STAGES = (Lead.Stage.LEAD, Lead.Stage.NURTURE, Lead.Stage.LOST)


def clear_hits() -> models.QuerySet[SignalHit]:
    """Hits that show clear interest by the version that their lead is scored by: a signal that it does not
    count, whoever wrote it and when, says nothing."""
    helps = (
        Q(points__gt=0)
        | Q(kind=Rule.Kind.INSTANT_MQL)
        | Q(kind=Rule.Kind.MULTIPLIER, factor_per_mille__gt=PER_MILLE)
    )
    counted = Rule.objects.filter(helps, version=OuterRef("lead__score__version"), signal=OuterRef("signal"))
    return SignalHit.objects.filter(Exists(counted), signal__intent=Signal.Intent.HIGH)


def evidence_of(lead: Lead | OuterRef, *, since: datetime | OuterRef) -> models.QuerySet[SignalHit]:
    """What reached us of the lead after `since` and shows clear interest (FEED-2)."""
    return clear_hits().filter(lead=lead, received_at__gt=since)


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
    readiness = models.IntegerField(default=0)
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


class Rescoring(models.Model):
    """Scoring all leads again after a publish, in chunks that several workers share; shown as progress."""

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="rescorings")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["version"], condition=Q(finished_at=None), name="one_rescoring_of_a_version_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"Scoring all leads by {self.version}"


class RescoringChunkQuerySet(models.QuerySet["RescoringChunk"]):
    def waiting(self) -> Self:
        return self.filter(done_at=None, parked_at=None)


class RescoringChunk(MarkedWork):
    """Leads with ids from first to last. A worker holds its row while it works: a killed one lets it go."""

    rescoring = models.ForeignKey(Rescoring, on_delete=models.CASCADE, related_name="chunks")
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    leads = models.PositiveIntegerField()
    done_at = models.DateTimeField(null=True, blank=True)

    objects = RescoringChunkQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(fields=["rescoring", "first_id"], name="rescoring_chunk_is_unique"),
            models.CheckConstraint(
                condition=Q(first_id__lte=F("last_id")), name="rescoring_chunk_is_not_empty"
            ),
        )

    def __str__(self) -> str:
        return f"Leads {self.first_id} to {self.last_id}"


class ReleaseItemQuerySet(models.QuerySet["ReleaseItem"]):
    def waiting(self) -> Self:
        """Leads that marketing has still to let go, or not, and that could go as they stand: one that sales
        returned goes back only with new evidence (FEED-2), which the recycle contract weighs at its time."""
        evidence = SignalHit.objects.filter(
            lead=OuterRef("lead"), received_at__gt=OuterRef("lead__recycled_at")
        )
        return self.filter(
            Q(lead__recycled_at=None) | Exists(evidence),
            decided_at=None,
            lead__score__qualifies=True,
            lead__stage__in=ENTRY_STAGES,
            lead__hold=Lead.Hold.NONE,
        )


class ReleaseItem(models.Model):
    """A lead that qualifies only because the rules changed: marketing lets it go to sales, or does not.

    New evidence of its own lets a listed lead go by itself, and so does a handoff by hand (decision
    "overtaken", by nobody). Evidence is new that came after `rules_changed_at`.
    """

    class Decision(models.TextChoices):
        RELEASED = "released", "Released to sales"
        DISMISSED = "dismissed", "Kept back"
        OVERTAKEN = "overtaken", "Went without release"

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="release_items")
    listed_at = models.DateTimeField()
    rules_changed_at = models.DateTimeField()
    decision = models.CharField(max_length=12, choices=Decision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    objects = ReleaseItemQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["lead"], condition=Q(decided_at=None), name="lead_waits_for_release_once"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at=None, decided_by=None)
                | Q(
                    decision__in=["released", "dismissed"], decided_at__isnull=False, decided_by__isnull=False
                )
                | Q(decision="overtaken", decided_at__isnull=False, decided_by=None),
                name="release_is_decided_at_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.lead} by {self.version}"


class ScoreCheck(models.Model):
    """One run of the proof that every kept score is what its ledger sums to (SCORE-7).

    `waiting` leads have news or a change that is due, so their kept score need not be right yet.
    """

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    checked_to = models.BigIntegerField(default=0, help_text="Leads up to this id are done.")
    leads = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    differing = models.PositiveIntegerField(default=0)
    examples = models.JSONField(default=list, help_text="Ids of up to ten leads that differ.")

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"{self.leads} leads checked, {self.differing} differ"
