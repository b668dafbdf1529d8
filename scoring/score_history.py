"""The score of one lead over time, as it was known at each moment (SCORE-7): for the chart on its page.

The moments are those at which the score could change: evidence that reached us, details that changed,
versions that took effect, what time alone changed, and the ends of months so that quiet stretches have points
too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from django.db.models import F, Q
from django.utils import timezone

from leads.models import AttributeChange, Lead
from scoring.engine import score_pairs
from scoring.language.results import Result
from scoring.lifecycle.membership import was_in_pilot
from scoring.models import ModelVersion, SignalHit

# What a chart can show and a page can wait for. Beyond it, every second or third moment is left out.
MOST_POINTS = 60
MOST_EVIDENCE = 40
# Each round finds at most one change by time alone between two moments.
ROUNDS = 12


@dataclass(frozen=True, slots=True)
class ScorePoint:
    """The score from `at` on, by the version then in force and its threshold."""

    at: datetime
    total: int
    fit: int
    engagement: int
    qualifies: bool
    version: int
    threshold: int


def score_over_time(lead: Lead, *, since: datetime, until: datetime) -> list[ScorePoint]:
    """At most MOST_POINTS points in order, from when we knew the lead and a version was in force.

    Each is what `explain_score` says of its moment. Between two of them the score may only differ if there
    were more changes than points.
    """
    since = max(since, lead.created_at)
    if since > until:
        return []
    versions = _versions_between(since, until)
    evidence = thinned(_evidence(lead, since, until), MOST_EVIDENCE)
    marks = [moment for version in versions for moment in _switches(version) if since < moment <= until]
    moments = sorted({since, until, *evidence, *marks, *_month_starts(since, until)})
    scored = _score(lead, versions, thinned(moments, MOST_POINTS))
    for _ in range(ROUNDS):
        found = thinned(_changes_by_time(scored), MOST_POINTS - len(scored))
        if not found:
            break
        scored |= _score(lead, versions, found)
    return [
        ScorePoint(
            at=at,
            total=result.total,
            fit=result.fit,
            engagement=result.engagement,
            qualifies=result.qualifies,
            version=version.number,
            threshold=version.threshold,
        )
        for at, (version, result) in sorted(scored.items())
    ]


# --- Moments -------------------------------------------------------------------------------------


def _evidence(lead: Lead, since: datetime, until: datetime) -> list[datetime]:
    """When we learnt something that a rule may count, in order."""
    hits = SignalHit.objects.filter(lead=lead, received_at__gt=since, received_at__lte=until)
    owners = Q(lead=lead) | Q(company=lead.company_id) if lead.company_id else Q(lead=lead)
    changes = AttributeChange.objects.filter(owners, changed_at__gt=since, changed_at__lte=until)
    learnt = hits.values_list(F("received_at")).union(changes.values_list(F("changed_at")))
    return sorted(at for (at,) in learnt)


def _month_starts(since: datetime, until: datetime) -> Iterator[datetime]:
    """The first moments of months, where the reader is."""
    local = timezone.localtime(since).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while True:
        local = local.replace(year=local.year + local.month // 12, month=local.month % 12 + 1)
        if local >= until:
            return
        yield local


def thinned(moments: Sequence[datetime], most: int) -> list[datetime]:
    """The moments, or so many of them evenly, the last one always."""
    if len(moments) <= most:
        return list(moments)
    last = len(moments) - 1
    return [moments[last - last * place // max(1, most - 1)] for place in range(most)][::-1]


def _changes_by_time(scored: dict[datetime, tuple[ModelVersion, Result]]) -> list[datetime]:
    """When a score changed by itself before the next moment that we look at."""
    return [
        result.next_change_at
        for (at, (_, result)), (following, _) in pairwise(sorted(scored.items(), key=lambda item: item[0]))
        if result.next_change_at is not None and at < result.next_change_at < following
    ]


# --- Versions ------------------------------------------------------------------------------------


def _versions_between(since: datetime, until: datetime) -> list[ModelVersion]:
    in_force = Q(published_at__lte=until) & (Q(retired_at=None) | Q(retired_at__gt=since))
    in_pilot = Q(pilot__started_at__lte=until) & (Q(pilot__ended_at=None) | Q(pilot__ended_at__gt=since))
    return list(ModelVersion.objects.filter(in_force | in_pilot).select_related("pilot"))


def _switches(version: ModelVersion) -> Iterator[datetime]:
    """When leads began or ceased to be scored by it."""
    pilot = getattr(version, "pilot", None)
    moments = [version.published_at, version.retired_at]
    moments += [pilot.started_at, pilot.ended_at] if pilot else []
    return (moment for moment in moments if moment is not None)


def _version_at(lead: Lead, versions: Collection[ModelVersion], moment: datetime) -> ModelVersion | None:
    """As scoring.services.version_of, of versions at hand."""
    for version in versions:
        if version.is_pilot_at(moment) and was_in_pilot(version.pilot, lead.pk, as_of=moment):
            return version
    for version in versions:
        began, ended = version.published_at, version.retired_at
        if (
            began
            and began <= moment
            and (ended is None or ended > moment)
            and not version.is_pilot_at(moment)
        ):
            return version
    return None


def _score(
    lead: Lead, versions: Collection[ModelVersion], moments: Collection[datetime]
) -> dict[datetime, tuple[ModelVersion, Result]]:
    """One statement for each version."""
    by_version: dict[ModelVersion, list[tuple[int, datetime]]] = defaultdict(list)
    for moment in moments:
        version = _version_at(lead, versions, moment)
        if version is not None:
            by_version[version].append((lead.pk, moment))
    return {
        at: (version, result)
        for version, pairs in by_version.items()
        for at, result in score_pairs(version, pairs)
    }
