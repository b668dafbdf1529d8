"""Eight thousand real leads of a marketplace and the 842 deals won from them.

The files are not ours to copy: they are read from OLIST_DIR, by default ../shared/data/olist beside the
project, and without them this is skipped. Every lead is imported; an eighth of the won ones and a fiftieth of
the others are handed off. OLIST_ROUTE_ALL=1 hands off all of them, which takes a quarter of an hour.
"""

from __future__ import annotations

import csv
import logging
import os
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count, Q

from accounts.models import User
from handoffs.contact.opportunities import open_opportunity, win_opportunity
from handoffs.contact.services import BantAnswers, qualify_handoff
from handoffs.models import Handoff
from handoffs.pipeline import advance_due_leads
from handoffs.services import accept_handoff
from leads.facts import ActivityFacts
from leads.intake import record_activities
from leads.models import Lead, LeadEvent
from protocol.services import load_preset
from sla.models import Clock
from tests.factories import UserFactory

OLIST = Path(os.environ.get("OLIST_DIR") or settings.BASE_DIR.parent / "shared" / "data" / "olist")
LEADS, DEALS = OLIST / "olist_marketing_qualified_leads_dataset.csv", OLIST / "olist_closed_deals_dataset.csv"
ROUTE_ALL = bool(os.environ.get("OLIST_ROUTE_ALL"))

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(1_800 if ROUTE_ALL else 900),
    pytest.mark.skipif(
        not (LEADS.exists() and DEALS.exists()),
        reason="The Olist data is not on this machine: set OLIST_DIR to the folder with its two CSV files.",
    ),
]

# From the README of the data: leads and won by origin; "" is a blank origin.
FUNNEL = {
    "organic_search": (2_296, 271),
    "paid_search": (1_586, 195),
    "social": (1_350, 75),
    "unknown": (1_099, 179),
    "direct_traffic": (499, 56),
    "email": (493, 15),
    "referral": (284, 24),
    "other": (150, 4),
    "display": (118, 6),
    "other_publicities": (65, 3),
    "": (60, 14),
}
MAPPING = [
    "external_id=mql_id",
    "source=origin",
    "campaign=landing_page_id",
    "created_at=first_contact_date",
]
BEFORE = datetime(2017, 6, 1, tzinfo=UTC)
YES = BantAnswers(budget="yes", authority="yes", need="yes", timeline="yes")
BATCH = 1_000


def test_the_real_leads_come_in_once_are_shared_out_and_make_the_published_funnel(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)  # pytest would keep tens of thousands of lines in memory
    reps = [
        UserFactory(first_name=name, role=User.Role.BDR) for name in ("Ada", "Bia", "Caio", "Davi", "Enzo")
    ]
    load_preset("marketplace", by=None, now=BEFORE)

    first, second = import_leads(), import_leads()

    assert first.startswith("8000 rows: 8000 created, 0 changed, 0 known already, 0 in quarantine.")
    assert second.startswith("8000 rows: 0 created, 0 changed, 8000 known already, 0 in quarantine.")
    assert Lead.objects.count() == 8_000
    assert not LeadEvent.objects.exclude(kind=LeadEvent.Kind.CREATED).exists()

    deals = read_deals()
    assert funnel_by_origin(won=set(deals)) == FUNNEL
    worked = choose_worked(set(deals))
    won_at = {lead.external_id: deals[lead.external_id] for lead in worked if lead.external_id in deals}
    fill_in_landing_pages(worked)
    hand_off_week_by_week()

    handoffs = Handoff.objects.select_related("owner")
    shares = Counter(handoffs.values_list("owner", flat=True))
    assert sum(shares.values()) == len(worked)
    assert set(shares) == {rep.pk for rep in reps}
    assert max(shares.values()) - min(shares.values()) <= 1  # HAND-3: fair, whatever the numbers

    for handoff in handoffs.filter(lead__external_id__in=won_at).select_related("lead"):
        win(handoff, at=max(won_at[handoff.lead.external_id], handoff.created_at + timedelta(hours=2)))

    customers = Lead.objects.filter(stage=Lead.Stage.CUSTOMER).values_list("external_id", flat=True)
    assert set(customers) == set(won_at)
    assert len(won_at) == 842 if ROUTE_ALL else len(won_at) > 100
    closed = Handoff.objects.filter(status=Handoff.Status.WON).values("pk")
    assert not Clock.objects.running().filter(handoff_id__in=closed).exists()


def import_leads() -> str:
    """Run the import as an operator would; what it said in the end."""
    said = StringIO()
    call_command("import_leads", str(LEADS), "--map", *MAPPING, "--set", "source_system=olist", stdout=said)
    return said.getvalue().splitlines()[-1].split("\r")[-1].strip()


def read_deals() -> dict[str, datetime]:
    """When each won lead was won, by its id."""
    with DEALS.open(newline="") as file:
        return {
            row["mql_id"]: datetime.fromisoformat(row["won_date"]).replace(tzinfo=UTC)
            for row in csv.DictReader(file)
        }


def choose_worked(won: set[str]) -> list[Lead]:
    """Some of the won leads and some of the others, or all: as good as random by id, always the same."""
    leads = Lead.objects.order_by("external_id")
    those_won, others = leads.filter(external_id__in=won), leads.exclude(external_id__in=won)
    return [*those_won, *others] if ROUTE_ALL else [*those_won[::8], *others[::50]]


def fill_in_landing_pages(leads: list[Lead]) -> None:
    """What made each of them an MQL there: a filled-in landing page on the day of first contact."""
    for start in range(0, len(leads), BATCH):
        items = [
            (
                lead,
                ActivityFacts(
                    event="Landing Page Submitted",
                    occurred_at=lead.created_at,
                    message_id=f"olist {lead.external_id}",
                    properties={"landing_page": lead.campaign},
                ),
            )
            for lead in leads[start : start + BATCH]
        ]
        record_activities(items, via="import", now=BEFORE, nudge=False)
    # The import marked them as news of today; here each is news of its own day.
    for lead in leads:
        lead.advance_at = lead.created_at
    Lead.objects.update(advance_at=None)
    Lead.objects.bulk_update(leads, ["advance_at"], batch_size=BATCH)


def hand_off_week_by_week() -> None:
    """A sweep at the end of each week takes the leads of that week."""
    mondays = Lead.objects.filter(advance_at__isnull=False).dates("advance_at", "week")
    for monday in list(mondays):
        sunday = datetime.combine(monday + timedelta(days=6), time(18), tzinfo=UTC)
        while advance_due_leads(now=sunday):
            pass


def win(handoff: Handoff, *, at: datetime) -> None:
    """The shortest way to a deal that the protocol knows: accepted, qualified, an opportunity, won."""
    rep, talked_at = handoff.owner, handoff.created_at + timedelta(hours=1)
    assert rep is not None
    accept_handoff(handoff, by=rep, now=talked_at)
    qualify_handoff(handoff, answers=YES, by=rep, now=talked_at)
    open_opportunity(handoff, by=rep, now=talked_at)
    win_opportunity(handoff, by=rep, now=at)


def funnel_by_origin(*, won: set[str]) -> dict[str, tuple[int, int]]:
    """Leads by origin as the portal has them, and how many of them are among the deals."""
    rows = Lead.objects.values("source").annotate(
        leads=Count("pk"), won=Count("pk", filter=Q(external_id__in=won))
    )
    return {row["source"]: (row["leads"], row["won"]) for row in rows}
