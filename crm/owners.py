"""Who is who: people of the portal and users of Salesforce."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction

from accounts.models import User
from crm.changes import send_again
from crm.client import SalesforceClient
from crm.models import LeadSync, OwnerMapping

log = structlog.get_logger("salesforce")

ACTIVE_USERS = "SELECT Id, Email FROM User WHERE IsActive = true"


def map_owners_by_email(client: SalesforceClient, *, now: datetime) -> int:
    """Map the people who are not mapped yet to the active Salesforce user with their e-mail address.

    Mappings made by hand are left alone, and an address that several users share is nobody's. Says how many
    were added. Raises SalesforceError.
    """
    unmapped = User.objects.filter(is_active=True).exclude(email="")
    people = {user.email.lower(): user for user in unmapped.exclude(pk__in=_mapped_people())}
    if not people:
        return 0
    ids: dict[str, list[str]] = {}
    for row in client.query(ACTIVE_USERS):
        ids.setdefault((row["Email"] or "").lower(), []).append(row["Id"])
    taken = set(OwnerMapping.objects.values_list("salesforce_user_id", flat=True))
    added = 0
    for email, user in people.items():
        found = ids.get(email, [])
        if len(found) == 1 and found[0] not in taken:
            map_owner(user, salesforce_user_id=found[0], now=now)
            added += 1
    return added


@transaction.atomic
def map_owner(user: User, *, salesforce_user_id: str, now: datetime) -> None:
    """Say which Salesforce user a person is, and have their leads sent with that owner."""
    OwnerMapping.objects.update_or_create(user=user, defaults={"salesforce_user_id": salesforce_user_id})
    send_again(LeadSync.objects.filter(lead__owner=user), now=now)
    log.info("salesforce.owner_mapped", user=user.pk)


def _mapped_people() -> list[int]:
    return list(OwnerMapping.objects.values_list("user_id", flat=True))
