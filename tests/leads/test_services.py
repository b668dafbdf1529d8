"""The verbs on a lead: log, marks, stages, holds, corrections."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from common.errors import InvalidInput
from common.parking import MAX_ATTEMPTS, begin_attempt, retry_parked
from leads.companies import fill_company
from leads.facts import ActivityFacts, CompanyFacts
from leads.intake import record_activities, record_activity
from leads.models import Activity, AttributeChange, Company, Lead, LeadEvent, OtherAnswer
from leads.services import (
    StageNotReachable,
    assign_lead,
    correct_lead,
    hold_lead,
    log_event,
    mark_lead_changed,
    move_stage,
    release_lead,
    take_answer,
)
from leads.spread import spread_company_changes
from tests.factories import CompanyFactory, LeadFactory
from tests.poison import heal, poison

pytestmark = pytest.mark.django_db


def test_logging_bumps_the_revision_and_keeps_the_detail(now, manager):
    lead = LeadFactory()

    log_event(lead, LeadEvent.Kind.ASSIGNED, at=now, by=manager, handoff_id=7, why="round robin")

    event = lead.events.get()
    assert (event.kind, event.at, event.by, event.handoff_id) == (LeadEvent.Kind.ASSIGNED, now, manager, 7)
    assert event.detail == {"why": "round robin"}
    assert lead.revision == Lead.objects.get().revision == 1


def test_an_earlier_mark_stays_and_parking_ends(now):
    lead = LeadFactory(advance_at=now - timedelta(days=1), advance_attempts=5, advance_parked_at=now)

    mark_lead_changed(lead, now=now)

    fresh = Lead.objects.get()
    assert fresh.advance_at == lead.advance_at == now - timedelta(days=1)
    assert (fresh.advance_attempts, fresh.advance_parked_at) == (0, None)
    assert OrmQ.objects.count() == 1


def test_a_later_mark_comes_forward(now):
    lead = LeadFactory(advance_at=now + timedelta(days=30))

    mark_lead_changed(lead, now=now, nudge=False)

    assert Lead.objects.get().advance_at == now
    assert not OrmQ.objects.exists()


def test_a_move_is_logged_and_staying_is_none(now):
    lead = LeadFactory()

    move_stage(lead, to=Lead.Stage.MQL, at=now)
    move_stage(lead, to=Lead.Stage.MQL, at=now)

    assert Lead.objects.get().stage == Lead.Stage.MQL
    assert lead.events.get().detail == {"from": "lead", "to": "mql"}


@pytest.mark.parametrize(
    ("stage", "to"),
    [("lead", "sal"), ("mql", "sql"), ("customer", "mql"), ("lost", "customer"), ("sal", "opportunity")],
)
def test_the_order_of_the_stages_is_kept(now, stage, to):
    lead = LeadFactory(stage=stage)

    with pytest.raises(StageNotReachable):
        move_stage(lead, to=Lead.Stage(to), at=now)

    assert Lead.objects.get().stage == stage
    assert not lead.events.exists()


def test_every_stage_knows_where_it_leads():
    assert set(Lead.MOVES) == set(Lead.Stage)
    assert all(stage not in reachable for stage, reachable in Lead.MOVES.items())


def test_the_owner_and_the_team_may_read_an_assigned_lead(now, bdr, other_bdr, stranger, reader):
    lead = LeadFactory()

    assign_lead(lead, owner=bdr, team=bdr.team)

    assert [Lead.objects.visible_to(user).count() for user in (bdr, other_bdr, stranger, reader)] == [
        1,
        1,
        0,
        1,
    ]


def test_a_hold_counts_the_trip_and_ends_with_its_release(now):
    lead = LeadFactory()
    hold_lead(lead, hold=Lead.Hold.UNTIL_DATE, until=now + timedelta(days=30), at=now)
    held = Lead.objects.get()
    assert (held.hold, held.held_until, held.recycled_at, held.trips) == (
        Lead.Hold.UNTIL_DATE,
        now + timedelta(days=30),
        now,
        1,
    )

    release_lead(lead, at=now)
    release_lead(lead, at=now)

    freed = Lead.objects.get()
    assert (freed.hold, freed.held_until, freed.trips, freed.advance_at) == (Lead.Hold.NONE, None, 1, now)
    assert lead.events.filter(kind=LeadEvent.Kind.RELEASED).count() == 1


def test_the_database_refuses_a_date_without_its_hold(now):
    lead = LeadFactory()

    with pytest.raises(IntegrityError, match="held_until_a_date"), transaction.atomic():
        hold_lead(lead, hold=Lead.Hold.FOR_GOOD, until=now, at=now)


# --- Corrections --------------------------------------------------------------------------------


def test_a_correction_overwrites_and_keeps_what_was_there(now, manager):
    lead = LeadFactory(title="SDR", company=CompanyFactory(industry="Steel"))

    changed = correct_lead(
        lead,
        changes={"title": "CTO", "company.industry": "Software", "country": lead.country},
        by=manager,
        at=now,
        via="portal",
    )

    lead.refresh_from_db()
    assert changed == ["company.industry", "title"]
    assert (lead.title, lead.company.industry) == ("CTO", "Software")
    assert set(AttributeChange.objects.values_list("field", "old_value", "new_value", "by", "source")) == {
        ("title", "SDR", "CTO", manager.pk, "portal"),
        ("industry", "Steel", "Software", manager.pk, "portal"),
    }
    assert lead.events.get().kind == LeadEvent.Kind.ATTRIBUTES_CHANGED
    assert lead.advance_at == now


def test_correcting_to_what_it_is_changes_nothing(now):
    lead = LeadFactory(title="CTO")

    assert correct_lead(lead, changes={"title": " CTO "}, by=None, at=now, via="salesforce") == []

    assert Lead.objects.get().revision == 0


def test_a_correction_may_erase(now, manager):
    lead = LeadFactory(title="CTO")

    correct_lead(lead, changes={"title": ""}, by=manager, at=now, via="portal")

    assert Lead.objects.get().title == ""
    assert AttributeChange.objects.get().old_value == "CTO"


def test_the_address_of_another_lead_is_refused(now, manager):
    LeadFactory(email="ada@acme.example")
    lead = LeadFactory(email="old@acme.example")

    with pytest.raises(InvalidInput, match=r"Another lead has ada@acme\.example already") as refusal:
        correct_lead(lead, changes={"email": "ADA@acme.example"}, by=manager, at=now, via="portal")

    assert refusal.value.field == "email"


@pytest.mark.parametrize("field", ["stage", "owner", "revision", "company.created_at", "nonsense"])
def test_only_answers_can_be_corrected(now, manager, field):
    lead = LeadFactory()

    with pytest.raises(InvalidInput):
        correct_lead(lead, changes={field: "x"}, by=manager, at=now, via="portal")


def test_the_last_way_to_know_a_lead_cannot_be_erased(now, manager):
    lead = LeadFactory()

    with pytest.raises(InvalidInput) as refusal:
        correct_lead(lead, changes={"email": ""}, by=manager, at=now, via="portal")

    assert refusal.value.field == "email"


def test_a_company_is_made_for_a_lead_that_has_none(now, manager):
    lead = LeadFactory(email="ada@gmail.com", company=None)
    with pytest.raises(InvalidInput, match="say its name too"):
        correct_lead(lead, changes={"company.industry": "Steel"}, by=manager, at=now, via="portal")

    correct_lead(
        lead, changes={"company.name": "Acme", "company.industry": "Steel"}, by=manager, at=now, via="portal"
    )

    lead.refresh_from_db()
    assert (lead.company.name, lead.company.industry) == ("Acme", "Steel")


def test_a_company_keeps_a_name(now, manager):
    lead = LeadFactory(company=CompanyFactory(name="Acme"))

    with pytest.raises(InvalidInput, match="A company needs a name") as refused:
        correct_lead(lead, changes={"company.name": " "}, by=manager, at=now, via="portal")

    assert refused.value.field == "name"
    assert Company.objects.get().name == "Acme"


def test_the_other_answer_can_be_taken(now, manager):
    lead = LeadFactory(company=CompanyFactory(employee_count=250))
    said = {"source": "segment", "said_at": now}
    title = OtherAnswer.objects.create(lead=lead, field="title", value="CTO", **said)
    size = OtherAnswer.objects.create(company=lead.company, field="employee_count", value="300", **said)

    for answer in (title, size):
        take_answer(lead, answer, by=manager, at=now)

    lead.refresh_from_db()
    assert (lead.title, lead.company.employee_count) == ("CTO", 300)
    assert not OtherAnswer.objects.exists()
    assert set(AttributeChange.objects.values_list("old_value", flat=True)) == {"VP Sales", "250"}


# --- Companies tell their leads -----------------------------------------------------------------


def test_a_company_that_fails_keeps_back_no_other_and_is_parked(now):
    bad = CompanyFactory(spread_at=now - timedelta(hours=1))
    good = CompanyFactory(spread_at=now)
    poison(LeadFactory(company=bad))
    LeadFactory(company=good)

    told = [spread_company_changes(now=now) for _ in range(MAX_ATTEMPTS + 1)]

    bad.refresh_from_db()
    assert told == [1] + [0] * MAX_ATTEMPTS
    assert (bad.attempts, bad.parked_at) == (MAX_ATTEMPTS, now)
    assert bad.error
    assert not Company.objects.due_to_spread(now).exists()

    heal()
    assert retry_parked(Company.objects.all()) == 1
    assert spread_company_changes(now=now) == 1


def test_a_company_that_kills_the_worker_each_time_is_parked(now):
    """The attempt is counted before it begins."""
    company = CompanyFactory(spread_at=now)
    row = Company.objects.filter(pk=company.pk)

    begun = [begin_attempt(row, now=now) for _ in range(MAX_ATTEMPTS + 1)]

    company.refresh_from_db()
    assert begun == [True] * MAX_ATTEMPTS + [False]
    assert (company.parked_at, company.error) == (now, "The worker stopped each time this was tried.")


def test_news_of_a_company_that_is_parked_tries_it_again(now):
    company = CompanyFactory(industry="", spread_at=now, attempts=5, parked_at=now, error="DataError")

    fill_company(company, CompanyFacts(industry="Steel"), now=now, via="test")

    company.refresh_from_db()
    assert (company.attempts, company.parked_at, company.error) == (0, None, "")


def test_news_of_a_company_reaches_all_its_leads(now):
    company = CompanyFactory(industry="")
    plain = LeadFactory(company=company)
    held = LeadFactory(company=company, hold=Lead.Hold.UNTIL_FIT_CHANGES, recycled_at=now)
    elsewhere = LeadFactory()
    fill_company(company, CompanyFacts(industry="Steel"), now=now, via="test")

    assert spread_company_changes(now=now) == 2
    assert spread_company_changes(now=now) == 0

    marks = dict(Lead.objects.values_list("pk", "advance_at"))
    assert marks == {plain.pk: now, held.pk: now, elsewhere.pk: None}
    assert Lead.objects.get(pk=held.pk).hold == Lead.Hold.NONE
    company.refresh_from_db()
    assert company.spread_at is None


# --- Activities ---------------------------------------------------------------------------------


def facts(message_id, at, **more):
    return ActivityFacts(event="Signed Up", occurred_at=at, message_id=message_id, **more)


def test_activities_mark_their_lead(now):
    lead = LeadFactory()

    first = record_activity(lead, facts("m-1", now - timedelta(days=2)), via="api", now=now)
    record_activity(lead, facts("m-2", now - timedelta(days=3)), via="api", now=now)

    fresh = Lead.objects.get()
    assert fresh.unmatched_from == first.pk
    assert fresh.last_activity_at == now - timedelta(days=2)
    assert fresh.advance_at == now
    assert first.properties == {}
    assert Activity.objects.get(pk=first.pk).received_at == now


def test_a_batch_answers_item_by_item(now):
    lead, other = LeadFactory(), LeadFactory()
    record_activity(lead, facts("seen", now), via="api", now=now)
    Lead.objects.update(advance_at=None, unmatched_from=None)

    recorded = record_activities(
        [(other, facts("a", now)), (lead, facts("seen", now)), (other, facts("a", now))], via="api", now=now
    )

    assert [one and one.message_id for one in recorded] == ["a", None, None]
    lead.refresh_from_db()
    assert lead.advance_at is None


def test_a_batch_takes_the_same_statements_whatever_its_size(now, django_assert_num_queries):
    leads = [LeadFactory() for _ in range(20)]

    # savepoint, locks, insert, marks, release
    with django_assert_num_queries(5):
        record_activities(
            [(lead, facts(f"m-{lead.pk}", now)) for lead in leads], via="api", now=now, nudge=False
        )

    assert Activity.objects.count() == 20


def test_one_activity_takes_few_statements(now, django_assert_num_queries):
    lead = LeadFactory()

    # savepoint, lock, insert, mark, nudge, release of the savepoint
    with django_assert_num_queries(6):
        record_activity(lead, facts("m-1", now), via="api", now=now)


def test_whether_new_activity_ends_a_hold_is_for_whoever_reads_it_as_a_signal(now):
    lead = LeadFactory()
    hold_lead(lead, hold=Lead.Hold.UNTIL_ACTIVITY, until=None, at=now)
    Lead.objects.update(advance_at=None)

    record_activity(lead, facts("m-1", now), via="api", now=now)

    lead = Lead.objects.get()
    assert (lead.hold, lead.advance_at) == (Lead.Hold.UNTIL_ACTIVITY, now)
