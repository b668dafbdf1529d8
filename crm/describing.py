"""What Salesforce's objects are like, asked seldom and kept: each question costs a call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.client import SalesforceClient
from crm.mapping.checking import RemoteField
from crm.models import ObjectDescription

MAPPED_OBJECTS = ("Lead", "Task")
# Of some hundred that `describe` tells of each field.
KEPT = (
    "name",
    "label",
    "type",
    "length",
    "createable",
    "updateable",
    "externalId",
    "unique",
    "restrictedPicklist",
)
# Orgs with more users than a list can be chosen from are mapped by e-mail address.
MOST_OWNERS = 2000
USERS = f"SELECT Id, Name, Email FROM User WHERE IsActive = true ORDER BY Name LIMIT {MOST_OWNERS}"
QUEUES = "SELECT QueueId, Queue.Name FROM QueueSobject WHERE SobjectType = 'Lead'"


@dataclass(frozen=True)
class Description:
    """An object's fields, by their names in lower case."""

    object_name: str
    fields: dict[str, RemoteField]
    fetched_at: datetime

    def field(self, name: str) -> RemoteField | None:
        """The field of that name, which Salesforce takes in any case."""
        return self.fields.get(name.lower())


@dataclass(frozen=True)
class Status:
    """A value of Lead Status. The one of a conversion cannot be written."""

    label: str
    is_converted: bool


@dataclass(frozen=True)
class Owner:
    """A user or a queue that can own a lead."""

    salesforce_id: str
    name: str
    email: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.email})" if self.email else self.name


def describe_org(client: SalesforceClient, *, now: datetime) -> None:
    """Ask anew for all that a mapping is made from: five calls. Raises SalesforceError."""
    for name in MAPPED_OBJECTS:
        fetch_description(client, name, now=now)
    statuses = [[status.label, status.is_converted] for status in client.lead_statuses()]
    _keep("LeadStatus", {"statuses": statuses}, now=now)
    users = [[row["Id"], row["Name"], row["Email"] or ""] for row in client.query(USERS)]
    _keep("User", {"owners": users}, now=now)
    queues = [[row["QueueId"], row["Queue"]["Name"]] for row in client.query(QUEUES)]
    _keep("Queue", {"owners": queues}, now=now)


def fetch_description(client: SalesforceClient, object_name: str, *, now: datetime) -> Description:
    """Ask for the fields of an object as our user sees them, and keep the answer. Raises SalesforceError."""
    fields = [_trimmed(field) for field in client.describe(object_name)["fields"]]
    return _as_description(_keep(object_name, {"fields": fields}, now=now))


def read_descriptions() -> dict[str, Description]:
    """The fields of each mapped object as they were kept; none of an object that was never asked for."""
    kept = ObjectDescription.objects.filter(object_name__in=MAPPED_OBJECTS)
    return {one.object_name: _as_description(one) for one in kept}


def read_statuses() -> list[Status]:
    """The values of Lead Status, in the order of the picklist; none if nobody asked."""
    return [Status(*row) for row in _kept_rows("LeadStatus", "statuses")]


def read_users() -> list[Owner]:
    """The active users who may own a lead; none if nobody asked."""
    return [Owner(*row) for row in _kept_rows("User", "owners")]


def read_queues() -> list[Owner]:
    """The queues that take leads; none if nobody asked."""
    return [Owner(*row) for row in _kept_rows("Queue", "owners")]


def _kept_rows(object_name: str, key: str) -> Iterable[list[Any]]:
    kept = ObjectDescription.objects.filter(object_name=object_name).first()
    return kept.content[key] if kept else []


def _keep(object_name: str, content: dict[str, Any], *, now: datetime) -> ObjectDescription:
    return ObjectDescription.objects.update_or_create(
        object_name=object_name, defaults={"content": content, "fetched_at": now}
    )[0]


def _trimmed(field: dict[str, Any]) -> dict[str, Any]:
    values = [
        {"value": one["value"], "active": one.get("active", True)}
        for one in field.get("picklistValues") or ()
    ]
    return {key: field.get(key) for key in KEPT} | ({"picklistValues": values} if values else {})


def _as_description(kept: ObjectDescription) -> Description:
    fields = [RemoteField.read(field) for field in kept.content["fields"]]
    return Description(kept.object_name, {field.name.lower(): field for field in fields}, kept.fetched_at)
