"""Fields that both sides may change, and of which ours is not right in any case (CRM-3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from simple_salesforce.format import format_soql

from crm.claims import Claim
from crm.client import SalesforceClient
from crm.mapping import FieldRule, Rules, as_stored

# The address of a query may be 16,384 characters long, and an id takes 27 of them.
IDS_PER_QUERY = 400


def leave_theirs(client: SalesforceClient, claims: Sequence[Claim], *, rules: Rules) -> None:
    """Take from what is about to be sent the fields that somebody changed there since the last time we knew.

    The poll reads their change and settles it by the rule of the field; sent now, ours would be all that is
    left to read. One query for 400 leads, and only where such a field is to be sent. Raises SalesforceError.
    """
    contested = rules.contested_of_lead
    names = {rule.salesforce_field for rule in contested}
    asked = [claim for claim in claims if _is_known(claim) and not names.isdisjoint(claim.sync.sending)]
    for start in range(0, len(asked), IDS_PER_QUERY):
        chunk = asked[start : start + IDS_PER_QUERY]
        theirs = _read(client, chunk, sorted(names))
        for claim in chunk:
            if row := theirs.get(claim.sync.salesforce_id):
                _hold_back(claim, row, contested)


def _is_known(claim: Claim) -> bool:
    return bool(claim.sync.salesforce_id and (claim.sync.acknowledged or claim.sync.master_id))


def _read(client: SalesforceClient, claims: Sequence[Claim], names: Sequence[str]) -> dict[str, Any]:
    ids = [claim.sync.salesforce_id for claim in claims]
    soql = format_soql(f"SELECT Id, {', '.join(names)} FROM Lead WHERE Id IN {{}}", ids)
    return {row["Id"]: row for row in client.query(soql)}


def _hold_back(claim: Claim, theirs: Mapping[str, Any], contested: Sequence[FieldRule]) -> None:
    sync = claim.sync
    changed_there = {
        rule.salesforce_field
        for rule in contested
        if as_stored(theirs.get(rule.salesforce_field), rule)
        != as_stored(claim.known.get(rule.salesforce_field), rule)
    }
    sync.sending = {name: value for name, value in sync.sending.items() if name not in changed_there}
