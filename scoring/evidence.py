"""What a lead did since a moment, weighed by its rules: what a returned lead is asked for (FEED-2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from leads.models import Lead
from scoring.engine import score_imagined
from scoring.language.results import ImaginedLead
from scoring.language.rules import PER_MILLE
from scoring.models import LeadScore, Rule, SignalHit


def points_since(lead: Lead, *, since: datetime, now: datetime) -> int:
    """What the lead's behaviour would be worth now if it had done nothing before `since`: the rules with
    their windows, caps, groups and fading, over what reached us later. Never below zero; 0 without a score.

    Points of who it is do not count: they are no news.
    """
    score = LeadScore.objects.select_related("version").filter(lead=lead).first()
    hits = tuple(_hits_since(lead, since).values_list("signal_id", "occurred_at")) if score else ()
    if score is None or not hits:
        return 0
    return max(0, score_imagined(score.version, ImaginedLead(hits=hits), as_of=now).engagement)


def has_signal_since(lead: Lead, keys: Iterable[str], *, since: datetime) -> bool:
    """Whether any of these signals, named by their keys, reached us after `since`."""
    return _hits_since(lead, since).filter(signal__key__in=list(keys)).exists()


def raised_hand_since(lead: Lead, *, since: datetime) -> bool:
    """Whether a signal reached us after `since` that by the lead's rules makes an MQL at once or multiplies:
    it weighs a lot and need not have points."""
    decisive = Rule.objects.filter(
        Q(kind=Rule.Kind.INSTANT_MQL) | Q(kind=Rule.Kind.MULTIPLIER, factor_per_mille__gt=PER_MILLE),
        version=OuterRef("lead__score__version"),
        signal=OuterRef("signal"),
    )
    return _hits_since(lead, since).filter(Exists(decisive)).exists()


def came_back(lead_ids: Iterable[int]) -> set[int]:
    """Those of the leads that did something after sales returned them which shows interest: a signal that
    counts as engagement and that their rules do not hold against them. A bounce or an unsubscribe is none."""
    against = Rule.objects.filter(
        Q(kind__in=(Rule.Kind.NEGATIVE, Rule.Kind.DISQUALIFIER)) | Q(points__lt=0),
        version=OuterRef("lead__score__version"),
        signal=OuterRef("signal"),
    )
    hits = SignalHit.objects.filter(lead__in=list(lead_ids), received_at__gt=F("lead__recycled_at"))
    shown = hits.filter(~Exists(against), signal__is_engagement=True)
    return set(shown.values_list("lead", flat=True).distinct())


def _hits_since(lead: Lead, since: datetime) -> QuerySet[SignalHit]:
    """By when we could count them: what a visitor did earlier is news if only later we knew whose it was."""
    return SignalHit.objects.filter(lead=lead, received_at__gt=since)
