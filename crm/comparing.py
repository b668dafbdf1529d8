"""One lead as both sides have it right now, and what the mapping makes of each difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simple_salesforce.format import format_soql

from crm.client import SalesforceClient
from crm.mapping import FieldRule, Kind, LeadFacts
from crm.mapping.settling import settle
from crm.mapping.values import Value, as_stored
from crm.models import LeadSync
from crm.records import read_records, status_of_stage
from crm.rules import load_rules
from leads.models import Lead

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
    is_moment: bool = False

    @property
    def differs(self) -> bool:
        return self.verdict != SAME


def compare_lead(client: SalesforceClient, sync: LeadSync) -> list[ComparedField] | None:
    """Read the record and hold it against ours; None when Salesforce has it no more.
    Changes nothing and costs one call. Raises a SalesforceError."""
    rules = [rule for rule in load_rules().fields if rule.object_name == "Lead"]
    names = sorted({rule.salesforce_field for rule in rules} | {"Status", "OwnerId"})
    soql = format_soql(f"SELECT {', '.join(names)}, Owner.Name FROM Lead WHERE Id = {{}}", sync.salesforce_id)
    row = next(client.query(soql), None)
    if row is None:
        return None
    facts = read_records([sync.lead_id])[sync.lead_id].facts
    fields = [_compare(rule, facts, row, sync.acknowledged) for rule in rules]
    found = [_compare_status(facts, row), _compare_owner(sync.lead, facts, row), *fields]
    return found


def _compare(
    rule: FieldRule, facts: LeadFacts, row: Mapping[str, Any], acknowledged: Mapping[str, Any]
) -> ComparedField:
    ours, theirs = rule.portal.read(facts, facts.handoff), row.get(rule.salesforce_field)
    settled = settle(rule, base=acknowledged.get(rule.salesforce_field), ours=ours, theirs=theirs)
    here, there = as_stored(ours, rule), as_stored(theirs, rule)
    verdict = SENT if settled.send else TAKEN if settled.take else SAME if here == there else LEFT
    is_moment = rule.portal.kind is Kind.MOMENT
    return ComparedField(
        rule.portal.label, rule.salesforce_field, here, there, verdict, settled.why, is_moment
    )


def _compare_status(facts: LeadFacts, row: Mapping[str, Any]) -> ComparedField:
    """Status and owner have mappings of their own. What people did there is read back, so a difference is
    left for that."""
    ours, theirs = status_of_stage().get(facts.stage), row.get("Status")
    return ComparedField("Status", "Status", ours, theirs, SAME if ours == theirs else LEFT)


def _compare_owner(lead: Lead, facts: LeadFacts, row: Mapping[str, Any]) -> ComparedField:
    verdict = SAME if facts.owner_salesforce_id == row.get("OwnerId") else LEFT
    ours = str(lead.owner) if lead.owner else None
    return ComparedField("Owner", "OwnerId", ours, (row.get("Owner") or {}).get("Name"), verdict)
