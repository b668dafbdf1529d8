"""The context package: all a rep needs for the first call, read in under two minutes (HAND-5).

Built from live facts once, then frozen with a hash of its canonical JSON: what the rep saw when deciding
is kept, whatever the lead does afterwards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from handoffs.models import ContextPackage, Handoff, PackageStandard, Playbook
from handoffs.playbooks import Play, Situation, recommend_first_contact
from leads.models import Activity, Lead
from scoring.language.explanation import Explanation, LedgerLine
from scoring.models import LeadScore, Signal, SignalHit

TIMELINE_LENGTH = 25  # more than that is not read in two minutes
DRIVERS = 3  # as many as fit under a name in the queue
DETAIL_LENGTH = 120

# Which property of an event tells most about it, best first.
_TELLING = ("title", "subject", "form", "path", "url", "name")

# What a package may be required to hold, and where the content has it.
FACTS: Mapping[str, tuple[str, str]] = {
    "name": ("contact", "name"),
    "title": ("contact", "title"),
    "email": ("contact", "email"),
    "phone": ("contact", "phone"),
    "country": ("contact", "country"),
    "company": ("company", "name"),
    "company_size": ("company", "employee_count"),
    "industry": ("company", "industry"),
    "budget": ("answers", "budget"),
    "timeline": ("answers", "timeline"),
    "current_solution": ("answers", "current_solution"),
    "pain_point": ("answers", "pain_point"),
    "source": ("source", "source"),
    "campaign": ("source", "campaign"),
}

Content = dict[str, Any]


def build_content(lead: Lead, score: LeadScore, explanation: Explanation, *, now: datetime) -> Content:
    """Gather the package from what is known now. Reads only; times are ISO 8601 in UTC."""
    lines = [_line(line) for line in explanation.lines]
    activities = list(Activity.objects.filter(lead=lead).order_by("-occurred_at", "-id")[:TIMELINE_LENGTH])
    return {
        "contact": _contact(lead),
        "company": _company(lead),
        "answers": {
            "budget": lead.budget,
            "timeline": lead.timeline,
            "current_solution": lead.current_solution,
            "pain_point": lead.pain_point,
        },
        "source": {"source": lead.source, "campaign": lead.campaign},
        "score": {
            "total": score.total,
            "fit": score.fit,
            "engagement": score.engagement,
            "category": score.category,
            "warmth": score.warmth,
            "lines": lines,
        },
        "timeline": [_moment(activity) for activity in activities],
        "previous": [_previous(handoff) for handoff in _earlier_handoffs(lead)],
        "urgency": list(_urgency(lead, score, activities, now=now)),
        "first_contact": _first_contact(lead, score),
    }


def top_drivers(explanation: Explanation) -> list[Content]:
    """What drove the score most, for one line in the queue."""
    return [
        {"name": line.rule, "points": line.points, "count": line.count, "last_at": _iso(line.last_at)}
        for line in explanation.drivers[:DRIVERS]
    ]


def freeze_package(handoff: Handoff, content: Content, *, now: datetime) -> ContextPackage:
    """Store the package for good: a trigger refuses to change or delete it."""
    completeness, missing = measure_completeness(content)
    return ContextPackage.objects.create(
        handoff=handoff,
        content=content,
        content_hash=hash_content(content),
        completeness=completeness,
        missing=missing,
        frozen_at=now,
    )


def hash_content(content: Content) -> str:
    """SHA-256 of the canonical JSON: keys in order, no spaces, UTF-8."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def measure_completeness(content: Content) -> tuple[int, list[str]]:
    """Per cent of the required facts that are known, and the names of those that are not."""
    standard = PackageStandard.objects.first()
    required = [name for name in standard.requires if name in FACTS] if standard else []
    missing = [name for name in required if not _has(content, name)]
    if not required:
        return 100, []
    return 100 * (len(required) - len(missing)) // len(required), missing


def _has(content: Content, name: str) -> bool:
    section, key = FACTS[name]
    return content[section][key] not in ("", None)


def _contact(lead: Lead) -> Content:
    return {
        "name": lead.name,
        "title": lead.title,
        "email": lead.email,
        "phone": lead.phone,
        "country": lead.country,
        "website": lead.website,
    }


def _company(lead: Lead) -> Content:
    company = lead.company
    return {
        "name": company.name if company else "",
        "domain": company.domain if company else "",
        "employee_count": company.employee_count if company else None,
        "industry": company.industry if company else "",
        "technologies": company.technologies if company else "",
        "growth_signals": company.growth_signals if company else "",
        "country": company.country if company else "",
    }


def _line(line: LedgerLine) -> Content:
    return {
        "name": line.rule,
        "sentence": line.sentence,
        "kind": line.kind,
        "points": line.points,
        "count": line.count,
        "first_at": _iso(line.first_at),
        "last_at": _iso(line.last_at),
    }


def _moment(activity: Activity) -> Content:
    texts = (activity.properties.get(key) for key in _TELLING)
    detail = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    return {
        "at": _iso(activity.occurred_at),
        "event": activity.event,
        "detail": detail.strip()[:DETAIL_LENGTH],
    }


def _earlier_handoffs(lead: Lead) -> Iterable[Handoff]:
    return Handoff.objects.filter(lead=lead).select_related("owner").order_by("-created_at", "-id")


def _previous(handoff: Handoff) -> Content:
    return {
        "handoff_id": handoff.pk,
        "at": _iso(handoff.created_at),
        "outcome": handoff.get_status_display(),
        "reason": handoff.rejection_code.replace("-", " ").capitalize() or handoff.closing_note,
        "owner": str(handoff.owner) if handoff.owner else "",
    }


def _urgency(lead: Lead, score: LeadScore, activities: list[Activity], *, now: datetime) -> Iterable[str]:
    if score.is_instant_mql:
        yield "Asked to be contacted"
    if score.warmth == LeadScore.Warmth.RETURNING:
        yield "Came back after an earlier handoff"
    recent = sum(1 for activity in activities if activity.occurred_at > now - timedelta(days=1))
    if recent > 1:
        # The list of activities is cut, so a full list only says "at least".
        number = f"At least {recent}" if recent == TIMELINE_LENGTH else str(recent)
        yield f"{number} activities within the last 24 hours"
    if lead.timeline:
        yield f"Timeline named: {lead.timeline}"


def _first_contact(lead: Lead, score: LeadScore) -> Content | None:
    plays = [
        Play(
            name=playbook.name,
            channel=playbook.get_channel_display(),
            timing=playbook.timing,
            opening_line=playbook.opening_line,
            next_step=playbook.next_step,
            signal_keys=playbook.signal_keys,
            categories=playbook.categories,
            topics=playbook.topics,
            objections=playbook.objections,
        )
        for playbook in Playbook.objects.filter(is_active=True)
    ]
    situation = Situation(
        signal_keys=set(_signal_keys(lead)),
        category=score.category,
        first_name=lead.first_name,
        company=lead.company.name if lead.company else "",
        title=lead.title,
    )
    first_contact = recommend_first_contact(plays, situation)
    # Through JSON, so that what is hashed is what is stored: tuples become lists.
    return json.loads(json.dumps(asdict(first_contact))) if first_contact else None


def _signal_keys(lead: Lead) -> Iterable[str]:
    hits = SignalHit.objects.filter(lead=lead).values("signal")
    return Signal.objects.filter(pk__in=hits).values_list("key", flat=True)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
