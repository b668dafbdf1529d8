"""Reads what Salesforce shall know about leads and their handoffs: rows in, the mapping's plain facts out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from crm.mapping import HandoffFacts, LeadFacts, ScoreFacts
from crm.models import OwnerMapping, StatusMapping
from feedback.models import Verdict
from handoffs.models import Attempt, ContextPackage, Handoff
from leads.models import Lead
from scoring.models import LeadScore
from sla.models import Clock


@dataclass(frozen=True)
class LeadRecord:
    """A lead at one revision, and all of its handoffs, the oldest first, by their primary key."""

    revision: int
    facts: LeadFacts
    handoffs: Mapping[int, HandoffFacts]


@dataclass(frozen=True)
class _Deadlines:
    next_due_at: datetime | None
    is_breached: bool
    """Something was missed."""
    is_overdue: bool
    """Of that, something is still not done."""


def read_records(lead_ids: Collection[int]) -> dict[int, LeadRecord]:
    """The records of these leads by id, in a fixed number of queries.

    Revisions are read first: whatever changes afterwards raises them, so what is read here is never older
    than its revision says.
    """
    leads = Lead.objects.select_related("company").in_bulk(lead_ids)
    owners = dict(OwnerMapping.objects.values_list("user_id", "salesforce_user_id"))
    scores = LeadScore.objects.in_bulk(lead_ids)
    handoffs = _read_handoffs(lead_ids, owners)
    return {
        lead_id: _record(lead, scores.get(lead_id), handoffs[lead_id], owners)
        for lead_id, lead in leads.items()
    }


def status_of_stage() -> dict[str, str]:
    """The Lead Status that each mapped stage stands for."""
    return dict(StatusMapping.objects.values_list("stage", "status"))


def _record(
    lead: Lead,
    score: LeadScore | None,
    handoffs: Mapping[int, HandoffFacts],
    owners: Mapping[int, str],
) -> LeadRecord:
    company = lead.company
    latest = handoffs[max(handoffs)] if handoffs else None
    facts = LeadFacts(
        public_id=str(lead.public_id),
        stage=lead.stage,
        url=_portal_url("leads:detail", lead.pk),
        email=lead.email,
        first_name=lead.first_name,
        last_name=lead.last_name,
        title=lead.title,
        phone=lead.phone,
        website=lead.website,
        country=lead.country or (company.country if company else ""),
        language=lead.language,
        company=company.name if company else "",
        industry=company.industry if company else "",
        employee_count=company.employee_count if company else None,
        source=lead.source,
        campaign=lead.campaign,
        product_line=lead.product_line,
        deal_size=lead.deal_size,
        budget=lead.budget,
        timeline=lead.timeline,
        current_solution=lead.current_solution,
        pain_point=lead.pain_point,
        consent_at=lead.consent_at,
        unsubscribed_at=lead.unsubscribed_at,
        owner_salesforce_id=owners.get(lead.owner_id, "") if lead.owner_id else "",
        score=_score(score) if score else None,
        handoff=latest,
    )
    return LeadRecord(lead.revision, facts, handoffs)


def _score(score: LeadScore) -> ScoreFacts:
    return ScoreFacts(score.total, score.fit, score.engagement, score.category, score.warmth)


def _read_handoffs(
    lead_ids: Collection[int], owners: Mapping[int, str]
) -> defaultdict[int, dict[int, HandoffFacts]]:
    handoffs = Handoff.objects.filter(lead__in=lead_ids).select_related("owner").order_by("pk")
    by_id = {handoff.pk: handoff for handoff in handoffs}
    packages = ContextPackage.objects.in_bulk(by_id)
    reasons = dict(
        Verdict.objects.standing().filter(handoff__in=by_id).values_list("handoff_id", "reason__label")
    )
    deadlines = _read_deadlines(by_id)
    attempts = Counter(Attempt.objects.filter(handoff__in=by_id).values_list("handoff_id", flat=True))
    read: defaultdict[int, dict[int, HandoffFacts]] = defaultdict(dict)
    for pk, handoff in by_id.items():
        package = packages.get(pk)
        read[handoff.lead_id][pk] = HandoffFacts(
            public_id=str(handoff.public_id),
            status=handoff.status,
            category=handoff.category,
            url=_portal_url("handoffs:detail", pk),
            created_at=handoff.created_at,
            accepted_at=handoff.accepted_at,
            closed_at=handoff.closed_at,
            first_contact_at=handoff.first_contact_at,
            attempts=attempts[pk],
            rejection_reason=reasons.get(pk, ""),
            due_at=deadlines[pk].next_due_at,
            is_breached=deadlines[pk].is_breached,
            is_flagged=handoff.flagged_at is not None and deadlines[pk].is_overdue,
            owner_salesforce_id=owners.get(handoff.owner_id, "") if handoff.owner_id else "",
            owner_time_zone=handoff.owner.time_zone if handoff.owner else "UTC",
            package=package.content if package else {},
        )
    return read


def _read_deadlines(handoff_ids: Collection[int]) -> defaultdict[int, _Deadlines]:
    found: defaultdict[int, _Deadlines] = defaultdict(
        lambda: _Deadlines(None, is_breached=False, is_overdue=False)
    )
    # The transfer to Salesforce is our own deadline: it would be over as soon as it was told.
    clocks = Clock.objects.kept_by_reps().filter(handoff_id__in=handoff_ids).order_by("due_at")
    for clock in clocks:
        so_far = found[clock.handoff_id]
        is_running = clock.outcome == Clock.Outcome.RUNNING
        was_missed = clock.breach_recorded_at is not None
        found[clock.handoff_id] = _Deadlines(
            so_far.next_due_at or (clock.due_at if is_running else None),
            so_far.is_breached or was_missed,
            so_far.is_overdue or (is_running and was_missed),
        )
    return found


def _portal_url(name: str, pk: int) -> str:
    return f"{settings.PORTAL_URL}{reverse(name, args=[pk])}"
