"""The admin shows leads and edits nothing; write keys are made and revoked there."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from leads.facts import CompanyFacts, LeadFacts
from leads.intake import record_lead
from leads.models import WriteKey
from leads.write_keys import create_write_key, find_write_key

pytestmark = pytest.mark.django_db

MODELS = ("lead", "company", "activity", "leadevent", "attributechange", "quarantineditem")


@pytest.mark.parametrize("model", MODELS)
def test_records_are_shown_and_nobody_edits_them(client, admin_user, now, model):
    record_lead(LeadFacts(email="a@acme.example", company=CompanyFacts(name="Acme")), via="api", now=now)
    client.force_login(admin_user)

    assert client.get(reverse(f"admin:leads_{model}_changelist"), {"q": "acme"}).status_code == 200
    assert client.get(reverse(f"admin:leads_{model}_add")).status_code == 403


def test_the_record_of_a_lead_has_no_form(client, admin_user, now):
    lead = record_lead(LeadFacts(email="a@acme.example"), via="api", now=now).lead
    client.force_login(admin_user)
    address = reverse("admin:leads_lead_change", args=[lead.pk])

    assert client.get(address).status_code == 200
    assert client.post(address, {"stage": "customer"}).status_code == 403
    assert client.post(reverse("admin:leads_lead_delete", args=[lead.pk]), {"post": "yes"}).status_code == 403


def test_an_operator_makes_a_write_key_and_sees_it_once(client, operator, now):
    client.force_login(operator)

    answer = client.post(reverse("admin:leads_writekey_add"), {"name": "web site"})

    said = str(next(iter(get_messages(answer.wsgi_request))))
    secret = said.removeprefix("The write key is ").split(" ")[0]
    assert find_write_key(secret, now=now).name == "web site"
    assert secret not in client.get(answer["Location"]).content.decode().replace(said, "")


def test_an_operator_revokes_a_write_key(client, operator, now):
    key, secret = create_write_key("web site", now=now)
    client.force_login(operator)

    client.post(
        reverse("admin:leads_writekey_changelist"), {"action": "revoke", "_selected_action": [key.pk]}
    )

    assert find_write_key(secret, now=now) is None
    assert WriteKey.objects.get().revoked_at is not None


def test_marketing_makes_no_write_keys(client, marketing):
    client.force_login(marketing)

    assert client.get(reverse("admin:leads_writekey_add")).status_code == 403
