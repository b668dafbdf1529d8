"""Pools, rules and playbooks are edited in the admin; a handoff's state is not (QUEUE-2)."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.admin.sites import site
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from accounts.models import User
from feedback.models import RejectionReason
from handoffs.models import Handoff, Playbook, Pool, QualificationGate, RecycleContract, RoutingRule
from leads.models import Lead
from tests.desk import ready_lead

RULE = {
    "name": "DACH",
    "position": "0",
    "is_active": "on",
    "countries": "Germany\r\n Austria \r\n\r\n",
    "industries": "",
    "categories": "A",
    "sources": "",
    "employees_from": "",
    "employees_to": "",
    "languages": "",
    "product_lines": "",
    "deal_size_from": "",
    "deal_size_to": "",
    "strategy": "round_robin",
    "named_owner": "",
    "skills": "",
}
PLAYBOOK = {
    "name": "Ours",
    "position": "0",
    "is_active": "on",
    "channel": "call",
    "timing": "Now",
    "opening_line": "Hello {first_name}",
    "topics": "Price, and value\r\nTime",
    "objections": "",
    "next_step": "Meet",
}


@pytest.fixture
def admin_of(client: Client):
    def sign_in(user: User) -> Client:
        user.is_staff = True
        user.save(update_fields=["is_staff"])
        client.force_login(user)
        return client

    return sign_in


@pytest.mark.parametrize(
    "model", ["pool", "routingrule", "playbook", "qualificationgate", "packagestandard", "handoff"]
)
def test_every_screen_opens(handoff: Handoff, manager: User, admin_of, model: str) -> None:
    manager.is_superuser = True
    manager.save(update_fields=["is_superuser"])
    client = admin_of(manager)
    row = next(registered for registered in site._registry if registered._meta.model_name == model)

    assert client.get(reverse(f"admin:handoffs_{model}_changelist")).status_code == 200
    first = row._default_manager.first()
    assert client.get(reverse(f"admin:handoffs_{model}_change", args=[first.pk])).status_code == 200


@pytest.mark.parametrize("model", [Pool, Playbook, RecycleContract])
def test_who_may_only_look_opens_the_forms_of_others(
    client: Client, handoff: Handoff, operator: User, model: type[Model]
) -> None:
    row = model._default_manager.first() or model._default_manager.create()
    client.force_login(operator)

    path = reverse(f"admin:handoffs_{model._meta.model_name}_change", args=[row.pk])
    page = client.get(path)

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


def test_a_rule_is_written_one_value_per_line_and_gives_parked_leads_another_chance(
    pool: Pool, manager: User, admin_of, now: datetime
) -> None:
    lead = ready_lead(now=now)
    Lead.objects.filter(pk=lead.pk).update(advance_parked_at=now, advance_attempts=5)

    response = admin_of(manager).post(reverse("admin:handoffs_routingrule_add"), RULE | {"pool": pool.pk})

    assert response.status_code == 302
    rule = RoutingRule.objects.get(name="DACH")
    assert (rule.countries, rule.categories) == (["Germany", "Austria"], ["A"])
    lead.refresh_from_db()
    assert lead.advance_parked_at is None


def test_an_impossible_size_is_refused(pool: Pool, manager: User, admin_of) -> None:
    impossible = RULE | {"pool": pool.pk, "employees_from": "500", "employees_to": "50"}

    response = admin_of(manager).post(reverse("admin:handoffs_routingrule_add"), impossible)

    assert "No company has at least 500 and at most 50 employees." in response.content.decode()


def test_a_playbook_keeps_commas_and_refuses_what_nothing_fills_in(
    pool: Pool, marketing: User, admin_of
) -> None:
    client = admin_of(marketing)
    add = reverse("admin:handoffs_playbook_add")

    refused = client.post(add, PLAYBOOK | {"opening_line": "Hello {firstname}"})
    assert "Nothing fills in {firstname}." in refused.content.decode()

    assert client.post(add, PLAYBOOK).status_code == 302
    assert Playbook.objects.get(name="Ours").topics == ["Price, and value", "Time"]


def test_a_gate_that_asks_for_nothing_is_refused(pool: Pool, manager: User, admin_of) -> None:
    client = admin_of(manager)
    change = reverse("admin:handoffs_qualificationgate_change", args=[QualificationGate.objects.get().pk])

    assert "would make every lead an SQL" in client.post(change, {"requires": []}).content.decode()
    client.post(change, {"requires": ["need", "budget"]})

    assert QualificationGate.objects.get().requires == ["budget", "need"]


def test_nobody_sets_the_state_of_a_handoff_in_the_admin(handoff: Handoff, manager: User, admin_of) -> None:
    manager.is_superuser = True
    manager.save(update_fields=["is_superuser"])
    client = admin_of(manager)
    change = reverse("admin:handoffs_handoff_change", args=[handoff.pk])

    assert client.post(change, {"status": "rejected"}).status_code == 403
    assert client.post(reverse("admin:handoffs_handoff_add"), {}).status_code == 403
    assert client.post(reverse("admin:handoffs_handoff_delete", args=[handoff.pk])).status_code == 403
    handoff.refresh_from_db()
    assert handoff.status == Handoff.Status.OFFERED


def test_a_reason_keeps_its_code_and_is_never_deleted(pool: Pool, manager: User, admin_of) -> None:
    client = admin_of(manager)
    premature = RejectionReason.objects.get(code="premature")
    form = {
        "code": "changed",
        "label": "Too early",
        "position": "1",
        "is_active": "on",
        "type": "timing",
        "treatment": "educate",
        "consequence": "Comes back.",
        "recycle_after_days": "",
        "requires_attempts": "0",
    }
    change = reverse("admin:feedback_rejectionreason_change", args=[premature.pk])

    refused = client.post(change, form)
    assert "Say after how many days" in refused.content.decode()
    client.post(change, form | {"recycle_after_days": "14"})
    deleting = client.post(reverse("admin:feedback_rejectionreason_delete", args=[premature.pk]))

    premature.refresh_from_db()
    assert (premature.code, premature.label, premature.recycle_after_days) == ("premature", "Too early", 14)
    assert deleting.status_code == 403
