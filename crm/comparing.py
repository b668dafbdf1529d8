"""One lead as both sides have it right now, and what the mapping makes of each difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simple_salesforce.format import format_soql

from crm.client import SalesforceClient
from crm.mapping import FieldRule, LeadFacts
from crm.mapping.settling import settle
from crm.mapping.values import Value, as_stored
from crm.models import LeadSync
from crm.records import read_records, status_of_stage
from crm.rules import load_rules

SAME, SENT, TAKEN, LEFT = "Same", "Ours will be sent", "Theirs will be taken over", "Each side keeps its own"


@dataclass(frozen=True)
class ComparedField:
    """One field on both sides, None for a blank; `why` where both had changed it."""

    label: str
    salesforce_field: str
    ours: Value
    theirs: Value
    verdict: str
    why: str = ""

    @property
    def differs(self) -> bool:
        return self.ours != self.theirs


def compare_lead(client: SalesforceClient, sync: LeadSync) -> list[ComparedField] | None:
    """Read the record and hold it against ours; None when Salesforce has it no more. Changes nothing and
    costs one call. Raises a SalesforceError."""
    rules = [rule for rule in load_rules().fields if rule.object_name == "Lead"]
    names = sorted({rule.salesforce_field for rule in rules} | {"Status", "OwnerId"})
    soql = format_soql(f"SELECT {', '.join(names)} FROM Lead WHERE Id = {{}}", sync.salesforce_id)
    row = next(client.query(soql), None)
    if row is None:
        return None
    facts = read_records([sync.lead_id])[sync.lead_id].facts
    fields = [_compare(rule, facts, row, sync.acknowledged) for rule in rules]
    return [*_compare_fixed(facts, row), *fields]


def _compare(
    rule: FieldRule, facts: LeadFacts, row: Mapping[str, Any], acknowledged: Mapping[str, Any]
) -> ComparedField:
    ours, theirs = rule.portal.read(facts, facts.handoff), row.get(rule.salesforce_field)
    settled = settle(rule, base=acknowledged.get(rule.salesforce_field), ours=ours, theirs=theirs)
    stored, there = as_stored(ours, rule), as_stored(theirs, rule)
    verdict = SENT if settled.send else TAKEN if settled.take else SAME if stored == there else LEFT
    return ComparedField(rule.portal.label, rule.salesforce_field, stored, there, verdict, settled.why)


def _compare_fixed(facts: LeadFacts, row: Mapping[str, Any]) -> list[ComparedField]:
    """Status and owner, which have mappings of their own. What people did there is read back, so a difference
    is left for that."""
    pairs = (
        ("Status", "Status", status_of_stage().get(facts.stage, "")),
        ("Owner", "OwnerId", facts.owner_salesforce_id),
    )
    return [
        ComparedField(label, name, ours or None, row.get(name), SAME if ours == row.get(name) else LEFT)
        for label, name, ours in pairs
    ]
