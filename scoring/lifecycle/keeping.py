"""Keeps the scores of leads by the version that each belongs to, and says what became different.

Whoever calls holds the leads' locks, and the versions are read under them: a publish that commits meanwhile
finds these leads in a later chunk of its re-scoring, so none stays behind with an older version's score.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from django.db import connection
from django.db.models import QuerySet

from common.prepared import execute_prepared
from leads.models import Lead, LeadEvent
from leads.services import log_events
from scoring.engine import IN_USE, USED, Move, keep_first_score, keep_range, keep_scores
from scoring.lifecycle.membership import pilot_members
from scoring.lifecycle.release import list_for_release
from scoring.matching import match_activities
from scoring.models import LeadScore, ModelVersion
from scoring.models.scores import clear_hits

Status = ModelVersion.Status

InUse = tuple[ModelVersion | None, ModelVersion | None]


def keep_leads(lead_ids: Sequence[int], *, now: datetime) -> bool:
    """Match what is new of these leads, score them and keep what changed; False while none is active."""
    news = _match_news(lead_ids)
    active, pilot = versions_in_use()
    if active is None:
        return False
    _tell(_keep_by_version(active, pilot, lead_ids, now=now), news, now=now)
    return True


def keep_leads_of_range(version: ModelVersion, *, first: int, last: int, now: datetime) -> None:
    """As keep_leads, for all leads from the first to the last id, none of which is in a pilot."""
    news = _match_news(Lead.objects.filter(pk__range=(first, last)).values_list("pk", flat=True))
    _tell([(version, keep_range(version, first=first, last=last, now=now))], news, now=now)


def keep_newcomer(lead: Lead, *, now: datetime) -> LeadScore | None:
    """Score and keep a lead that this transaction inserted by leads.newcomers; None while none is active.

    It has done nothing yet, and nobody was told a score of it. Until it is committed no re-scoring can see
    it, so the re-scoring waits for it (`leads.newcomers.wait_for_newcomers`).
    """
    active, pilot = _last_in_use.get(connection.connection) or versions_in_use()
    while active is not None:
        version = pilot if pilot and pilot_members(pilot.pilot, [lead.pk], as_of=now) else active
        in_use = [each.pk for each in (active, pilot) if each]
        if kept := keep_first_score(version, lead.pk, in_use=in_use, now=now):
            return LeadScore(lead=lead, version=version, scored_at=now, **kept)
        active, pilot = versions_in_use()  # others than last time
    return None


def _match_news(lead_ids: Sequence[int] | QuerySet[Lead, int]) -> dict[int, int]:
    """Match the leads' new activities: the first one of each lead that has any."""
    marked = Lead.objects.filter(pk__in=lead_ids, unmatched_from__isnull=False).order_by("pk")
    news = {pk: first for pk, first in marked.values_list("pk", "unmatched_from") if first is not None}
    if news:
        match_activities(list(news))
    return news


def versions_in_use() -> InUse:
    """The active version, and the one in pilot beside it."""
    with connection.cursor() as cursor:
        execute_prepared(cursor, IN_USE.format(columns="id, created_at, status"), {"used": USED})
        found = {
            status: _version_once(pk, created_at, status) for pk, created_at, status in cursor.fetchall()
        }
    in_use = found.get(Status.ACTIVE), found.get(Status.PILOT)
    if Status.ACTIVE in found:
        _last_in_use[connection.connection] = in_use
    return in_use


# What each open connection read last. Only keep_newcomer goes by it, and its statement checks it.
_last_in_use: WeakKeyDictionary[Any, InUse] = WeakKeyDictionary()


@lru_cache(maxsize=8)
def _version_once(version_id: int, created_at: datetime, status: str) -> ModelVersion:
    """Kept, because what a version says never changes while it is in use. The time of creation only tells
    apart databases that one process meets one after another."""
    return ModelVersion.objects.select_related("pilot").get(pk=version_id)


Moves = list[tuple[ModelVersion, list[Move]]]


def _keep_by_version(
    active: ModelVersion, pilot: ModelVersion | None, lead_ids: Sequence[int], *, now: datetime
) -> Moves:
    if pilot is None:
        return [(active, keep_scores(active, lead_ids, now=now))]
    members = pilot_members(pilot.pilot, lead_ids, as_of=now)
    others = sorted(set(lead_ids).difference(members))
    shares = ((pilot, members), (active, others))
    return [(version, keep_scores(version, share, now=now)) for version, share in shares if share]


def _tell(moved: Moves, news: dict[int, int], *, now: datetime) -> None:
    """Log the scores that people see change, and list the leads that qualify only by another version."""
    shown = {move.lead_id: _detail(move) for _, moves in moved for move in moves if move.shows}
    if shown:
        log_events(shown, kind=LeadEvent.Kind.SCORE_CHANGED, at=now)
    for version, moves in moved:
        by_rules = [move.lead_id for move in moves if _qualifies_by_rules(move, version)]
        own = _with_own_evidence(by_rules, news)
        if listed := [lead_id for lead_id in by_rules if lead_id not in own]:
            list_for_release(listed, version=version, now=now)


def _with_own_evidence(lead_ids: Sequence[int], news: dict[int, int]) -> set[int]:
    """Those with clear interest among their news: it came before the change was known here, but no version
    had seen it, so the lead does not qualify only by the rules."""
    asked = [lead_id for lead_id in lead_ids if lead_id in news]
    if not asked:
        return set()
    hits = clear_hits().filter(lead__in=asked, activity__gte=min(news[lead_id] for lead_id in asked))
    found = hits.values_list("lead_id", "activity_id")
    return {lead_id for lead_id, activity_id in found if activity_id >= news[lead_id]}


def _qualifies_by_rules(move: Move, version: ModelVersion) -> bool:
    return move.qualifies and not move.qualified_was and move.version_was != version.pk


def _detail(move: Move) -> dict[str, object]:
    detail: dict[str, object] = {"from": move.was, "to": move.became}
    if move.category_was != move.category_became:
        detail["category"] = move.category_became
    return detail
