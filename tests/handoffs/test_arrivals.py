"""A lead that is answered at once: recorded and moved along together, and recorded even if moving fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from handoffs.arrivals import take_lead
from handoffs.models import Handoff, Pool, RoutingRule
from handoffs.pipeline import advance_due_leads
from leads.facts import CompanyFacts, LeadFacts
from leads.models import Lead, LeadEvent
from scoring.lifecycle.rescoring import rescore_all
from scoring.models import LeadScore
from tests.desk import ready_lead
from tests.factories import NOON, UserFactory
from tests.scoring.builders import make_signal, publish
from tests.scoring.test_publishing_at_once import wait_until_somebody_is_blocked

ADA = LeadFacts(email="ada@acme.example", title="VP Sales", company=CompanyFacts(name="Acme"))


def test_a_new_lead_is_recorded_logged_and_scored(pool: Pool, manager: User, now: datetime) -> None:
    arrival = take_lead(ADA, via="api", by=manager, now=now)

    lead = Lead.objects.select_related("company", "score").get()
    assert arrival.created
    assert (arrival.lead, arrival.score) == (lead, lead.score)
    assert (lead.company.name, lead.company.domain, lead.revision) == ("Acme", "acme.example", 1)
    assert list(lead.events.values_list("kind", "by", "at", "detail")) == [
        (LeadEvent.Kind.CREATED, manager.pk, now, {"via": "api"})
    ]
    assert {name: getattr(lead.score, name) for name in KEPT} == {
        name: getattr(arrival.score, name) for name in KEPT
    }


KEPT = [field.attname for field in LeadScore._meta.concrete_fields]


def test_the_next_look_at_a_new_lead_is_when_its_score_changes_by_itself(
    pool: Pool, manager: User, now: datetime
) -> None:
    arrival = take_lead(ADA, via="api", by=manager, now=now)

    assert Lead.objects.get().advance_at == arrival.score.next_change_at


def test_a_known_lead_is_merged_and_handed_off_if_it_is_due(pool: Pool, manager: User, now: datetime) -> None:
    lead = ready_lead(now=now, email="ada@acme.example")

    arrival = take_lead(ADA, via="api", by=manager, now=now)

    assert (arrival.created, arrival.is_with_sales) == (False, True)
    assert Handoff.objects.get(lead=lead).owner is not None


def test_what_fails_behind_the_recording_leaves_the_mark_for_the_sweep(
    pool: Pool, manager: User, now: datetime
) -> None:
    lead = ready_lead(now=now, email="ada@acme.example")
    RoutingRule.objects.update(countries=["Nowhere"])

    arrival = take_lead(LeadFacts(email=lead.email, campaign="Spring"), via="api", by=manager, now=now)

    lead.refresh_from_db()
    assert arrival.score is None
    assert (lead.campaign, lead.advance_at) == ("Spring", now)
    RoutingRule.objects.update(countries=[])
    advance_due_leads(now=now)
    assert Handoff.objects.filter(lead=lead).exists()


def test_without_a_model_a_new_lead_waits_for_nothing(manager: User, now: datetime) -> None:
    arrival = take_lead(ADA, via="api", by=manager, now=now)

    assert arrival.score is None
    assert Lead.objects.get().advance_at is None


@pytest.mark.parametrize(
    ("facts", "statements"),
    [
        # begin, look, insert, score, commit
        (LeadFacts(email="bob@acme.example"), 5),
        (LeadFacts(email="bob@other.example", company=CompanyFacts(name="Other", industry="Steel")), 5),
        (LeadFacts(email="bob@acme.example", company=CompanyFacts(name="Acme Inc")), 5),
        # ... and the company's lock, what is kept beside, what is new beside
        (LeadFacts(email="bob@acme.example", company=CompanyFacts(name="Acme AG")), 8),
    ],
    ids=["known company", "new company", "contradicted company", "company contradicted anew"],
)
def test_a_new_lead_takes_few_statements(
    pool: Pool, manager: User, now: datetime, facts: LeadFacts, statements: int
) -> None:
    for name in ("ada", "eve"):
        said = CompanyFacts(name="Acme" if name == "ada" else "Acme Inc")
        take_lead(LeadFacts(email=f"{name}@acme.example", company=said), via="api", by=manager, now=now)

    with CaptureQueriesContext(connection) as queries:
        take_lead(facts, via="api", by=manager, now=now)

    assert len(queries) == statements, [query["sql"][:90] for query in queries]


def test_a_new_lead_is_scored_by_the_version_that_is_active_now(manager: User, now: datetime) -> None:
    demo = {"signal": make_signal("Demo", ["Demo Requested"], intent="high"), "points": 5}
    totals = []
    for points in (20, 30):
        publish(demo, {"attribute": "title", "operator": "is_known", "points": points})
        for name in (f"a{points}", f"b{points}"):
            facts = LeadFacts(email=f"{name}@acme.example", title="VP Sales")
            totals.append(take_lead(facts, via="api", by=manager, now=now).score.total)

    assert totals == [20, 20, 30, 30]


@pytest.mark.django_db(transaction=True)
def test_a_re_scoring_waits_for_a_lead_that_comes_in_by_the_version_before() -> None:
    demo = {"signal": make_signal("Demo", ["Demo Requested"], intent="high"), "points": 5}
    publish(demo, {"attribute": "title", "operator": "is_known", "points": 20})
    taken = Barrier(2)
    manager = UserFactory(role=User.Role.MANAGER)

    def come_in() -> None:
        try:
            with transaction.atomic():
                take_lead(ADA, via="api", by=manager, now=NOON)
                taken.wait(timeout=60)
                wait_until_somebody_is_blocked()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        coming_in = threads.submit(come_in)
        taken.wait(timeout=60)
        publish(demo, {"attribute": "title", "operator": "is_known", "points": 30})
        rescore_all(now=NOON)
        coming_in.result()

    assert LeadScore.objects.get().total == 30
