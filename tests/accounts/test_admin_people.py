"""Editing people in the admin."""

from __future__ import annotations

from django.urls import reverse

from accounts.models import User
from accounts.services import go_away
from tests.factories import NOON


def test_whom_an_operator_puts_back_is_back_as_by_the_ordinary_switch(client, operator, bdr):
    go_away(bdr, now=NOON, reason="3 offers in a row went unanswered.")
    client.force_login(operator)
    path = reverse("admin:accounts_user_change", args=[bdr.pk])
    filled = client.get(path).context["adminform"].form.initial
    shown = {name: filled[name] for name in ("username", "email", "time_zone", "role", "team")}
    none = {f"absences-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}

    sent = client.post(path, shown | none | {"is_active": "on", "away_reason": ""})

    assert sent.status_code == 302, sent.context["errors"]
    bdr = User.objects.get(pk=bdr.pk)
    assert (bdr.away_since, bdr.away_reason) == (None, "")
    assert bdr.back_since > NOON
