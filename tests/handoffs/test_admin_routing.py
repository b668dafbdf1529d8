"""Pools and rules in the admin: what makes no sense is refused, what will surprise is said (HAND-3)."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from accounts.models import User
from handoffs.models import Pool, PoolMembership, RoutingRule
from tests.factories import LeadFactory, PoolFactory, PoolMembershipFactory
from tests.handoffs.test_admin import RULE

ADD = "admin:handoffs_routingrule_add"


@pytest.fixture
def desk(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


@pytest.fixture
def inbound(bdr: User) -> Pool:
    pool = PoolFactory(name="Inbound")
    PoolMembershipFactory(pool=pool, user=bdr, skills=["ERP"])
    return pool


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"employees_from": "9", "employees_to": "3"}, "employees_to", "at least 9 and at most 3 employees"),
        ({"deal_size_from": "9", "deal_size_to": "3"}, "deal_size_to", "worth at least 9 and at most 3"),
        ({"strategy": "named_owner"}, "named_owner", "Name the person."),
        ({"named_owner": "bdr"}, "named_owner", "Only the strategy “A named person” takes a name."),
        ({"named_owner": "marketing", "strategy": "named_owner"}, "named_owner", "Select a valid choice"),
    ],
    ids=["employees", "deal size", "nobody named", "named in vain", "who works no handoffs"],
)
def test_a_rule_that_makes_no_sense_is_refused_at_the_field(
    desk: Client, inbound: Pool, bdr: User, marketing: User, given: dict[str, str], field: str, sentence: str
) -> None:
    people = {"bdr": bdr.pk, "marketing": marketing.pk}
    data = RULE | {"pool": inbound.pk} | {name: people.get(text, text) for name, text in given.items()}

    response = desk.post(reverse(ADD), data)

    assert sentence in str(response.context["adminform"].form.errors[field])
    assert not RoutingRule.objects.exists()


def test_a_rule_that_never_applies_and_one_nobody_fits_are_pointed_out(desk: Client, inbound: Pool) -> None:
    RoutingRule.objects.create(name="Everybody", position=0, pool=inbound)

    response = desk.post(
        reverse(ADD), RULE | {"position": "1", "pool": inbound.pk, "skills": "erp\r\nSteel\r\n"}
    )

    assert [str(message) for message in get_messages(response.wsgi_request)][:2] == [
        "“DACH” never applies: “Everybody” before it takes all its leads.",
        "Nobody in Inbound has all the skills that “DACH” asks for.",
    ]


def test_what_is_odd_about_a_rule_is_said_when_it_is_saved_and_in_the_list(
    desk: Client, inbound: Pool, now: datetime
) -> None:
    """Order and shadowing are shown where rules are ordered (HAND-3)."""
    LeadFactory(country="germany")
    RoutingRule.objects.create(name="Everybody", position=0, pool=inbound)

    given = RULE | {"pool": inbound.pk, "countries": "Germany\r\nGremany"}
    response = desk.post(reverse(ADD), given)
    listed = desk.get(reverse("admin:handoffs_routingrule_changelist")).content.decode()

    said = [str(message) for message in get_messages(response.wsgi_request)]
    assert "Position 0 is taken by “Everybody” too: the older rule comes first." in said
    assert "No lead comes from “Gremany” so far. Is it written as leads write it?" in said
    assert not any("“Germany”" in sentence for sentence in said)
    assert "“Everybody” before it takes all its leads" in listed


@pytest.mark.parametrize("category", ["D", "Zebra"])
def test_a_category_that_there_is_not_is_refused_in_words(desk: Client, inbound: Pool, category: str) -> None:
    response = desk.post(reverse(ADD), RULE | {"pool": inbound.pk, "categories": ["A", category]})

    errors = response.context["adminform"].form.errors["categories"]
    assert errors == [f"There is no category {category}."]


def test_a_member_without_weight_is_refused_at_the_field(desk: Client, inbound: Pool) -> None:
    member = PoolMembership.objects.get()
    change = reverse("admin:handoffs_pool_change", args=[inbound.pk])
    page = desk.get(change)
    form, (members,) = page.context["adminform"].form, page.context["inline_admin_formsets"]
    data = {name: form[name].value() or "" for name in form.fields}
    data |= {field.html_name: field.value() or "" for field in members.formset.management_form}
    data |= {field.html_name: field.value() or "" for field in members.formset.forms[0]}

    response = desk.post(change, data | {"memberships-0-weight": "0"})

    (refused,) = response.context["inline_admin_formsets"]
    assert list(refused.formset.errors[0]) == ["weight"]
    member.refresh_from_db()
    assert member.weight == 1


def test_a_member_gets_territory_languages_and_skills_but_nobody_writes_the_books(
    desk: Client, inbound: Pool
) -> None:
    member = PoolMembership.objects.get()
    data = {
        "name": "Inbound",
        "declined_for_days": "30",
        "max_hops": "3",
        "off_shift": "wait",
        "catches_up": "on",
        "returns_to_same_rep": "1",
        "returns_before_manager": "2",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "1",
        "memberships-0-id": member.pk,
        "memberships-0-pool": inbound.pk,
        "memberships-0-user": member.user_id,
        "memberships-0-weight": "2",
        "memberships-0-weekly_capacity": "40",
        "memberships-0-max_open": "80",
        "memberships-0-is_active": "on",
        "memberships-0-countries": "Korea, Republic of\r\nJapan",
        "memberships-0-languages": "English",
        "memberships-0-skills": "",
        "memberships-0-received": "99",
        "memberships-0-entitled": "99",
    }

    response = desk.post(reverse("admin:handoffs_pool_change", args=[inbound.pk]), data)

    member.refresh_from_db()
    inbound.refresh_from_db()
    assert response.status_code == 302
    assert (member.countries, member.languages, member.skills) == (
        ["Korea, Republic of", "Japan"],
        ["English"],
        [],
    )
    assert (member.weight, member.received, member.entitled) == (2, 0, 0)
    assert (inbound.off_shift, inbound.catches_up) == (Pool.OffShift.WAIT, True)


def test_pools_do_not_pass_leads_in_a_circle(desk: Client, inbound: Pool) -> None:
    rescue = PoolFactory(name="Rescue", catch_all=PoolFactory(name="Last", catch_all=inbound))
    page = desk.get(reverse("admin:handoffs_pool_change", args=[inbound.pk]))
    form = page.context["adminform"].form
    data = {name: form[name].value() or "" for name in form.fields} | {"catch_all": rescue.pk}
    data |= {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}

    response = desk.post(reverse("admin:handoffs_pool_change", args=[inbound.pk]), data)

    errors = response.context["adminform"].form.errors["catch_all"]
    assert errors == ["Leads that nobody keeps would come back here from Rescue."]
