"""HAND-3: language, product line and deal size of a lead, from every channel, with their history."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from common.errors import InvalidInput
from leads.facts import LeadFacts
from leads.intake import record_lead
from leads.models import AttributeChange, Lead, OtherAnswer, QuarantinedItem
from leads.segment import lead_facts
from leads.services import correct_lead, take_answer
from leads.whole_numbers import MAX_DEAL_SIZE
from tests.factories import NOON

ADA = "ada@acme.example"
SAID = LeadFacts(email=ADA, language="German", product_line="Presses", deal_size=40_000)

pytestmark = pytest.mark.django_db


def of_ada() -> tuple[str, str, int | None]:
    lead = Lead.objects.get(email=ADA)
    return lead.language, lead.product_line, lead.deal_size


def test_the_api_takes_them_and_answers_with_them(api: APIClient) -> None:
    said = {"language": "German", "product_line": "Presses", "deal_size": 40_000}

    answer = api.post("/api/v1/leads/", {"email": ADA, **said}, format="json")

    assert answer.status_code == 201
    assert said.items() <= answer.json().items()
    assert of_ada() == ("German", "Presses", 40_000)


@pytest.mark.parametrize("size", [-1, MAX_DEAL_SIZE + 1, "a lot"], ids=str)
def test_the_api_refuses_what_is_no_size_of_a_deal(api: APIClient, size: object) -> None:
    answer = api.post("/api/v1/leads/", {"email": ADA, "deal_size": size}, format="json")

    assert answer.status_code == 400
    assert "deal_size" in answer.json()
    assert QuarantinedItem.objects.get().field == "deal_size"


@pytest.mark.parametrize("size", [40_000, 40_000.0, "40,000"], ids=["number", "float", "text"])
def test_traits_say_them(size: object) -> None:
    traits = {"email": ADA, "language": "German", "product_line": "Presses", "deal_size": size}

    record_lead(lead_facts(traits), via="segment", now=NOON)

    assert of_ada() == ("German", "Presses", 40_000)


@pytest.mark.parametrize("size", [True, [1], "lots", "9" * 5000], ids=["yes", "list", "words", "endless"])
def test_traits_that_are_no_size_are_refused(size: object) -> None:
    with pytest.raises(InvalidInput) as refusal:
        lead_facts({"email": ADA, "deal_size": size})

    assert refusal.value.field == "traits.deal_size"


def test_a_file_says_them_and_a_bad_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "leads.csv"
    path.write_text(
        "email,language,product_line,deal_size\n"
        'ada@acme.example,German,Presses,"40,000"\n'
        "bob@acme.example,German,Presses,lots\n"
    )

    call_command("import_leads", str(path))

    assert of_ada() == ("German", "Presses", 40_000)
    assert QuarantinedItem.objects.get().field == "deal_size"


def test_a_further_source_is_kept_beside_until_somebody_decides(marketing: User) -> None:
    record_lead(SAID, via="api", now=NOON)
    lead = record_lead(LeadFacts(email=ADA, deal_size=90_000), via="import", now=NOON).lead
    assert of_ada() == ("German", "Presses", 40_000)

    take_answer(lead, OtherAnswer.objects.get(field="deal_size"), by=marketing, at=NOON)

    assert of_ada() == ("German", "Presses", 90_000)
    change = AttributeChange.objects.get(field="deal_size")
    assert (change.old_value, change.new_value) == ("40000", "90000")


def test_a_correction_that_is_no_number_is_refused_with_its_field(marketing: User) -> None:
    lead = record_lead(SAID, via="api", now=NOON).lead

    with pytest.raises(InvalidInput, match="whole number from 0") as refusal:
        correct_lead(lead, changes={"deal_size": -5}, by=marketing, at=NOON, via="portal")

    assert refusal.value.field == "deal_size"


def test_the_lead_page_shows_them(client: Client, marketing: User) -> None:
    lead = record_lead(SAID, via="api", now=NOON).lead
    client.force_login(marketing)

    text = client.get(f"/leads/{lead.pk}/").content.decode()

    assert "Presses" in text
    assert "40,000" in text
