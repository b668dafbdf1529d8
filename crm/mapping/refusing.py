"""Rules that cannot be: refused when somebody enters them, whatever the org is like. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from common.errors import InvalidInput
from crm.mapping.rules import LEAD_KEY, TASK_KEY, Direction, FieldRule, Precedence

# What the portal writes by itself, in any case.
_OWN = {
    "Lead": {"id", "ownerid", "status", LEAD_KEY.lower()},
    "Task": {
        "id", "ownerid", "status", "subject", "whoid", "priority", "description", "activitydate",
        "tasksubtype", TASK_KEY.lower(),
    },
}  # fmt: skip
# Salesforce makes no lead without them.
NEEDED = {"LastName", "Company"}


def refuse_impossible(rule: FieldRule, *, others: Iterable[FieldRule] = ()) -> None:
    """Raise InvalidInput, naming the culprit, for a rule that cannot be kept beside the others."""
    _check_names(rule)
    _check_direction(rule)
    _check_blanks(rule)
    for other in others:
        if rule.is_read and other.is_read and other.portal_field == rule.portal_field:
            raise InvalidInput(
                f"“{rule.portal.label}” is read from {other.salesforce_field} already: send only one.",
                field="direction",
            )


def _check_names(rule: FieldRule) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,79}", rule.salesforce_field):
        raise InvalidInput(
            "Enter the API name of the field, such as Portal_Score__c: letters, digits and underscores.",
            field="salesforce_field",
        )
    if rule.salesforce_field.lower() in _OWN[rule.object_name]:
        raise InvalidInput(
            f"{rule.salesforce_field} is written by the portal itself; map another field.",
            field="salesforce_field",
        )
    if rule.object_name == "Task" and not rule.portal.of_task:
        raise InvalidInput(
            f"“{rule.portal.label}” is about the lead: map it to a field of Lead.", field="portal_field"
        )


def _check_direction(rule: FieldRule) -> None:
    if rule.is_read and (rule.portal.target is None or rule.object_name != "Lead"):
        raise InvalidInput(
            f"“{rule.portal.label}” is made here, so it can only be sent to Salesforce.", field="direction"
        )
    if rule.object_name == "Lead" and rule.salesforce_field in NEEDED and not rule.is_sent:
        raise InvalidInput(
            f"Salesforce makes no lead without {rule.salesforce_field}: send it, one way or both.",
            field="direction",
        )


def _check_blanks(rule: FieldRule) -> None:
    if not rule.sends_blanks:
        return
    if rule.direction is Direction.PULL:
        raise InvalidInput("A field that is only read has no blank to send. Untick it.", field="sends_blanks")
    if rule.portal.stand_in:
        raise InvalidInput(
            f"Salesforce keeps no lead with a blank {rule.salesforce_field}. Untick it.", field="sends_blanks"
        )
    if rule.portal.key == "unsubscribed":
        raise InvalidInput(
            "A blank would take back what somebody asked for in Salesforce. Untick it.", field="sends_blanks"
        )
    if rule.direction is Direction.BOTH and rule.rule is Precedence.OURS_IF_BLANK:
        raise InvalidInput(
            "By this rule a blank there is filled from here, so ours cannot count. Untick it, or choose "
            "another rule.",
            field="sends_blanks",
        )
