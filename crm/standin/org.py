"""The org behind the API: what a write does to the records, and what a query answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import ApiError, ManyMatches, not_found
from .schema import (
    CONVERTED_STATUS,
    GROUP,
    LEAD,
    LEAD_STATUS,
    LEAD_STATUSES,
    TASK,
    USER,
    Field,
    SObject,
    clean_values,
    stamp,
)
from .soql import Column, compile_query
from .store import Record, Store

QUEUE_NAME = "Web leads"
INTEGRATION_USER = ("Portal", "Integration", "portal.integration@standin.example")
# Who acts when a lead is changed on the stand-in's own page.
SALES_USER = ("Sam", "Seller", "sam.seller@standin.example")
OTHER_USERS = (
    ("Robin", "Rep", "robin.rep@standin.example"),
    ("Alex", "Account", "alex.account@standin.example"),
)


@dataclass(frozen=True)
class Caller:
    """Who writes, and whether the org's assignment rule may run: it does unless told not to."""

    user_id: str
    auto_assign: bool = True


class Org:
    """One Salesforce org. Each public method is one transaction."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.store = store
        self.clock = clock
        # As if each transaction had begun this long ago and only now commits: readers meet rows whose stamp
        # is older than what they have already seen.
        self.stamp_lag = timedelta()
        if not store.all(USER.name):
            self._found_org()

    # --- people ---

    @property
    def integration_user_id(self) -> str:
        return self.user_id(INTEGRATION_USER[2])

    @property
    def sales_user_id(self) -> str:
        return self.user_id(SALES_USER[2])

    @property
    def queue_id(self) -> str:
        return str(self.store.find(GROUP.name, "Name", QUEUE_NAME)[0]["Id"])

    def user_id(self, username: str) -> str:
        return str(self.store.find(USER.name, "Username", username)[0]["Id"])

    def add_user(self, first_name: str, last_name: str, email: str) -> str:
        """The id of the active user with that username, made if there is none."""
        with self.store.transaction():
            found = self.store.find(USER.name, "Username", email)
            if found:
                return str(found[0]["Id"])
            values = {"FirstName": first_name, "LastName": last_name, "Email": email, "Username": email}
            return self._insert(USER, {**values, "IsActive": True}, by=None)

    def _found_org(self) -> None:
        for person in (INTEGRATION_USER, SALES_USER, *OTHER_USERS):
            self.add_user(*person)
        with self.store.transaction():
            self._insert(GROUP, {"Name": QUEUE_NAME, "Type": "Queue"}, by=None)
            for order, label in enumerate(LEAD_STATUSES, start=1):
                values = {"MasterLabel": label, "ApiName": label, "SortOrder": order, "IsDefault": order == 1}
                self._insert(LEAD_STATUS, {**values, "IsConverted": label == CONVERTED_STATUS}, by=None)

    # --- single records ---

    def get(self, sobject: SObject, record_id: str) -> Record:
        """One live record. Raises NOT_FOUND."""
        record = self.store.get(record_id)
        if record is None or not record["Id"].startswith(sobject.prefix) or record["IsDeleted"]:
            raise not_found()
        return record

    def create(self, sobject: SObject, values: Mapping[str, Any], *, caller: Caller) -> str:
        with self.store.transaction():
            defaults = {"Status": LEAD_STATUSES[0]} if sobject is LEAD else {}
            cleaned = clean_values(sobject, {**defaults, **values}, creating=True)
            self._check_links(sobject, cleaned)
            self._check_unique(sobject, cleaned, record_id=None)
            if sobject in (LEAD, TASK):
                cleaned.setdefault("OwnerId", caller.user_id)
            self._assign(sobject, cleaned, caller)
            return self._insert(sobject, cleaned, by=caller.user_id)

    def update(self, sobject: SObject, record_id: str, values: Mapping[str, Any], *, caller: Caller) -> None:
        """Raises INVALID_CROSS_REFERENCE_KEY for an unknown id and ENTITY_IS_DELETED for a deleted one."""
        with self.store.transaction():
            record = self._writable(sobject, record_id)
            cleaned = clean_values(sobject, values, creating=False)
            if cleaned.get("Status") == CONVERTED_STATUS:
                words = "Status: a lead is converted, not set to a converted status"
                raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", words, ("Status",))
            self._check_links(sobject, cleaned)
            self._check_unique(sobject, cleaned, record_id=record["Id"])
            self._assign(sobject, cleaned, caller)
            self._write(sobject, {**record, **cleaned}, by=caller.user_id)

    def upsert(
        self, sobject: SObject, key: Field, value: str, values: Mapping[str, Any], *, caller: Caller
    ) -> tuple[str, bool]:
        """The record's id and whether it was created. Raises ManyMatches when the key is not unique."""
        with self.store.transaction():
            found = self.store.find(sobject.name, key.name, value)
            if len(found) > 1:
                raise ManyMatches([record["Id"] for record in found])
            if found:
                self.update(sobject, found[0]["Id"], values, caller=caller)
                return found[0]["Id"], False
            return self.create(sobject, {**values, key.name: value}, caller=caller), True

    def delete(self, sobject: SObject, record_id: str, *, caller: Caller) -> None:
        with self.store.transaction():
            record = self._writable(sobject, record_id)
            self._write(sobject, {**record, "IsDeleted": True}, by=caller.user_id)

    def _writable(self, sobject: SObject, record_id: str) -> Record:
        record = self.store.get(record_id)
        if record is None or not record["Id"].startswith(sobject.prefix):
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if record["IsDeleted"]:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        if record.get("IsConverted"):
            raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
        return record

    def _check_links(self, sobject: SObject, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            field = sobject.field(name)
            if not field.refers_to or value is None:
                continue
            target = self.store.get(value)
            if target is None or target["IsDeleted"] or target["attributes"]["type"] not in field.refers_to:
                words = f"{field.name}: id value of incorrect type: {value}"
                raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", words, (field.name,))
            if target.get("IsActive") is False:
                words = "operation performed with inactive user as owner of lead"
                raise ApiError(400, "INACTIVE_OWNER_OR_USER", words, (field.name,))

    def _check_unique(self, sobject: SObject, values: Mapping[str, Any], *, record_id: str | None) -> None:
        for name, value in values.items():
            if not sobject.field(name).unique or value is None:
                continue
            others = [one for one in self.store.find(sobject.name, name, value) if one["Id"] != record_id]
            if others:
                words = f"duplicate value found: {name} duplicates value on record with id: {others[0]['Id']}"
                raise ApiError(400, "DUPLICATE_VALUE", words)

    def _assign(self, sobject: SObject, values: Record, caller: Caller) -> None:
        """The org's active assignment rule: it puts every lead written through the API into the queue."""
        if sobject is LEAD and caller.auto_assign:
            values["OwnerId"] = self.queue_id

    def _insert(self, sobject: SObject, values: Mapping[str, Any], *, by: str | None) -> str:
        empty = {field.name: False if field.type == "boolean" else None for field in sobject.fields}
        record_id = self.store.next_id(sobject.prefix)
        now = stamp(self.clock() - self.stamp_lag)
        doc = {
            "attributes": {"type": sobject.name},
            **empty,
            **values,
            "Id": record_id,
            "CreatedDate": now,
            "CreatedById": by,
        }
        self.store.insert(sobject.name, doc)
        self._write(sobject, doc, by=by)
        return record_id

    def _write(self, sobject: SObject, doc: Record, *, by: str | None) -> None:
        doc["LastModifiedDate"] = doc["SystemModstamp"] = stamp(self.clock() - self.stamp_lag)
        doc["LastModifiedById"] = by
        if sobject in (LEAD, USER):
            doc["Name"] = " ".join(part for part in (doc.get("FirstName"), doc["LastName"]) if part)
        self.store.replace(doc)

    # --- queries ---

    def query(self, text: str, *, version: str, with_deleted: bool = False) -> tuple[int, list[Record]]:
        """The number of matches and the records as the API shows them, all of them."""
        query = compile_query(text, with_deleted=with_deleted)
        rows = self.store.rows(query.sql, tuple(query.params))
        if query.counts:
            return int(rows[0][0]), []
        records = [_shown(query.sobject, query.columns, tuple(row), version) for row in rows]
        return len(records), records


def _shown(sobject: SObject, columns: list[Column], values: tuple[Any, ...], version: str) -> Record:
    shown: Record = {"attributes": {"type": sobject.name}}
    for column, value in zip(columns, values, strict=True):
        if len(column.path) == 2:
            relation = shown.setdefault(column.path[0], {"attributes": {"type": "Name"}})
            relation[column.path[1]] = value
            continue
        shown[column.path[0]] = bool(value) if column.type == "boolean" else value
        if column.path[0] == "Id":
            shown["attributes"]["url"] = record_url(sobject.name, value, version)
    return shown


def record_url(object_name: str, record_id: str, version: str) -> str:
    return f"/services/data/v{version}/sobjects/{object_name}/{record_id}"
