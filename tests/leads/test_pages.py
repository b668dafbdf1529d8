"""The page of one lead: everything about a person, to those who may read it."""

from datetime import timedelta

import pytest
from django.urls import reverse

from leads.facts import CompanyFacts, LeadFacts
from leads.intake import record_lead
from leads.models import AttributeChange, Lead, OtherAnswer
from leads.services import hold_lead, move_stage
from tests.factories import ActivityFactory, LeadFactory

pytestmark = pytest.mark.django_db


def page_of(lead):
    return reverse("leads:detail", args=[lead.pk])


@pytest.fixture
def ada(now):
    """A lead with a story: filled, contradicted, moved, held."""
    lead = record_lead(LeadFacts(email="ada@acme.example", first_name="Ada"), via="api", now=now).lead
    later = LeadFacts(
        email="ada@acme.example",
        first_name="Augusta",
        title="CTO",
        company=CompanyFacts(name="Acme", employee_count=250),
    )
    record_lead(later, via="segment", now=now)
    lead.refresh_from_db()
    move_stage(lead, to=Lead.Stage.MQL, at=now)
    hold_lead(lead, hold=Lead.Hold.UNTIL_DATE, until=now + timedelta(days=30), at=now)
    ActivityFactory(lead=lead, event="Demo Requested", properties={"form": "demo", "path": "/demo"})
    return lead


def test_the_page_tells_the_whole_story(client, marketing, ada):
    client.force_login(marketing)

    answer = client.get(page_of(ada))

    text = answer.content.decode()
    assert answer.status_code == 200
    for told in (
        "ada@acme.example",
        "CTO",
        "Acme",
        "250",
        "Held: until a date",
        "Demo Requested",
        "/demo · demo",
        "Lead → MQL",
        "Augusta",
        "acme.example → Acme",
        "company name, company employee count, title filled",
    ):
        assert told in text, told


def test_the_panels_of_the_apps_above_are_asked_for_by_name(client, marketing, ada):
    client.force_login(marketing)

    text = client.get(page_of(ada)).content.decode()

    for name in ("handoffs", "scoring", "sla", "feedback", "crm"):
        assert f'hx-get="{reverse(f"{name}:lead_panel", args=[ada.pk])}"' in text


def test_strangers_get_404_and_visitors_the_login(client, ada, bdr, stranger):
    ada.owner = bdr
    ada.save(update_fields=["owner"])

    assert client.get(page_of(ada)).status_code == 302
    client.force_login(stranger)
    assert client.get(page_of(ada)).status_code == 404
    client.force_login(bdr)
    assert client.get(page_of(ada)).status_code == 200


def test_each_list_pages_by_its_own_key(client, marketing, ada, now):
    for hours in range(25):
        ActivityFactory(lead=ada, event=f"Event {hours}", occurred_at=now - timedelta(hours=hours + 1))
    client.force_login(marketing)

    first = client.get(page_of(ada))
    key = first.context["activities"].next_key
    second = client.get(page_of(ada), {"activities": key})

    told = [row.event for page in (first, second) for row in page.context["activities"].rows]
    assert told == ["Demo Requested", *(f"Event {hours}" for hours in range(25))]
    assert second.context["log"].is_first
    assert client.get(page_of(ada), {"log": "nonsense"}).status_code == 422


def test_the_page_takes_the_same_statements_whatever_there_is_to_tell(
    client, marketing, ada, now, django_assert_num_queries
):
    for number in range(30):
        ActivityFactory(lead=ada)
        AttributeChange.objects.create(
            lead=ada, field="phone", new_value=str(number), changed_at=now, source="api"
        )
    client.force_login(marketing)

    # session, user, unread messages; lead, activities, history, log, other answers
    with django_assert_num_queries(8):
        client.get(page_of(ada))


def test_marketing_takes_the_other_answer(client, marketing, ada):
    client.force_login(marketing)
    answer = OtherAnswer.objects.get(field="first_name")

    response = client.post(reverse("leads:use_answer", args=[ada.pk, answer.pk]), follow=True)

    ada.refresh_from_db()
    assert ada.first_name == "Augusta"
    assert not OtherAnswer.objects.exists()
    assert "First name changed." in response.content.decode()


def test_a_bdr_sees_both_answers_and_decides_nothing(client, bdr, ada):
    ada.owner = bdr
    ada.save(update_fields=["owner"])
    client.force_login(bdr)
    answer = OtherAnswer.objects.get(field="first_name")
    address = reverse("leads:use_answer", args=[ada.pk, answer.pk])

    text = client.get(page_of(ada)).content.decode()

    assert "Augusta" in text
    assert address not in text
    assert client.post(address).status_code == 403


def test_the_answer_of_another_lead_is_not_found(client, marketing, ada):
    other = LeadFactory()
    client.force_login(marketing)
    answer = OtherAnswer.objects.get(field="first_name")

    assert client.post(reverse("leads:use_answer", args=[other.pk, answer.pk])).status_code == 404
