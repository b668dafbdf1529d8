"""The business process, and the file to read first: facts → score → is it due? → hand off → next look.

Facts about a lead set its mark `advance_at`; so does the time at which its score changes by itself. Here
marked leads are claimed and moved as far along as the facts allow. A nudge from intake only makes it sooner:
whatever is lost or killed, the mark stays, and the sweep finds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, transaction
from django.db.models import F, OuterRef, Subquery

from common.errors import DomainError
from handoffs.models import Handoff
from handoffs.recycle_contract import look_after_cool_off, may_become_mql_again
from handoffs.services import hand_off
from handoffs.showing_up import release_who_shows_up
from leads.models import Lead, LeadQuerySet
from leads.services import mark_lead_changed
from scoring.lifecycle.release import kept_for_release
from scoring.models import LeadScore
from scoring.models.scores import ENTRY_STAGES
from scoring.services import score_lead, score_leads, score_newcomer

log = structlog.get_logger(__name__)

# A lead that fails so often is parked with the error, and a person is needed.
MAX_ATTEMPTS = 5
# How long a claim lasts: nobody else looks at the lead, and after a crash it is due again.
CLAIM = timedelta(minutes=1)


# --- One lead -----------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def advance_lead(lead_id: int, *, now: datetime) -> None:
    """Move one lead as far along as the facts allow. Safe to repeat, and to run many times at once."""
    lead = (
        Lead.objects.filter(pk=lead_id).select_for_update(skip_locked=True, of=("self",), no_key=True).first()
    )
    if lead is None:
        return  # somebody has it in hand; its mark stays
    advance_locked(lead, now=now)


def advance_locked(lead: Lead, *, now: datetime) -> LeadScore | None:
    """Move a lead, whose lock the caller holds, as far along as the facts allow; its score, if any."""
    score = score_lead(lead, now=now)
    release_who_shows_up([lead], now=now)
    _move_on(lead, score, now=now)
    _look_again([lead.pk], at=score.next_change_at if score else None)
    look_after_cool_off([lead], now=now)
    return score


def advance_newcomer(lead: Lead, *, now: datetime) -> LeadScore | None:
    """advance_locked for a lead that this transaction inserted, without a mark: most need none."""
    score = score_newcomer(lead, now=now)
    _move_on(lead, score, now=now)
    if score and score.next_change_at:
        _look_again([lead.pk], at=score.next_change_at)
    return score


def _move_on(lead: Lead, score: LeadScore | None, *, now: datetime) -> None:
    if score and is_due_for_sales(lead, score, now=now) and not kept_for_release([lead.pk]):
        hand_off(lead, score, trigger=_trigger(score), now=now)


def is_due_for_sales(lead: Lead, score: LeadScore, *, now: datetime) -> bool:
    """Whether the lead becomes an MQL now (SCORE-6): once, then only by the recycle contract (FEED-2).

    One that qualifies only because the rules changed waits for marketing besides
    (`scoring.lifecycle.release`).
    """
    return (
        score.qualifies
        and lead.stage in ENTRY_STAGES
        and lead.hold == Lead.Hold.NONE
        and not Handoff.objects.open().filter(lead=lead).exists()
        and may_become_mql_again(lead, now=now)
    )


def _trigger(score: LeadScore) -> Handoff.Trigger:
    return Handoff.Trigger.INSTANT if score.is_instant_mql else Handoff.Trigger.THRESHOLD


def _look_again(lead_ids: Iterable[int], *, at: datetime | Subquery | None) -> None:
    Lead.objects.filter(pk__in=lead_ids).update(
        advance_at=at, advance_attempts=0, advance_error="", advance_parked_at=None
    )


def advance_claimed_lead(lead_id: int, *, now: datetime) -> bool:
    """Claim one due lead and advance it; False when nothing was due. Failures are kept on the row."""
    due = Lead.objects.due(now).filter(pk=lead_id)
    if not _claim(due, limit=1, now=now):
        return False
    try:
        advance_lead(lead_id, now=now)
    except Exception as error:
        log.exception("lead_not_advanced", lead_id=lead_id, error=type(error).__name__)
        _keep_error(lead_id, error)
    return True


# --- The sweep ----------------------------------------------------------------------------------


def advance_due_leads(*, now: datetime, limit: int = 500) -> int:
    """Advance up to `limit` due leads and say how many were taken. Several sweeps share the work.

    Leads never tried before go in one batch. One that was in a batch that failed goes alone, so that a
    poisoned lead neither stops the others nor is tried for ever.
    """
    park_poisoned_leads(now=now)
    fresh = _claim(Lead.objects.due(now).filter(advance_attempts=0), limit=limit, now=now)
    if fresh:
        _advance_batch(fresh, now=now)
    suspects = Lead.objects.due(now).filter(advance_attempts__gt=0).order_by("advance_at")
    taken = len(fresh)
    for lead_id in list(suspects.values_list("pk", flat=True)[: max(0, limit - taken)]):
        taken += advance_claimed_lead(lead_id, now=now)
    return taken


def park_poisoned_leads(*, now: datetime) -> int:
    """Set leads aside that failed too often, with the reason in words. A changed fact tries them again."""
    poisoned = Lead.objects.due(now).filter(advance_attempts__gte=MAX_ATTEMPTS)
    died = poisoned.filter(advance_error="")
    died.update(advance_error="The worker stopped each time this lead was looked at.")
    parked = poisoned.update(advance_parked_at=now)
    if parked:
        log.warning("leads_parked", count=parked)
    return parked


def retry_parked_leads(*, now: datetime) -> int:
    """Give all parked leads another chance, after the cause was repaired; say how many there were."""
    parked = Lead.objects.filter(advance_parked_at__isnull=False).order_by("pk")
    lead_ids = list(parked.values_list("pk", flat=True))
    for lead_id in lead_ids:
        with transaction.atomic():
            mark_lead_changed(Lead.objects.lock(lead_id), now=now)
    return len(lead_ids)


def _advance_batch(lead_ids: Sequence[int], *, now: datetime) -> None:
    """Score many leads with one statement; those due for sales are handed off one by one."""
    try:
        due_for_sales = _score_batch(lead_ids, now=now)
    except (DomainError, DatabaseError) as error:
        log.exception("batch_not_advanced", leads=len(lead_ids), error=type(error).__name__)
        due_for_sales = lead_ids
    for lead_id in due_for_sales:
        try:
            advance_lead(lead_id, now=now)
        except Exception as error:
            log.exception("lead_not_advanced", lead_id=lead_id, error=type(error).__name__)
            _keep_error(lead_id, error)


@transaction.atomic(durable=True)
def _score_batch(lead_ids: Sequence[int], *, now: datetime) -> Sequence[int]:
    """Score the leads nobody else holds; return those that are due for sales, and settle the others."""
    leads = list(
        Lead.objects.filter(pk__in=lead_ids)
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("pk")
    )
    held = {lead.pk for lead in leads}
    score_leads(sorted(held), now=now)
    release_who_shows_up(leads, now=now)
    scores = LeadScore.objects.in_bulk(held)
    due = [
        lead.pk for lead in leads if lead.pk in scores and is_due_for_sales(lead, scores[lead.pk], now=now)
    ]
    kept = kept_for_release(due)
    due = [lead_id for lead_id in due if lead_id not in kept]
    next_change = LeadScore.objects.filter(lead=OuterRef("pk")).values("next_change_at")
    _look_again(held.difference(due), at=Subquery(next_change))
    look_after_cool_off((lead for lead in leads if lead.pk not in due), now=now)
    return due


# --- Claims -------------------------------------------------------------------------------------


@transaction.atomic(durable=True)
def _claim(due: LeadQuerySet, *, limit: int, now: datetime) -> list[int]:
    """Take due leads for a minute. The attempt is counted before it begins, so a killed worker counts too."""
    free = due.select_for_update(skip_locked=True, of=("self",), no_key=True).order_by("advance_at")
    lead_ids = list(free.values_list("pk", flat=True)[:limit])
    Lead.objects.filter(pk__in=lead_ids).update(
        advance_at=now + CLAIM, advance_attempts=F("advance_attempts") + 1
    )
    return lead_ids


def _keep_error(lead_id: int, error: Exception) -> None:
    # A refusal of the domain is written for people; any other message may hold values, so its kind must do.
    words = str(error) if isinstance(error, DomainError) else f"{type(error).__name__}"
    Lead.objects.filter(pk=lead_id).update(advance_error=words[:500])
