"""Many writers at once, on real connections: one person, one company, every activity once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction

from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activity, record_lead
from leads.models import Activity, Company, Lead, LeadEvent, Visitor
from leads.segment import read_message
from leads.visitors import take_message
from tests.factories import CompanyFactory, LeadFactory
from tests.scoring.test_publishing_at_once import wait_until_somebody_is_blocked

THREADS = 50

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def all_at_once(verb):
    """Call verb(number) in as many threads, let go together; raise what any of them raised."""
    barrier = Barrier(THREADS)

    def call(number):
        try:
            connection.ensure_connection()
            barrier.wait(timeout=60)
            return verb(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return [future.result() for future in [pool.submit(call, number) for number in range(THREADS)]]


def test_one_address_recorded_at_once_is_one_lead_of_one_company(now):
    facts = LeadFacts(email="ada@acme.example", company=CompanyFacts(name="Acme", industry="Steel"))

    recorded = all_at_once(lambda number: record_lead(facts, via="api", now=now))

    assert Lead.objects.count() == Company.objects.count() == 1
    assert sum(one.created for one in recorded) == 1
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.CREATED).count() == 1
    assert {one.lead.pk for one in recorded} == {Lead.objects.get().pk}


def test_colleagues_recorded_at_once_share_one_company(now):
    def record(number):
        company = CompanyFacts(name="Acme", industry="Steel" if number % 2 else "", country="France")
        record_lead(LeadFacts(email=f"p{number}@acme.example", company=company), via="api", now=now)

    all_at_once(record)

    assert Lead.objects.count() == THREADS
    assert Company.objects.get().industry == "Steel"


def test_blanks_filled_at_once_are_all_kept(now):
    LeadFactory(email="ada@acme.example", title="", phone="", website="", country="")
    blanks = ["title", "phone", "website", "country"]

    def record(number):
        name = blanks[number % len(blanks)]
        record_lead(LeadFacts(email="ada@acme.example", **{name: "x"}), via="api", now=now)

    all_at_once(record)

    lead = Lead.objects.get()
    assert [getattr(lead, name) for name in blanks] == ["x"] * 4
    assert lead.revision == lead.events.count() == 4
    assert lead.attribute_changes.count() == 4


def test_activities_at_once_are_all_kept_and_none_is_left_unmatched(now):
    lead = LeadFactory()

    def record(number):
        facts = ActivityFacts(event="Signed Up", occurred_at=now, message_id=f"m-{number}")
        return record_activity(lead, facts, via="api", now=now)

    all_at_once(record)

    lead.refresh_from_db()
    assert lead.activities.count() == THREADS
    assert lead.unmatched_from == lead.activities.earliest("id").pk


def test_one_message_at_once_is_one_activity(now):
    lead = LeadFactory()
    facts = ActivityFacts(event="Signed Up", occurred_at=now, message_id="m-1")

    recorded = all_at_once(lambda number: record_activity(lead, facts, via="api", now=now))

    assert Activity.objects.count() == 1
    assert sum(one is not None for one in recorded) == 1


def test_no_event_is_orphaned_while_its_visitor_says_who_they_are(now):
    def say(number):
        raw = {"type": "track", "anonymousId": "a-1", "event": "Viewed", "messageId": f"m-{number}"}
        if number % 10 == 0:
            raw |= {"type": "identify", "userId": f"u-{number}", "traits": {"email": "ada@acme.example"}}
        take_message(read_message(raw, received_at=now), now=now)

    all_at_once(say)

    assert Lead.objects.get().activities.count() == Activity.objects.count() == THREADS - THREADS // 10
    assert not Visitor.objects.filter(same_as__same_as__isnull=False).exists()


def test_the_same_new_person_with_and_without_news_of_the_company_do_not_deadlock(now):
    """One holds the company and waits for the lead; the other names the company when it commits."""
    CompanyFactory(domain="acme.example", industry="")
    inserted = Barrier(2)

    def say(facts, before, after):
        try:
            before()
            with transaction.atomic():
                recorded = record_lead(facts, via="api", now=now)
                after()
            return recorded.created
        finally:
            connection.close()

    def nothing():
        pass

    def let_the_other_come_and_wait():
        inserted.wait(timeout=60)
        wait_until_somebody_is_blocked()

    plain = LeadFacts(email="ada@acme.example")
    news = LeadFacts(email="ada@acme.example", company=CompanyFacts(industry="Steel"))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(say, plain, nothing, let_the_other_come_and_wait)
        second = pool.submit(say, news, lambda: inserted.wait(timeout=60), nothing)

        assert (first.result(), second.result()) == (True, False)
    assert Lead.objects.get().company.industry == "Steel"
