"""The context package: all a rep needs for the first call, read in under two minutes (HAND-5).

Built from live facts once, then frozen with a hash of its canonical JSON: what the rep saw when deciding
is kept, whatever the lead does afterwards. Who reads one goes through `package_reading`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from handoffs.models import ContextPackage, Handoff, Playbook
from handoffs.package.completeness import fact_labels, measure_completeness
from handoffs.package.engagement import LOOKED_AT, Deed, count_engagement, read_first_touch
from handoffs.package.playbooks import Play, Situation, recommend_first_contact
from handoffs.package.previous import previous_handoffs
from handoffs.package.text import write_text
from handoffs.package.urgency import urgency_of
from leads.models import Activity, Company, Lead
from scoring.language.explanation import CheckItem, Explanation, LedgerLine
from scoring.models import LeadScore, Signal, SignalHit

TIMELINE_LENGTH = 25  # more than that is not read in two minutes
FIRST_LOOKED_AT = 20  # enough to see how the first visit went
DRIVERS = 3  # as many as fit under a name in the queue

Content = dict[str, Any]


# --- Building -----------------------------------------------------------------------------------


def build_content(lead: Lead, score: LeadScore, explanation: Explanation, *, now: datetime) -> Content:
    """Gather the package from what is known now. Reads only; times are ISO 8601 in UTC."""
    deeds = _latest_deeds(lead)
    previous = previous_handoffs(lead)
    returns = any(not handoff["passed_on"] for handoff in previous)
    return {
        "contact": _contact(lead),
        "company": _company(lead.company),
        "answers": _answers(lead),
        "source": {"source": lead.source, "campaign": lead.campaign, **_first_touch(lead, deeds)},
        "score": _score(score, explanation),
        "engagement": _engagement(deeds),
        "timeline": [_moment(deed) for deed in deeds[:TIMELINE_LENGTH]],
        "previous": previous,
        "urgency": list(urgency_of(lead, score, deeds, returns=returns, now=now)),
        "first_contact": _first_contact(lead, score, now=now),
    }


def top_drivers(explanation: Explanation) -> list[Content]:
    """What drove the score most, for one line in the queue."""
    return [
        {"name": line.rule, "points": line.points, "count": line.count, "last_at": _iso(line.last_at)}
        for line in explanation.drivers[:DRIVERS]
    ]


def _contact(lead: Lead) -> Content:
    return {
        # What to call them, which may be an address; and what they are really called.
        "name": lead.name,
        "full_name": f"{lead.first_name} {lead.last_name}".strip(),
        "title": lead.title,
        "email": lead.email,
        "phone": lead.phone,
        "country": lead.country,
        "language": lead.language,
        "website": lead.website,
    }


def _company(company: Company | None) -> Content:
    known = company or Company()
    names = ("name", "domain", "employee_count", "industry", "technologies", "growth_signals", "country")
    return {name: getattr(known, name) for name in names}


def _answers(lead: Lead) -> Content:
    names = ("budget", "timeline", "current_solution", "pain_point", "product_line", "deal_size")
    return {name: getattr(lead, name) for name in names}


def _score(score: LeadScore, explanation: Explanation) -> Content:
    return {
        "total": score.total,
        "fit": score.fit,
        "engagement": score.engagement,
        "category": score.category,
        "warmth": score.warmth,
        "lines": [_line(line) for line in explanation.lines],
        "checklist": [_check(item) for item in explanation.checklist],
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


def _check(item: CheckItem) -> Content:
    return {
        "label": item.label,
        "holds": item.holds,
        # "35 of 20 fit points": the rules that follow the colon are in the lines already.
        "evidence": item.evidence.partition(": ")[0],
        "last_at": _iso(item.last_at),
    }


# --- What they did ------------------------------------------------------------------------------


def _latest_deeds(lead: Lead) -> list[Deed]:
    """What they did last, the latest first."""
    return _deeds(Activity.objects.filter(lead=lead).order_by("-occurred_at", "-id")[:LOOKED_AT])


def _deeds(activities: Iterable[Activity]) -> list[Deed]:
    return [Deed(activity.event, activity.occurred_at, activity.properties) for activity in activities]


def _first_touch(lead: Lead, deeds: Sequence[Deed]) -> Content:
    earliest = deeds[-FIRST_LOOKED_AT:]
    if len(deeds) == LOOKED_AT:
        activities = Activity.objects.filter(lead=lead).order_by("occurred_at", "id")
        earliest = _deeds(activities[:FIRST_LOOKED_AT])
    return asdict(read_first_touch(earliest))


def _engagement(deeds: Sequence[Deed]) -> Content:
    return {
        **count_engagement(deeds),
        "since": _iso(deeds[-1].at) if deeds else None,
        "may_be_more": len(deeds) == LOOKED_AT,
    }


def _moment(deed: Deed) -> Content:
    return {"at": _iso(deed.at), "event": deed.event, "kind": deed.kind.value, "detail": deed.detail}


# --- What to do first ---------------------------------------------------------------------------


def _first_contact(lead: Lead, score: LeadScore, *, now: datetime) -> Content | None:
    company = lead.company
    situation = Situation(
        signal_keys=set(_fresh_signals(lead, score, now=now)),
        category=score.category,
        source=lead.source,
        industry=company.industry if company else "",
        first_name=lead.first_name,
        company=company.name if company else "",
        title=lead.title,
    )
    playbooks = Playbook.objects.filter(is_active=True)
    first_contact = recommend_first_contact(map(_play, playbooks), situation)
    # Through JSON, so that what is hashed is what is stored: tuples become lists.
    return json.loads(json.dumps(asdict(first_contact))) if first_contact else None


def _play(playbook: Playbook) -> Play:
    return Play(
        name=playbook.name,
        channel=playbook.get_channel_display(),
        timing=playbook.timing,
        opening_line=playbook.opening_line,
        next_step=playbook.next_step,
        signal_keys=playbook.signal_keys,
        categories=playbook.categories,
        sources=playbook.sources,
        industries=playbook.industries,
        topics=playbook.topics,
        objections=playbook.objections,
    )


def _fresh_signals(lead: Lead, score: LeadScore, *, now: datetime) -> Iterable[str]:
    """Keys of the signals that still say something: as young as the score wants a clear signal, and shown
    since sales last returned the lead. What somebody asked for a year ago opens no call today."""
    since = now - timedelta(days=score.version.signal_days)
    if lead.recycled_at:
        since = max(since, lead.recycled_at)
    hits = SignalHit.objects.filter(lead=lead, occurred_at__gte=since).values("signal")
    return Signal.objects.filter(pk__in=hits).values_list("key", flat=True)


# --- Freezing -----------------------------------------------------------------------------------


def freeze_package(handoff: Handoff, content: Content, *, now: datetime) -> ContextPackage:
    """Store the package for good: a trigger refuses to change or delete it. One that lacks too much is
    marked, so that marketing gets a task."""
    completeness = measure_completeness(content)
    if completeness.needs_task:
        handoff.incomplete_at = now
        handoff.save(update_fields=["incomplete_at"])
    return ContextPackage.objects.create(
        handoff=handoff,
        content=content,
        content_hash=hash_content(content),
        completeness=completeness.percent,
        missing=completeness.missing,
        frozen_at=now,
    )


def hash_content(content: Content) -> str:
    """SHA-256 of the canonical JSON: keys in order, no spaces, UTF-8."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def is_intact(package: ContextPackage) -> bool:
    """Whether the package is still what was frozen: the proof of what the rep saw when deciding."""
    return hash_content(package.content) == package.content_hash


def package_as_text(package: ContextPackage, *, zone: tzinfo = UTC, limit: int | None = None) -> str:
    """The package in sections of plain text, times in `zone`, cut to `limit` characters."""
    return write_text(package.content, missing=fact_labels(package.missing), zone=zone, limit=limit)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
