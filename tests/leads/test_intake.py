"""Recording people: one lead per person, blanks filled, nothing overwritten silently (INTAKE-1)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from common.errors import InvalidInput
from leads.facts import CompanyFacts, LeadFacts
from leads.intake import record_lead
from leads.models import AttributeChange, Company, Lead, LeadEvent, OtherAnswer
from leads.services import hold_lead
from tests.factories import CompanyFactory, LeadFactory

ADA = LeadFacts(
    email="ada@acme.example",
    first_name="Ada",
    last_name="Lovelace",
    company=CompanyFacts(name="Acme", employee_count=250),
    source="webinar",
)

pytestmark = pytest.mark.django_db


def test_a_new_person_becomes_a_lead_with_its_company_and_is_marked(now):
    recorded = record_lead(ADA, via="api", now=now)

    lead = Lead.objects.select_related("company").get()
    assert recorded.created
    assert recorded.changed
    assert (lead.name, lead.source, lead.created_at, lead.advance_at) == ("Ada Lovelace", "webinar", now, now)
    assert (lead.company.name, lead.company.domain, lead.company.employee_count) == (
        "Acme",
        "acme.example",
        250,
    )
    assert list(lead.events.values_list("kind", "at")) == [(LeadEvent.Kind.CREATED, now)]
    assert lead.revision == 1
    assert OrmQ.objects.count() == 1


def test_the_caller_who_advances_the_lead_itself_is_spared_the_nudge(now):
    record_lead(ADA, via="api", now=now, nudge=False)

    assert Lead.objects.get().advance_at == now
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("email", ["ADA@acme.example", "  ada@Acme.Example\n"])
def test_spelling_of_the_address_makes_no_second_person(now, email):
    record_lead(ADA, via="api", now=now)

    recorded = record_lead(replace(ADA, email=email), via="import", now=now)

    assert not recorded.created
    assert Lead.objects.count() == 1


def test_an_international_domain_and_its_ascii_form_are_one_person(now):
    record_lead(LeadFacts(email="eva@müller.example"), via="api", now=now)

    record_lead(LeadFacts(email="eva@xn--mller-kva.example"), via="api", now=now)

    assert Lead.objects.get().email == "eva@xn--mller-kva.example"


def test_a_second_source_fills_blanks_and_the_history_says_so(now):
    record_lead(ADA, via="api", now=now)
    later = now + timedelta(days=1)

    recorded = record_lead(replace(ADA, title="VP Sales"), via="segment", now=later)

    change = AttributeChange.objects.get()
    assert recorded.changed
    assert Lead.objects.get().title == "VP Sales"
    assert (change.field, change.old_value, change.new_value) == ("title", "", "VP Sales")
    assert (change.changed_at, change.source) == (later, "segment")
    merged = LeadEvent.objects.get(kind=LeadEvent.Kind.MERGED)
    assert merged.detail == {"via": "segment", "filled": ["title"], "differing": []}


def test_a_contradicting_answer_is_kept_beside_the_one_held(now):
    record_lead(ADA, via="api", now=now)

    recorded = record_lead(replace(ADA, first_name="Augusta"), via="segment", now=now)

    assert recorded.lead.first_name == "Ada"
    assert OtherAnswer.objects.values_list("field", "value", "source").get() == (
        "first_name",
        "Augusta",
        "segment",
    )
    assert not AttributeChange.objects.exists()


def test_saying_the_same_again_changes_nothing(now):
    record_lead(ADA, via="api", now=now)
    record_lead(replace(ADA, first_name="Augusta"), via="api", now=now)
    before = Lead.objects.values().get()

    for facts in (ADA, replace(ADA, first_name="augusta "), replace(ADA, first_name="")):
        recorded = record_lead(facts, via="api", now=now + timedelta(days=1))

        assert not recorded.changed
    assert Lead.objects.values().get() == before


def test_blank_answers_erase_nothing(now):
    record_lead(ADA, via="api", now=now)

    record_lead(LeadFacts(email=ADA.email), via="api", now=now)

    assert Lead.objects.get().first_name == "Ada"


def test_an_address_of_a_free_mail_host_makes_no_company(now):
    record_lead(LeadFacts(email="ada@gmail.com"), via="api", now=now)
    record_lead(
        LeadFacts(email="bob@gmail.com", company=CompanyFacts(domain="gmail.com")), via="api", now=now
    )

    assert not Company.objects.exists()


def test_a_company_known_by_name_alone_is_no_other_company_of_that_name(now):
    for email in ("ada@gmail.com", "bob@gmail.com"):
        record_lead(LeadFacts(email=email, company=CompanyFacts(name="Consulting")), via="api", now=now)

    assert Company.objects.filter(name="Consulting", domain="").count() == 2


def test_colleagues_share_a_company_and_fill_its_blanks(now):
    record_lead(LeadFacts(email="ada@acme.example"), via="api", now=now)
    facts = LeadFacts(email="bob@acme.example", company=CompanyFacts(name="Acme", industry="Steel"))

    record_lead(facts, via="api", now=now)

    company = Company.objects.get()
    assert (company.name, company.industry) == ("Acme", "Steel")
    assert company.leads.count() == 2
    assert company.spread_at == now
    assert set(AttributeChange.objects.values_list("field", "old_value", "new_value")) == {
        ("name", "acme.example", "Acme"),
        ("industry", "", "Steel"),
    }


def test_a_lead_of_a_named_company_moves_to_the_one_its_domain_says(now):
    record_lead(
        LeadFacts(email="ada@gmail.com", company=CompanyFacts(name="Acme", employee_count=9)),
        via="api",
        now=now,
    )
    acme = CompanyFactory(name="Acme", domain="acme.example", employee_count=None)

    record_lead(
        LeadFacts(email="ada@gmail.com", company=CompanyFacts(domain="www.ACME.example")), via="api", now=now
    )

    acme.refresh_from_db()
    assert Lead.objects.get().company == acme
    assert acme.employee_count == 9


def test_facts_about_another_company_do_not_touch_the_one_held(now):
    record_lead(ADA, via="api", now=now)
    other = CompanyFacts(name="Beta", domain="beta.example", employee_count=5)

    record_lead(replace(ADA, company=other), via="api", now=now)

    assert Company.objects.get().employee_count == 250
    assert OtherAnswer.objects.values_list("field", "value").get() == ("company", "Beta")


def test_a_lead_without_an_address_is_known_by_its_id_in_the_source_system(now):
    facts = LeadFacts(source_system="olist", external_id="dac32acd", source="social")

    first = record_lead(facts, via="import", now=now)
    second = record_lead(facts, via="import", now=now)

    assert first.created
    assert not second.changed
    assert Lead.objects.get().external_id == "dac32acd"


def test_the_address_is_filled_in_when_the_source_learns_it(now):
    key = {"source_system": "crm", "external_id": "7"}
    record_lead(LeadFacts(**key), via="api", now=now)

    record_lead(LeadFacts(**key, email="ada@acme.example"), via="api", now=now)

    lead = Lead.objects.get()
    assert lead.email == "ada@acme.example"
    assert lead.company.domain == "acme.example"


def test_an_external_id_of_somebody_else_stays_theirs(now):
    key = {"source_system": "crm", "external_id": "7"}
    record_lead(LeadFacts(**key), via="api", now=now)
    record_lead(LeadFacts(email="ada@acme.example"), via="api", now=now)

    record_lead(LeadFacts(**key, email="ada@acme.example"), via="api", now=now)

    ada = Lead.objects.get(email="ada@acme.example")
    assert ada.external_id == ""
    assert ada.other_answers.values_list("field", "value").get() == ("external_id", "crm:7")


def test_consent_is_noted_once(now):
    record_lead(replace(ADA, consent_at=now), via="api", now=now)

    record_lead(replace(ADA, consent_at=now + timedelta(days=9)), via="api", now=now)

    assert Lead.objects.get().consent_at == now


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        (LeadFacts(), "email"),
        (LeadFacts(email="nobody"), "email"),
        (LeadFacts(email="ada@acme.example", title="x" * 129), "title"),
        (LeadFacts(email="ada@acme.example", title="a\x00b"), "title"),
        (LeadFacts(email="ada@acme.example", title=7), "title"),
        (LeadFacts(external_id="7"), "source_system"),
        (LeadFacts(source_system="crm", email="ada@acme.example"), "external_id"),
        (LeadFacts(email="ada@acme.example", company=CompanyFacts(domain="no domain")), "company.domain"),
        (LeadFacts(email="a@b.example", company=CompanyFacts(employee_count=-1)), "company.employee_count"),
        (
            LeadFacts(email="a@b.example", company=CompanyFacts(employee_count=10**12)),
            "company.employee_count",
        ),
    ],
)
def test_what_cannot_be_stored_is_refused_by_the_name_of_the_field(now, facts, field):
    with pytest.raises(InvalidInput) as refusal:
        record_lead(facts, via="api", now=now)

    assert refusal.value.field == field
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("facts", "released"),
    [
        ({"title": "CTO"}, True),
        ({"country": "France"}, True),
        ({"company": CompanyFacts(industry="Steel")}, True),
        ({"phone": "+49 30 1"}, False),
    ],
)
def test_a_lead_held_until_its_fit_changes_is_released_by_a_fit_attribute_alone(now, facts, released):
    company = CompanyFactory(domain="acme.example", industry="")
    lead = LeadFactory(email="ada@acme.example", title="", country="", company=company)
    hold_lead(lead, hold=Lead.Hold.UNTIL_FIT_CHANGES, until=None, at=now)

    record_lead(LeadFacts(email="ada@acme.example", **facts), via="api", now=now)

    lead.refresh_from_db()
    assert (lead.hold == Lead.Hold.NONE) is released
    assert LeadEvent.objects.filter(kind=LeadEvent.Kind.RELEASED).exists() is released
    assert lead.advance_at == now


def test_news_gives_a_parked_lead_another_chance(now):
    parked = datetime(2026, 1, 1, tzinfo=UTC)
    lead = LeadFactory(title="", advance_attempts=5, advance_parked_at=parked, advance_error="ValueError")

    record_lead(LeadFacts(email=lead.email, title="CTO"), via="api", now=now)

    lead.refresh_from_db()
    assert (lead.advance_attempts, lead.advance_parked_at, lead.advance_error) == (0, None, "")


def test_the_log_and_the_history_refuse_update_and_delete(now):
    record_lead(ADA, via="api", now=now)
    record_lead(replace(ADA, title="CTO"), via="api", now=now)

    for rows in (LeadEvent.objects.all(), AttributeChange.objects.all()):
        with pytest.raises(IntegrityError, match="append-only: delete refused"), transaction.atomic():
            rows.delete()
    with pytest.raises(IntegrityError, match="append-only: update refused"), transaction.atomic():
        LeadEvent.objects.update(kind=LeadEvent.Kind.WON)
    with pytest.raises(IntegrityError, match="append-only: update refused"), transaction.atomic():
        AttributeChange.objects.update(new_value="")


@pytest.mark.parametrize(
    ("facts", "statements"),
    [
        # begin, look, insert lead and log, nudge, commit
        (LeadFacts(email="bob@acme.example"), 5),
        # begin, look, insert company and lead and log, nudge, commit
        (LeadFacts(email="bob@other.example"), 5),
        # begin, look, find, commit
        (ADA, 4),
        # begin, look, find, history, lead, log, mark, nudge, commit
        (replace(ADA, title="CTO"), 9),
    ],
    ids=["new", "new_with_company", "known", "filled"],
)
def test_recording_takes_few_statements(now, facts, statements):
    record_lead(ADA, via="api", now=now)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        record_lead(facts, via="api", now=now)

    assert len(queries) == statements, [query["sql"][:90] for query in queries]
