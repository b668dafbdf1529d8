"""An org whose calls are spent for an hour, and then are not (CRM-4): everything arrives, handoffs first."""

from __future__ import annotations

from typing import Any

import pytest

from crm.models import Connection, LeadSync, TaskSync
from crm.standin.schema import LEAD, TASK
from crm.standin.server import StandIn
from crm.tasks import pull_changes_task, push_stale_leads_task
from leads.models import Lead
from leads.services import correct_lead
from tests.crm.conftest import CLIENT_ID, CLIENT_SECRET, StoppedClock
from tests.factories import CompanyFactory, HandoffFactory, LeadFactory

pytestmark = pytest.mark.django_db

CALLS_A_DAY = 15_000


@pytest.fixture(autouse=True)
def _connected(settings: Any, standin: StandIn) -> None:
    settings.SALESFORCE_URL = standin.base_url
    settings.SALESFORCE_CLIENT_ID, settings.SALESFORCE_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    Connection.objects.create(daily_share=100)


def make_leads(count: int) -> list[Lead]:
    company = CompanyFactory()
    return Lead.objects.bulk_create(LeadFactory.build(company=company) for _ in range(count))


def hand_off(leads: list[Lead]) -> None:
    for lead in leads:
        Lead.objects.filter(pk=lead.pk).update(stage=Lead.Stage.MQL, revision=2)
        HandoffFactory(lead=lead)


def work(clock: StoppedClock, *, minutes: int, every: int = 60) -> None:
    """What the scheduler does meanwhile, every so many seconds."""
    for _ in range(minutes * 60 // every):
        clock.forward(seconds=every)
        push_stale_leads_task(clock)
        pull_changes_task(clock)


def test_without_calls_for_an_hour_everything_waits_and_then_arrives(
    standin: StandIn, clock: StoppedClock
) -> None:
    known, late = make_leads(30), make_leads(10)
    work(clock, minutes=2)
    standin.usage.daily_limit = standin.usage.used
    answered = standin.usage.used

    correct_lead(known[0], changes={"title": "CEO"}, by=None, at=clock(), via="test")
    work(clock, minutes=30)
    hand_off(late)
    new = make_leads(20)
    work(clock, minutes=30)

    waiting = LeadSync.objects.stale()
    assert waiting.count() == 1 + len(late) + len(new)
    assert not LeadSync.objects.parked().exists()
    assert not waiting.filter(attempts__gt=0).exists(), "Nobody is to blame: it counts as no try."
    # One probe of each quarter of an hour, and no more: refused calls are calls, too.
    refused = [call for call in standin.traffic.newest_first() if call.status == 403]
    assert 3 <= len(refused) <= 6
    assert standin.usage.used == answered

    standin.usage.daily_limit = CALLS_A_DAY
    work(clock, minutes=31)

    assert not LeadSync.objects.stale().exists()
    assert len(standin.store.all(LEAD.name)) == Lead.objects.count()
    assert len(standin.store.all(TASK.name)) == TaskSync.objects.count() == len(late)
    [corrected] = standin.store.find(LEAD.name, "Portal_Lead_Id__c", str(known[0].public_id))
    assert corrected["Title"] == "CEO"


def test_handoffs_go_first_with_the_few_calls_that_are_left(standin: StandIn, clock: StoppedClock) -> None:
    """Of a share that is all but spent the end is kept for them."""
    others = make_leads(250)
    late = make_leads(10)
    hand_off(late)
    Connection.objects.update(kept_for_handoffs=20)
    # Spent but for three calls of ours; the answer to the first one says so.
    standin.usage.daily_limit = 100
    standin.usage.spend(95)
    standin.usage.used_by_app = 95

    push_stale_leads_task(clock)

    arrived = LeadSync.objects.exclude(salesforce_id="")
    assert set(arrived.values_list("pk", flat=True)) >= {lead.pk for lead in late}
    assert TaskSync.objects.count() == len(late)
    work(clock, minutes=60, every=300)
    assert LeadSync.objects.stale().filter(lead__in=[lead.pk for lead in others]).exists()

    standin.usage.begin_day()
    standin.usage.daily_limit = CALLS_A_DAY
    work(clock, minutes=70, every=300)
    assert not LeadSync.objects.stale().exists()
    assert len(standin.store.all(LEAD.name)) == Lead.objects.count()
