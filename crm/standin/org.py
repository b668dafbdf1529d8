"""The org behind the API: what a write does to the records."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from . import history
from .checks import check_duplicates, check_links, check_membership, check_rules, check_unique
from .errors import ApiError, ManyMatches, not_found
from .fields import Field, SObject, no_access
from .founding import INTEGRATION_USER, LEAD_RULE, QUEUE_NAME, SALES_USER, found_org
from .schema import (
    ASSIGNMENT_RULE,
    CAMPAIGN_MEMBER,
    CONTACT,
    CONVERTED_STATUS,
    DUPLICATE_RULE,
    GROUP,
    LEAD,
    LEAD_HISTORY,
    LEAD_STATUSES,
    OBJECTS,
    OPPORTUNITY,
    OPPORTUNITY_STAGES,
    ORGANIZATION,
    QUEUE_SOBJECT,
    TASK,
    USER,
    sobject_named,
)
from .setup import Setup, change_setup
from .store import Record, Store
from .values import clean_values, stamp

NAMED_BY_PARTS = {LEAD.name, CONTACT.name, USER.name}
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    LEAD.name: {"Status": LEAD_STATUSES[0]},
    TASK.name: {"Status": "Not Started", "Priority": "Normal"},
    CAMPAIGN_MEMBER.name: {"Status": "Sent"},
}
STAGES = {stage: more for stage, *more in OPPORTUNITY_STAGES}


@dataclass(frozen=True)
class Caller:
    """Who writes, and what the call's headers said."""

    user_id: str
    # The org's assignment rule runs unless told not to.
    auto_assign: bool = True
    # Save in spite of a duplicate rule that only alerts, and tell all about the matches.
    saves_duplicates: bool = False
    wants_details: bool = False
    version: str = "68.0"


class Org:
    """One Salesforce org. Each public method is one transaction."""

    def __init__(
        self, store: Store, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC), seed: int = 0
    ) -> None:
        self.store = store
        self.clock = clock
        self._random = random.Random(seed)
        self._open()

    def _open(self) -> None:
        self._apply_setup(change_setup(Setup(), self.store.load_state("setup") or {}))
        if not self.store.all(USER.name):
            found_org(self)
        # They never change, and every write asks for some of them.
        self.integration_user_id = self.user_id(INTEGRATION_USER[2])
        self.sales_user_id = self.user_id(SALES_USER[2])
        self.queue_id = str(self.store.find(GROUP.name, "Name", QUEUE_NAME)[0]["Id"])
        self.organization_id = str(self.store.all(ORGANIZATION.name)[0]["Id"])

    def reset(self, *, seed: int = 0) -> None:
        """Forget every record and setting, and begin anew."""
        with self.store.transaction():
            self.store.clear()
            self._random.seed(seed)
            self._open()

    # --- setup ---

    def change_setup(self, **changes: Any) -> Setup:
        """Set switches, for good. Raises ValueError naming what is wrong."""
        setup = change_setup(self.setup, changes)
        with self.store.transaction():
            self.store.save_state("setup", setup.as_json())
            self._show_rule(ASSIGNMENT_RULE, "Active", setup.assignment_rule)
            self._show_rule(DUPLICATE_RULE, "IsActive", setup.duplicate_rule != "off")
        self._apply_setup(setup)
        return setup

    def _apply_setup(self, setup: Setup) -> None:
        self.setup = setup
        self._seen: dict[str, SObject] = {}

    def _show_rule(self, sobject: SObject, field: str, is_active: bool) -> None:
        rule = self.store.all(sobject.name)[0]
        if rule[field] != is_active:
            self.write(rule, {field: is_active}, by=None)

    def seen(self, name: str) -> SObject:
        """An object type as the API's user sees it. Raises NOT_FOUND."""
        sobject = sobject_named(name)
        if not self.knows(name):
            raise not_found()
        if sobject.name not in self._seen:
            self._seen[sobject.name] = self.setup.seen(sobject)
        return self._seen[sobject.name]

    def knows(self, name: str) -> bool:
        """Without a tracked field there is no history."""
        return name.lower() != LEAD_HISTORY.name.lower() or bool(self.setup.tracked_fields)

    def user_id(self, username: str) -> str:
        return str(self.store.find(USER.name, "Username", username)[0]["Id"])

    def add_user(self, first_name: str, last_name: str, email: str) -> str:
        """The id of the active user with that username, made if there is none."""
        with self.store.transaction():
            found = self.store.find(USER.name, "Username", email)
            if found:
                return str(found[0]["Id"])
            values = {"FirstName": first_name, "LastName": last_name, "Email": email, "Username": email}
            return self.insert(USER, {**values, "IsActive": True})

    def add_queue(self, name: str, *, of: str = "Lead") -> str:
        """The id of a new queue that may own records of one type."""
        with self.store.transaction():
            queue_id = self.insert(
                GROUP, {"Name": name, "DeveloperName": name.replace(" ", "_"), "Type": "Queue"}
            )
            self.insert(QUEUE_SOBJECT, {"QueueId": queue_id, "SobjectType": of})
            return queue_id

    # --- single records ---

    def get(self, sobject: SObject, record_id: str, *, with_deleted: bool = False) -> Record:
        """One record. Raises NOT_FOUND."""
        record = self.store.get(record_id)
        if record is None or record["attributes"]["type"] != sobject.name:
            raise not_found()
        if record["IsDeleted"] and not with_deleted:
            raise not_found()
        return record

    def create(self, sobject: SObject, values: Mapping[str, Any], *, caller: Caller) -> str:
        if not sobject.createable:
            raise no_access(f"entity type {sobject.name} does not support create")
        with self.store.transaction():
            cleaned = clean_values(sobject, {**DEFAULTS.get(sobject.name, {}), **values}, creating=True)
            if "ownerid" in sobject.by_name:
                cleaned.setdefault("OwnerId", caller.user_id)
            self._check(sobject, {}, cleaned, caller)
            self._assign(sobject, cleaned, caller)
            return self.insert(sobject, cleaned, by=caller.user_id)

    def update(self, sobject: SObject, record_id: str, values: Mapping[str, Any], *, caller: Caller) -> None:
        """Raises INVALID_CROSS_REFERENCE_KEY for an unknown id and ENTITY_IS_DELETED for a deleted one."""
        with self.store.transaction():
            self._change(sobject, self._record(sobject, record_id), values, caller)

    def _change(self, sobject: SObject, record: Record, values: Mapping[str, Any], caller: Caller) -> None:
        self._require_writable(sobject, record)
        cleaned = clean_values(sobject, values, creating=False)
        is_converted = cleaned.get("Status") == CONVERTED_STATUS != record.get("Status")
        if sobject.name == LEAD.name and is_converted:
            words = "Status: a lead is converted, not set to a converted status"
            raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", words, ("Status",))
        self._check(sobject, record, cleaned, caller)
        self._assign(sobject, cleaned, caller)
        self.write(record, cleaned, by=caller.user_id)

    def upsert(
        self,
        sobject: SObject,
        key: Field,
        value: str,
        values: Mapping[str, Any],
        *,
        caller: Caller,
        may_create: bool = True,
    ) -> tuple[str, bool]:
        """The record's id and whether it was created. Raises ManyMatches when the key is not unique."""
        with self.store.transaction():
            found = self.store.find(sobject.name, key.name, value)
            if len(found) > 1:
                raise ManyMatches([record["Id"] for record in found])
            if found:
                self._change(sobject, found[0], values, caller)
                return found[0]["Id"], False
            if not may_create:
                raise not_found()
            return self.create(sobject, {**values, key.name: value}, caller=caller), True

    def delete(self, sobject: SObject, record_id: str, *, caller: Caller) -> None:
        with self.store.transaction():
            record = self._record(sobject, record_id)
            self._require_writable(sobject, record)
            self.write(record, {"IsDeleted": True}, by=caller.user_id)

    def undelete(self, sobject: SObject, record_id: str, *, caller: Caller) -> None:
        """Take a record out of the recycle bin. A merged one cannot come back."""
        with self.store.transaction():
            record = self.get(sobject, record_id, with_deleted=True)
            if record.get("MasterRecordId"):
                raise ApiError(400, "UNDELETE_FAILED", "The record was merged into another.")
            check_unique(self, sobject, record, record_id=record["Id"])
            self.write(record, {"IsDeleted": False}, by=caller.user_id)

    def _record(self, sobject: SObject, record_id: str) -> Record:
        record = self.store.get(record_id)
        if record is None or record["attributes"]["type"] != sobject.name:
            raise ApiError(404, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        return record

    def _require_writable(self, sobject: SObject, record: Record) -> None:
        if not sobject.updateable:
            raise no_access("insufficient access rights on object id")
        if record["IsDeleted"]:
            raise ApiError(404, "ENTITY_IS_DELETED", "entity is deleted")
        if record.get("IsConverted") and not self.setup.edits_converted_leads:
            raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")

    def _check(self, sobject: SObject, record: Record, cleaned: Record, caller: Caller) -> None:
        check_links(self, sobject, record, cleaned)
        check_unique(self, sobject, cleaned, record_id=record.get("Id"))
        check_rules(self.setup, sobject, {**record, **cleaned})
        if sobject.name == LEAD.name:
            check_duplicates(self, record, cleaned, caller)
        elif sobject.name == CAMPAIGN_MEMBER.name and not record:
            check_membership(self, cleaned)

    def _assign(self, sobject: SObject, values: Record, caller: Caller) -> None:
        """The org's active assignment rule: it puts every lead written through the API into the queue."""
        if sobject.name == LEAD.name and caller.auto_assign and self.setup.assignment_rule:
            values["OwnerId"] = self.queue_id

    # --- what every write does, whoever makes it ---

    def insert(self, sobject: SObject, values: Mapping[str, Any], *, by: str | None = None) -> str:
        """Store a new record as it is. For what is allowed to whom, see `create`."""
        full = OBJECTS[sobject.name.lower()]
        moment = self._moment()
        doc = {"attributes": {"type": sobject.name}, **full.empty, **values}
        doc |= {"Id": self.store.next_id(sobject.prefix), "CreatedDate": moment, "CreatedById": by}
        self._finish(doc, moment=moment, by=by)
        self.store.insert(sobject.name, doc)
        if sobject.name == LEAD.name:
            history.record_event(self, doc["Id"], "created", by=by)
        return str(doc["Id"])

    def write(self, record: Record, changes: Mapping[str, Any], *, by: str | None) -> Record:
        """Store changes of a record as they are. For what is allowed to whom, see `update`."""
        doc = {**record, **changes}
        # Whoever writes second has waited for the first: a stamp never goes back.
        moment = max(self._moment(), record.get("SystemModstamp") or "")
        self._finish(doc, moment=moment, by=by)
        self.store.replace(doc, old=record)
        if doc["attributes"]["type"] == LEAD.name:
            history.record_changes(self, record, doc, by=by)
        return doc

    def _finish(self, doc: Record, *, moment: str, by: str | None) -> None:
        """Set what Salesforce sets itself."""
        doc["LastModifiedDate"] = doc["SystemModstamp"] = moment
        doc["LastModifiedById"] = by
        name = doc["attributes"]["type"]
        if name in NAMED_BY_PARTS:
            doc["Name"] = " ".join(part for part in (doc.get("FirstName"), doc["LastName"]) if part)
        elif name == TASK.name:
            doc["IsClosed"] = doc["Status"] == "Completed"
        elif name == OPPORTUNITY.name:
            probability, doc["IsClosed"], doc["IsWon"] = STAGES[doc["StageName"]]
            if doc["IsClosed"] or doc.get("Probability") is None:
                doc["Probability"] = probability

    @property
    def late_by(self) -> timedelta:
        """How long transactions take at most: what began before may still appear."""
        return timedelta(seconds=self.setup.late_commit_seconds)

    def _moment(self) -> str:
        is_late = self.late_by and self._random.random() < self.setup.late_commit_share
        return stamp(self.clock() - (self.late_by if is_late else timedelta()))

    @property
    def duplicate_rule_name(self) -> str:
        return LEAD_RULE


def record_url(object_name: str, record_id: str, version: str) -> str:
    return f"/services/data/v{version}/sobjects/{object_name}/{record_id}"
