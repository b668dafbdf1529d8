"""What an org refuses to store although each value is well-formed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .errors import ApiError
from .fields import Field, SObject
from .schema import CAMPAIGN_MEMBER, LEAD, QUEUE_SOBJECT
from .setup import Setup

if TYPE_CHECKING:
    from .org import Caller, Org


def check_links(org: Org, sobject: SObject, record: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Links that change must lead to a live record of the right type, and owners must be able to own."""
    for name, value in values.items():
        field = sobject.field(name)
        if not field.refers_to or value is None or value == record.get(name):
            continue
        target = org.store.get(value)
        if target is None or target["IsDeleted"] or target["attributes"]["type"] not in field.refers_to:
            words = f"{field.name}: id value of incorrect type: {value}"
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", words, (field.name,))
        _check_target(org, sobject, field, target)


def _check_target(org: Org, sobject: SObject, field: Field, target: Mapping[str, Any]) -> None:
    match target["attributes"]["type"]:
        case "User" if not target["IsActive"]:
            words = "operation performed with inactive user as owner of " + sobject.name.lower()
            raise ApiError(400, "INACTIVE_OWNER_OR_USER", words, (field.name,))
        case "Group":
            allowed = org.store.find(QUEUE_SOBJECT.name, "QueueId", target["Id"])
            if sobject.name not in {one["SobjectType"] for one in allowed}:
                words = "Queue not associated with this SObject type"
                raise ApiError(400, "FIELD_INTEGRITY_EXCEPTION", words, (field.name,))
        case "Lead" if target["IsConverted"]:
            words = "cannot reference converted lead"
            raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", words, (field.name,))


def check_unique(org: Org, sobject: SObject, values: Mapping[str, Any], *, record_id: str | None) -> None:
    for name, value in values.items():
        field = sobject.by_name.get(name.lower())
        if field is None or not field.unique or value is None:
            continue
        others = [one for one in org.store.find(sobject.name, name, value) if one["Id"] != record_id]
        if others:
            words = f"duplicate value found: {name} duplicates value on record with id: {others[0]['Id']}"
            raise ApiError(400, "DUPLICATE_VALUE", words)


def check_rules(setup: Setup, sobject: SObject, record: Mapping[str, Any]) -> None:
    """The org's own validation rules, which look at the record as it would become."""
    for rule in setup.validation_rules:
        object_name, _, field = rule.field.partition(".")
        if object_name == sobject.name and rule.refuses(record.get(field)):
            raise ApiError(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, (field,))


def check_membership(org: Org, values: Mapping[str, Any]) -> None:
    """Nobody is a member of a campaign twice, or as nobody."""
    for name in ("LeadId", "ContactId"):
        if values.get(name):
            already = org.store.find(CAMPAIGN_MEMBER.name, name, values[name])
            if any(one["CampaignId"] == values["CampaignId"] for one in already):
                raise ApiError(400, "DUPLICATE_VALUE", "Already a campaign member.")
            return
    raise ApiError(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [LeadId]", ("LeadId",))


def check_duplicates(org: Org, record: Mapping[str, Any], values: Mapping[str, Any], caller: Caller) -> None:
    """The org's duplicate rule: leads that share an e-mail address, unless they are converted."""
    email = values.get("Email")
    if org.setup.duplicate_rule == "off" or not email or email == record.get("Email"):
        return
    alerts_only = org.setup.duplicate_rule == "alert"
    if alerts_only and caller.saves_duplicates:
        return
    same = org.store.find(LEAD.name, "Email", email)
    matches = [one for one in same if one["Id"] != record.get("Id") and not one["IsConverted"]]
    if matches:
        result = _duplicate_result(org, matches, caller, may_save=alerts_only)
        words = "Use one of these records?"
        raise ApiError(400, "DUPLICATES_DETECTED", words, more={org.setup.duplicate_key: result})


def _duplicate_result(
    org: Org, matches: list[dict[str, Any]], caller: Caller, *, may_save: bool
) -> dict[str, Any]:
    seen = org.seen(LEAD.name)
    records = []
    for match in matches:
        url = f"/services/data/v{caller.version}/sobjects/Lead/{match['Id']}"
        record = {"attributes": {"type": LEAD.name, "url": url}, "Id": match["Id"]}
        if caller.wants_details:
            record |= {field.name: match.get(field.name) for field in seen.fields}
        found = {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": record}
        records.append(found)
    return {
        "allowSave": may_save,
        "duplicateRule": org.duplicate_rule_name,
        "duplicateRuleEntityType": LEAD.name,
        "errorMessage": "Use one of these records?",
        "matchResults": [
            {
                "entityType": LEAD.name,
                "errors": [],
                "matchEngine": "FuzzyMatchEngine",
                "matchRecords": records,
                "rule": "Standard_Lead_Match_Rule_v1_0",
                "size": len(records),
                "success": True,
            }
        ],
    }
