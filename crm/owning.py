"""Who owns a record in Salesforce, given whose it is here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from crm.models import Connection, OwnerMapping, QueueMapping
from handoffs.models import Handoff

log = structlog.get_logger("salesforce")


@dataclass(frozen=True)
class Owners:
    """The mappings as they stood at one moment. Blank is nobody whom Salesforce would take: then the owner
    over there is left alone."""

    users: Mapping[int, str]
    """People who may own records there, by their id here."""
    refused: frozenset[int]
    """People who are known there but may not own records, such as those who left."""
    queues: Mapping[int, str]
    """By the id of their pool."""
    fallback: str

    def of_lead(self, owner_id: int | None, *, handoff: Handoff | None) -> str:
        """A person, or the queue of the pool in which the lead waits for one; `handoff` is its latest."""
        if owner_id is not None and owner_id in self.users:
            return self.users[owner_id]
        if owner_id is not None and owner_id not in self.refused:
            return ""
        queue = self.queues.get(handoff.pool_id, "") if handoff and handoff.is_open else ""
        return queue or (self.fallback if owner_id is not None else "")

    def of_task(self, owner_id: int | None) -> str:
        """A task can only be a person's."""
        return self.users.get(owner_id, "") if owner_id is not None else ""


def read_owners() -> Owners:
    users, refused = {}, set()
    mapped = OwnerMapping.objects.values_list("user_id", "salesforce_user_id", "is_active_there")
    for user_id, salesforce_id, is_active in mapped:
        if is_active:
            users[user_id] = salesforce_id
        else:
            refused.add(user_id)
    queues = dict(QueueMapping.objects.values_list("pool_id", "queue_id"))
    fallback = Connection.objects.values_list("fallback_queue_id", flat=True).first() or ""
    return Owners(users, frozenset(refused), queues, fallback)


def note_refused_owner(salesforce_id: str) -> bool:
    """Salesforce does not let this owner have records: send theirs with a queue from now on. False for one
    who is no person that we mapped, which nothing can be done about here."""
    if not OwnerMapping.objects.filter(salesforce_user_id=salesforce_id).update(is_active_there=False):
        return False
    log.warning("salesforce.owner_refused", owner=salesforce_id)
    return True
