"""Which org we are signed in to: what we know of one org's records is wrong of another's."""

from __future__ import annotations

from crm.ids import full_id
from crm.models import Connection
from crm.problems import as_error, sort_problem


def admit_organization(organization_id: str) -> None:
    """Let a session be used that was just signed in to this org, if it is the one that we know; the first one
    ever is. Called before any other call is made. Raises LoginRefused."""
    signed_in_to = full_id(organization_id)
    if not signed_in_to:
        return
    state = Connection.objects.get_or_create(singleton=True)[0]
    Connection.objects.filter(pk=state.pk, organization_id="").update(organization_id=signed_in_to)
    state.refresh_from_db(fields=["organization_id"])
    if state.organization_id != signed_in_to:
        raise as_error(sort_problem("ANOTHER_ORG", f"{signed_in_to} instead of {state.organization_id}"))
