"""Personal data in the history of an exchange: pure."""

from datetime import timedelta

import pytest

from crm.history import forget_old_entries
from crm.mapping import FieldRule, Rules
from crm.masking import mask_fields, mask_words
from crm.models import Exchange
from tests.factories import NOON, LeadFactory

RULES = Rules((FieldRule("Lead", "last_name", "LastName"), FieldRule("Lead", "score", "Portal_Score__c")))


def test_a_personal_value_shows_its_length_and_everything_else_itself() -> None:
    fields = {
        "LastName": "Byron",
        "Portal_Score__c": 65,
        "OwnerId": "005x",
        "Nickname__c": "Lovelace",
        "Fax": None,
    }

    assert mask_fields("Lead", fields, rules=RULES) == {
        "LastName": "B… (5 letters)",
        "Portal_Score__c": 65,
        "OwnerId": "005x",
        # Of a field that is mapped no more nobody knows what it holds.
        "Nickname__c": "L… (8 letters)",
        "Fax": None,
    }


def test_an_answer_that_quotes_a_value_is_masked_too() -> None:
    words = mask_words("Lead", "Not allowed: Byron is on the list", {"LastName": "Byron"}, rules=RULES)

    assert words == "Not allowed: B… (5 letters) is on the list"


@pytest.mark.django_db
def test_old_entries_and_more_than_two_hundred_of_a_lead_are_forgotten() -> None:
    chatty, quiet = LeadFactory(), LeadFactory()
    kind = {"direction": "out", "object_name": "Lead", "outcome": "confirmed"}
    Exchange.objects.bulk_create(Exchange(lead=chatty, at=NOON, **kind) for _ in range(203))
    Exchange.objects.create(lead=quiet, at=NOON - timedelta(days=91), **kind)
    kept = Exchange.objects.create(lead=quiet, at=NOON - timedelta(days=89), **kind)

    assert forget_old_entries(now=NOON) == 4
    assert Exchange.objects.filter(lead=chatty).count() == 200
    assert Exchange.objects.get(lead=quiet) == kept
