"""A fact of a company is a fact about all who work there: its leads are told, a few at a time.

Company.spread_at is the mark. Not done where the fact comes in: that would lock hundreds of leads at once.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from common.parking import begin_attempt, forget_failure, keep_failure
from leads.models import Company, Lead
from leads.services import mark_lead_changed, release_lead

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
            for lead in leads:
                if lead.hold == Lead.Hold.UNTIL_FIT_CHANGES:
                    release_lead(lead, at=now, nudge=False)
                else:
                    mark_lead_changed(lead, now=now, nudge=False)
        told += len(leads)
        if len(leads) < CHUNK:
            return told
        last = leads[-1].pk
