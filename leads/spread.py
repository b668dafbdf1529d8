"""A fact of a company is a fact about all who work there: its leads are told, a few at a time.

Company.spread_at is the mark. Not done where the fact comes in: that would lock hundreds of leads at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from common.parking import begin_attempt, forget_failure, keep_failure
from leads.models import AttributeChange, Company, Lead
from leads.services import mark_facts_changed

CHUNK = 200


def spread_company_changes(*, now: datetime) -> int:
    """Mark the leads of every company with news; answer how many. Safe to repeat and to run twice at once.

    A company whose leads cannot be told keeps back no other, and is parked after some tries.
    """
    told = 0
    due = Company.objects.due_to_spread(now).order_by("spread_at")
    for company_id, spread_at in list(due.values_list("pk", "spread_at")):
        company = Company.objects.filter(pk=company_id)
        if not begin_attempt(company, now=now):
            continue
        try:
            told += _tell_leads(company_id, now=now)
        except Exception as error:
            keep_failure(company, error)
            continue
        forget_failure(company)
        # News that came meanwhile has another time, and stays to be told.
        company.filter(spread_at=spread_at).update(spread_at=None)
    return told


def _tell_leads(company_id: int, *, now: datetime) -> int:
    told, last = 0, 0
    while True:
        with transaction.atomic():
            leads = list(
                Lead.objects.filter(company=company_id, pk__gt=last)
                .select_for_update(of=("self",), no_key=True)
                .order_by("id")[:CHUNK]
            )
            # Whoever is told of a lead is told of its company, too: Salesforce goes by the revision.
            Lead.objects.filter(pk__in=[lead.pk for lead in leads]).update(revision=F("revision") + 1)
            news = _news_since_return(company_id, leads)
            for lead in leads:
                mark_facts_changed(lead, fields=news.get(lead.pk, []), at=now, nudge=False)
        told += len(leads)
        if len(leads) < CHUNK:
            return told
        last = leads[-1].pk


def _news_since_return(company_id: int, leads: Sequence[Lead]) -> dict[int, list[str]]:
    """What changed of the company since each of its leads was returned that waits for a change of its fit:
    what was known before is no news to sales (FEED-2)."""
    returned = {
        lead.pk: lead.recycled_at
        for lead in leads
        if lead.hold == Lead.Hold.UNTIL_FIT_CHANGES and lead.recycled_at
    }
    if not returned:
        return {}
    changes = AttributeChange.objects.filter(company=company_id, changed_at__gte=min(returned.values()))
    dated = list(changes.values_list("field", "changed_at"))
    return {
        lead_id: [f"company.{field}" for field, changed_at in dated if changed_at >= since]
        for lead_id, since in returned.items()
    }
