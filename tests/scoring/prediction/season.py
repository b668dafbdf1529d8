"""A season of handoffs with known outcomes, straight in the tables: referrals convert, fairs do not,
and the rules know nothing of it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from leads.models import Activity, Company, Lead, LeadEvent
from scoring.matching import match_activities

Kind = LeadEvent.Kind
RATES = {"Referral": 0.9, "Webinar": 0.5, "Fair": 0.1}


def play_season(count: int, *, until: datetime, seed: int = 1) -> list[Lead]:
    """One handoff a day in the end, `count` in all, each decided two days later; the last ten days ago."""
    rng = random.Random(seed)
    start = until - timedelta(days=10, hours=6 * count)
    company = Company.objects.create(
        name="Nordwind", domain="nordwind.example", employee_count=250, industry="Software", created_at=start
    )
    leads = Lead.objects.bulk_create(
        Lead(
            email=f"season{number}@nordwind.example",
            title=rng.choice(["VP Sales", "Sales Manager", "Intern"]),
            country="Germany",
            company=company,
            source=rng.choice(list(RATES)),
            stage=Lead.Stage.MQL,
            created_at=start + timedelta(hours=6 * number - 48),
            unmatched_from=0,
        )
        for number in range(count)
    )
    _act(leads, rng)
    _hand_over(leads, rng)
    return leads


def handed_at(lead: Lead) -> datetime:
    return lead.created_at + timedelta(days=2)


def _act(leads: list[Lead], rng: random.Random) -> None:
    Activity.objects.bulk_create(
        Activity(
            lead=lead,
            event="Page Viewed",
            properties={"path": rng.choice(["/pricing", "/blog/post"])},
            occurred_at=lead.created_at + timedelta(hours=index),
            received_at=lead.created_at + timedelta(hours=index),
            message_id=f"season-{lead.pk}-{index}",
            source="test",
        )
        for lead in leads
        for index in range(rng.randrange(1, 6))
    )
    match_activities([lead.pk for lead in leads])


def _hand_over(leads: list[Lead], rng: random.Random) -> None:
    events = []
    for lead in leads:
        at = handed_at(lead)
        decided = Kind.QUALIFIED if rng.random() < RATES[lead.source] else Kind.REJECTED
        detail = {"reason": "no_fit", "type": "definitional"} if decided == Kind.REJECTED else {}
        events += [
            LeadEvent(
                lead=lead, kind=Kind.HANDED_OFF, at=at, handoff_id=lead.pk, detail={"trigger": "threshold"}
            ),
            LeadEvent(lead=lead, kind=decided, at=at + timedelta(days=2), handoff_id=lead.pk, detail=detail),
        ]
    LeadEvent.objects.bulk_create(events)
