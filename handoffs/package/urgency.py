"""Why now, in sentences of a few words (HAND-5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from handoffs.package.engagement import LOOKED_AT, Deed
from leads.models import Lead
from scoring.models import LeadScore

JUST_NOW = timedelta(days=1)
LATELY = timedelta(days=7)


def urgency_of(
    lead: Lead, score: LeadScore, deeds: Sequence[Deed], *, returns: bool, now: datetime
) -> Iterator[str]:
    """What speaks for calling today, the strongest first. `deeds` are the latest, at most LOOKED_AT."""
    if score.is_instant_mql:
        yield "Asked to be contacted"
    if returns or score.warmth == LeadScore.Warmth.RETURNING:
        yield "Came back after an earlier handoff"
    recent = sum(deed.at > now - JUST_NOW for deed in deeds)
    if recent > 1:
        number = f"At least {recent}" if recent == LOOKED_AT else str(recent)
        yield f"{number} activities within the last 24 hours"
    if lead.timeline:
        yield f"Timeline named: {lead.timeline}"
    if colleagues := _active_colleagues(lead, now=now):
        yield f"{colleagues} {'colleague' if colleagues == 1 else 'colleagues'} active within the last 7 days"
    if lead.company and lead.company.growth_signals:
        yield f"Growth: {lead.company.growth_signals}"


def _active_colleagues(lead: Lead, *, now: datetime) -> int:
    """How many others of the same company did something lately: a purchase is rarely one person's."""
    if lead.company_id is None:
        return 0
    others = Lead.objects.filter(company=lead.company_id).exclude(pk=lead.pk)
    return others.filter(last_activity_at__gt=now - LATELY).count()
