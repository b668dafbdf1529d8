"""Reads what Salesforce shall know about leads and their handoffs: rows in, the mapping's plain facts out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse

from crm.mapping import AttemptFacts, HandoffFacts, LeadFacts, ScoreFacts, attempt_public_id
from crm.models import AttemptSync, Conversion, StatusMapping
from crm.owning import Owners, read_owners
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
    attempts: Mapping[int, AttemptFacts]
    """Those to reach the lead that Salesforce has not confirmed, the oldest first, by their primary key."""
    contact_id: str
    """What a converted lead became there; blank as long as nobody read it."""


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
    scores = LeadScore.objects.in_bulk(lead_ids)
    owners = read_owners()
    by_lead = _read_handoffs(lead_ids)
    facts = _handoff_facts([handoff for handoffs in by_lead.values() for handoff in handoffs], owners)
    attempts = _read_attempts(lead_ids, owners)
    contacts = dict(Conversion.objects.filter(lead__in=lead_ids).values_list("lead_id", "contact_id"))
    records = {}
    for lead_id, lead in leads.items():
        handoffs = by_lead[lead_id]
        own_facts = {handoff.pk: facts[handoff.pk] for handoff in handoffs}
        owner = owners.of_lead(lead.owner_id, handoff=handoffs[-1] if handoffs else None)
        records[lead_id] = LeadRecord(
            lead.revision,
            _lead_facts(lead, scores.get(lead_id), own_facts, owner_id=owner),
            own_facts,
            attempts[lead_id],
            contacts.get(lead_id, ""),
        )
    return records


def status_of_stage() -> dict[str, str]:
    """The Lead Status that each mapped stage stands for."""
    return dict(StatusMapping.objects.values_list("stage", "status"))


def _lead_facts(
    lead: Lead, score: LeadScore | None, handoffs: Mapping[int, HandoffFacts], *, owner_id: str
) -> LeadFacts:
    company = lead.company
    latest = handoffs[max(handoffs)] if handoffs else None
    return LeadFacts(
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
        owner_salesforce_id=owner_id,
        score=_score(score) if score else None,
        handoff=latest,
    )


def _score(score: LeadScore) -> ScoreFacts:
    return ScoreFacts(score.total, score.fit, score.engagement, score.category, score.warmth)


def _read_handoffs(lead_ids: Collection[int]) -> defaultdict[int, list[Handoff]]:
    read = defaultdict(list)
    for handoff in Handoff.objects.filter(lead__in=lead_ids).select_related("owner").order_by("pk"):
        read[handoff.lead_id].append(handoff)
    return read


def _handoff_facts(handoffs: Sequence[Handoff], owners: Owners) -> dict[int, HandoffFacts]:
    by_id = {handoff.pk: handoff for handoff in handoffs}
    packages = ContextPackage.objects.in_bulk(by_id)
    reasons = dict(
        Verdict.objects.standing().filter(handoff__in=by_id).values_list("handoff_id", "reason__label")
    )
    deadlines = _read_deadlines(by_id)
    attempts = Counter(Attempt.objects.filter(handoff__in=by_id).values_list("handoff_id", flat=True))
    facts = {}
    for pk, handoff in by_id.items():
        package = packages.get(pk)
        facts[pk] = HandoffFacts(
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
            owner_salesforce_id=owners.of_task(handoff.owner_id),
            owner_time_zone=handoff.owner.time_zone if handoff.owner else "UTC",
            package=package.content if package else {},
        )
    return facts


def _read_attempts(lead_ids: Collection[int], owners: Owners) -> defaultdict[int, dict[int, AttemptFacts]]:
    is_confirmed = Exists(AttemptSync.objects.filter(attempt=OuterRef("pk")))
    missing = Attempt.objects.filter(~is_confirmed, handoff__lead__in=lead_ids)
    read: defaultdict[int, dict[int, AttemptFacts]] = defaultdict(dict)
    for attempt in missing.select_related("handoff", "by").order_by("pk"):
        read[attempt.handoff.lead_id][attempt.pk] = AttemptFacts(
            public_id=attempt_public_id(attempt.handoff.public_id, attempt.pk),
            channel=attempt.channel,
            channel_label=attempt.get_channel_display(),
            outcome_label=attempt.get_outcome_display(),
            at=attempt.at,
            note=attempt.note,
            owner_salesforce_id=owners.of_task(attempt.by_id),
            owner_time_zone=attempt.by.time_zone,
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
