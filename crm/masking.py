"""Personal data as the history of an exchange shows it: that there was some, and how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.mapping import Fields, Rules

# What the push itself writes besides the mapped fields, without a word about anybody.
IMPERSONAL = {
    *("Id", "Portal_Lead_Id__c", "Portal_Task_Id__c", "Status", "OwnerId", "WhoId"),
    *("Priority", "ActivityDate", "TaskSubtype", "CampaignId", "LeadId"),
}
# So short a value would be found in words that have nothing to do with it.
SHORTEST_HIDDEN = 4


def mask_value(value: Any) -> Any:
    """A personal value as the history keeps it, such as "A… (12 letters)"; a blank stays one."""
    if value in (None, ""):
        return value
    text = str(value)
    return f"{text[0]}… ({len(text)} letters)" if len(text) > 1 else "…"


def mask_fields(object_name: str, fields: Mapping[str, Any], *, rules: Rules) -> Fields:
    """The fields with those masked that are personal. A field that nobody knows any more counts as that."""
    return {
        name: mask_value(value) if _is_personal(object_name, name, rules) else value
        for name, value in fields.items()
    }


def mask_words(object_name: str, words: str, fields: Mapping[str, Any], *, rules: Rules) -> str:
    """What Salesforce answered, which may quote what was sent, without personal values."""
    personal = [
        str(value)
        for name, value in fields.items()
        if _is_personal(object_name, name, rules) and len(str(value or "")) >= SHORTEST_HIDDEN
    ]
    # The longest first: one may be part of another.
    for value in sorted(personal, key=len, reverse=True):
        words = words.replace(value, mask_value(value))
    return words


def _is_personal(object_name: str, name: str, rules: Rules) -> bool:
    if name in IMPERSONAL:
        return False
    rule = rules.by_salesforce_field.get((object_name, name))
    return rule is None or rule.portal.is_personal
