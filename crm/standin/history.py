"""LeadHistory: what happened to the tracked fields of a lead, and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .schema import LEAD_HISTORY
from .values import stamp

if TYPE_CHECKING:
    from .org import Org


def record_changes(org: Org, before: Mapping[str, Any], after: Mapping[str, Any], *, by: str | None) -> None:
    for field in org.setup.tracked_fields:
        was, became = before.get(field), after.get(field)
        if was != became:
            _add(org, after["Id"], field.removesuffix("Id"), was, became, by=by)
        if was != became and field == "OwnerId":
            # Salesforce writes an owner's change twice: by id, and by name.
            _add(org, after["Id"], "Owner", _name(org, was), _name(org, became), by=by)


def record_event(org: Org, lead_id: str, event: str, *, by: str | None) -> None:
    """`created`, `leadConverted` or `leadMerged`."""
    if org.setup.tracked_fields:
        _add(org, lead_id, event, None, None, by=by)


def _add(org: Org, lead_id: str, field: str, was: Any, became: Any, *, by: str | None) -> None:
    doc = {
        "attributes": {"type": LEAD_HISTORY.name},
        "Id": org.store.next_id(LEAD_HISTORY.prefix),
        "IsDeleted": False,
        "CreatedDate": stamp(org.clock()),
        "CreatedById": by,
        "LeadId": lead_id,
        "Field": field,
        "OldValue": was,
        "NewValue": became,
    }
    org.store.insert(LEAD_HISTORY.name, doc)


def _name(org: Org, owner_id: str | None) -> str | None:
    owner = org.store.get(owner_id) if owner_id else None
    return owner["Name"] if owner else None
