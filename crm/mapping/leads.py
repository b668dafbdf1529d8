"""What Salesforce is told about a lead. Pure: plain values in, fields out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm.mapping.facts import HandoffFacts, LeadFacts
from crm.mapping.rules import FieldRule, Rules
from crm.mapping.values import Fields, as_sent, as_stored


def map_lead(lead: LeadFacts, *, rules: Rules, statuses: Mapping[str, str]) -> Fields:
    """The fields of the Lead. A blank is told only where the rule sends blanks: it never erases what a rep
    entered.

    `statuses` gives the Lead Status of a stage; a stage without one leaves the status alone, and so does an
    owner whom Salesforce does not know.
    """
    fields = map_fields(rules.sent_of_lead, lead, lead.handoff)
    if status := statuses.get(lead.stage):
        fields["Status"] = status
    if lead.owner_salesforce_id:
        fields["OwnerId"] = lead.owner_salesforce_id
    return fields


def map_fields(rules: tuple[FieldRule, ...], lead: LeadFacts, handoff: HandoffFacts | None) -> Fields:
    """The value of each field that these rules send."""
    fields: Fields = {}
    for rule in rules:
        stored = as_stored(rule.portal.read(lead, handoff), rule)
        if stored is not None or rule.sends_blanks or rule.portal.stand_in:
            fields[rule.salesforce_field] = as_sent(stored, rule)
    return fields


def changed_fields(wanted: Mapping[str, Any], acknowledged: Mapping[str, Any]) -> Fields:
    """What has to be sent so that Salesforce knows `wanted`. Only differences: what a rep changed there
    meanwhile stays. A blank that Salesforce was never told anything else about is no difference."""
    return {name: value for name, value in wanted.items() if acknowledged.get(name) != value}


def means_rejection(status: str, *, statuses: Mapping[str, str]) -> bool:
    """Whether a status set in Salesforce says that sales turned the lead down."""
    returned = {statuses[stage] for stage in ("nurture", "disqualified") if stage in statuses}
    working = {statuses[stage] for stage in ("lead", "mql", "sal", "sql", "opportunity") if stage in statuses}
    return status in returned - working
