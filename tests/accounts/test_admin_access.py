"""The admin is entered by role, and what a role may edit there follows one table (OPS-1)."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django_q.models import OrmQ

from accounts.backends import ADMIN_ACCESS
from accounts.models import User
from tests.factories import UserFactory

Role = User.Role

EDITS = [
    (Role.MARKETING, "scoring.change_rule", True),
    (Role.MARKETING, "scoring.add_modelversion", True),
    (Role.MARKETING, "sla.change_policy", False),
    (Role.MARKETING, "sla.view_policy", True),
    (Role.MARKETING, "accounts.change_user", False),
    (Role.MANAGER, "sla.change_policy", True),
    (Role.MANAGER, "handoffs.change_routingrule", True),
    (Role.MANAGER, "handoffs.change_handoff", False),
    (Role.MANAGER, "scoring.change_rule", False),
    (Role.MANAGER, "scoring.view_rule", True),
    (Role.OPERATOR, "accounts.change_user", True),
    (Role.OPERATOR, "leads.change_quarantineditem", True),
    (Role.OPERATOR, "scoring.change_rule", False),
    (Role.READ_ONLY, "scoring.view_rule", True),
    (Role.READ_ONLY, "scoring.change_rule", False),
    (Role.READ_ONLY, "accounts.view_apitoken", False),
    (Role.BDR, "scoring.view_rule", False),
    (Role.BDR, "leads.view_lead", False),
]


@pytest.mark.parametrize(("role", "permission", "allowed"), EDITS)
def test_the_role_decides_what_may_be_edited(db: None, role: str, permission: str, allowed: bool) -> None:
    assert UserFactory(role=role).has_perm(permission) is allowed


@pytest.mark.parametrize("role", Role.values)
def test_every_name_in_the_table_is_an_app_or_a_model(db: None, role: str) -> None:
    models = {
        f"{app}.{model}"
        for app, model in Permission.objects.values_list("content_type__app_label", "content_type__model")
    }
    apps = {name.partition(".")[0] for name in models}
    access = ADMIN_ACCESS[role]

    assert access.edits | access.views <= models | apps | {"protocol", "operations"}


def test_permission_rows_in_the_database_give_nothing(reader: User) -> None:
    reader.user_permissions.add(Permission.objects.get(codename="change_user"))

    assert not User.objects.get(pk=reader.pk).has_perm("accounts.change_user")


def test_a_closed_account_may_nothing(operator: User) -> None:
    operator.is_active = False

    assert not operator.has_perm("accounts.view_user")


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.BDR])
def test_every_role_but_bdr_enters_the_admin_without_is_staff(client: Client, db: None, role: str) -> None:
    client.force_login(UserFactory(role=role, is_staff=False))

    assert client.get("/admin/").status_code == 200


def test_a_bdr_is_told_that_the_admin_is_not_theirs(client: Client, bdr: User) -> None:
    client.force_login(bdr)

    response = client.get("/admin/", follow=True)

    assert response.status_code == 403


def test_strangers_sign_in_at_the_throttled_page(client: Client, db: None) -> None:
    response = client.get("/admin/scoring/", follow=True)

    assert response.redirect_chain[-1][0] == "/login/?next=/admin/scoring/"


def test_the_admin_is_branded_and_leads_back(client: Client, operator: User) -> None:
    client.force_login(operator)

    page = client.get("/admin/").content.decode()

    assert "Handoff Portal admin" in page
    assert '<a href="/">Back to the portal</a>' in page


def test_an_operator_cannot_take_over_a_superuser(client: Client, operator: User) -> None:
    root = UserFactory(username="root", is_superuser=True)
    client.force_login(operator)

    client.post(
        f"/admin/accounts/user/{root.pk}/password/", {"password1": "my own 1", "password2": "my own 1"}
    )
    client.post(f"/admin/accounts/user/{operator.pk}/change/", {"is_superuser": "on", "username": "ola"})

    root.refresh_from_db()
    operator.refresh_from_db()
    assert root.check_password("correct horse")
    assert not operator.is_superuser


def test_an_operator_cannot_delete_a_superuser(client: Client, operator: User) -> None:
    root = UserFactory(username="root", is_superuser=True)
    other = UserFactory(username="other")
    client.force_login(operator)

    alone = client.post(f"/admin/accounts/user/{root.pk}/delete/", {"post": "yes"})
    client.post(
        "/admin/accounts/user/",
        {"action": "delete_selected", "_selected_action": [root.pk, other.pk], "post": "yes"},
    )

    assert alone.status_code == 403
    assert User.objects.filter(pk__in=[root.pk, other.pk]).count() == 2


@pytest.mark.parametrize("model", ["success", "failure", "ormq"])
def test_an_operator_reads_what_is_queued_and_changes_nothing(
    client: Client, operator: User, model: str
) -> None:
    client.force_login(operator)

    assert client.get(f"/admin/django_q/{model}/").status_code == 200
    assert not operator.has_perm(f"django_q.change_{model}")


def test_not_even_a_superuser_adds_or_deletes_queued_work(client: Client, db: None) -> None:
    OrmQ.objects.create(key="portal", payload="x")
    client.force_login(UserFactory(username="root", is_superuser=True))

    for model in ("success", "failure", "ormq"):
        assert client.get(f"/admin/django_q/{model}/add/").status_code == 403
    assert client.post(f"/admin/django_q/ormq/{OrmQ.objects.get().pk}/delete/").status_code == 403


def test_there_is_no_schedule_to_edit_that_is_never_run(client: Client, db: None) -> None:
    client.force_login(UserFactory(username="root", is_superuser=True))

    assert client.get("/admin/django_q/schedule/").status_code == 404
