"""Who is who: people of the portal and users of Salesforce, pools and queues."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.db import transaction
from simple_salesforce.format import format_soql

from accounts.models import User
from crm.changes import send_again
from crm.client import SalesforceClient
from crm.describing import read_queues
from crm.models import LeadSync, OwnerMapping, QueueMapping
from handoffs.models import Handoff, Pool

log = structlog.get_logger("salesforce")

ACTIVE_USERS = "SELECT Id, Email FROM User WHERE IsActive = true"
IDS_PER_QUERY = 200


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


def refresh_activity(client: SalesforceClient, *, now: datetime) -> int:
    """Learn which of the mapped people may own records there; say of how many that changed. Their leads are
    compared again: who may no more hands them to a queue, and who may again gets them back.

    Raises SalesforceError. One who is not there at all counts as not active.
    """
    mapped = dict(OwnerMapping.objects.order_by("pk").values_list("salesforce_user_id", "is_active_there"))
    active: set[str] = set()
    ids = list(mapped)
    for start in range(0, len(ids), IDS_PER_QUERY):
        soql = format_soql(
            "SELECT Id FROM User WHERE IsActive = true AND Id IN {}", ids[start : start + IDS_PER_QUERY]
        )
        active |= {row["Id"] for row in client.query(soql)}
    changed = [each for each, was_active in mapped.items() if was_active != (each in active)]
    for each in changed:
        _note_activity(each, is_active=each in active, now=now)
    OwnerMapping.objects.filter(salesforce_user_id__in=ids).update(checked_at=now)
    return len(changed)


@transaction.atomic
def _note_activity(salesforce_user_id: str, *, is_active: bool, now: datetime) -> None:
    mapping = OwnerMapping.objects.filter(salesforce_user_id=salesforce_user_id)
    mapping.update(is_active_there=is_active)
    send_again(LeadSync.objects.filter(lead__owner__in=mapping.values("user")), now=now)
    log.info("salesforce.owner_activity", owner=salesforce_user_id, is_active=is_active)


@transaction.atomic
def map_owner(user: User, *, salesforce_user_id: str, now: datetime) -> None:
    """Say which Salesforce user a person is, and have their leads sent with that owner."""
    OwnerMapping.objects.update_or_create(user=user, defaults={"salesforce_user_id": salesforce_user_id})
    send_again(LeadSync.objects.filter(lead__owner=user), now=now)
    log.info("salesforce.owner_mapped", user=user.pk)


def map_queues_by_name(*, now: datetime) -> int:
    """Map the pools that are not mapped yet to the queue of the same name, among those that Salesforce last
    told of; say how many were added. Mappings made by hand are left alone, and a name that several queues
    share is nobody's."""
    ids: dict[str, list[str]] = {}
    for queue in read_queues():
        ids.setdefault(queue.name.strip().lower(), []).append(queue.salesforce_id)
    added = 0
    for pool in Pool.objects.exclude(pk__in=QueueMapping.objects.values("pool")):
        found = ids.get(pool.name.strip().lower(), [])
        if len(found) == 1:
            map_queue(pool, queue_id=found[0], now=now)
            added += 1
    return added


@transaction.atomic
def map_queue(pool: Pool, *, queue_id: str, now: datetime) -> None:
    """Say which queue a pool is, and have the leads that wait in it sent with that owner."""
    QueueMapping.objects.update_or_create(pool=pool, defaults={"queue_id": queue_id})
    of_pool = Handoff.objects.open().filter(pool=pool)
    send_again(LeadSync.objects.filter(lead__in=of_pool.values("lead")), now=now)
    log.info("salesforce.queue_mapped", pool=pool.pk)


def _mapped_people() -> list[int]:
    return list(OwnerMapping.objects.values_list("user_id", flat=True))
