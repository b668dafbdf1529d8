"""What both sides may change, and of which ours is not right in any case (CRM-3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crm.claims import Claim
from crm.client import SalesforceClient
from crm.mapping import FieldRule, Rules, as_stored
from crm.models import LeadSync

# They have mappings of their own: sales takes a lead up, turns it down or passes it on with them.
STATUS, OWNER = "Status", "OwnerId"


def contested_fields(rules: Rules) -> set[str]:
    """Their names there."""
    return {STATUS, OWNER, *(rule.salesforce_field for rule in rules.contested_of_lead)}


def leave_theirs(client: SalesforceClient, claims: Sequence[Claim], *, rules: Rules) -> None:
    """Take from what is about to be sent the fields that somebody changed there since the last time we knew.

    The poll reads their change and settles it by the rule of the field; sent now, ours would be all that is
    left to read. One call for 2,000 leads, and only where such a field is to be sent. What is not there any
    more is sent all the same: the answer says so. Raises SalesforceError.
    """
    names = contested_fields(rules)
    asked = [claim for claim in claims if _is_known(claim) and not names.isdisjoint(claim.sync.sending)]
    if not asked:
        return
    ids = sorted({claim.sync.salesforce_id for claim in asked})
    theirs = client.read_rows("Lead", ids, fields=sorted(names))
    for claim in asked:
        if row := theirs.get(claim.sync.salesforce_id):
            _hold_back(claim, row, rules.contested_of_lead)


def _is_known(claim: Claim) -> bool:
    return bool(claim.sync.salesforce_id and (claim.sync.acknowledged or claim.sync.master_id))


def _hold_back(claim: Claim, theirs: Mapping[str, Any], contested: Sequence[FieldRule]) -> None:
    sync = claim.sync
    changed_there = {
        *_changed_standing(sync, theirs),
        *(
            rule.salesforce_field
            for rule in contested
            if as_stored(theirs.get(rule.salesforce_field), rule)
            != as_stored(claim.known.get(rule.salesforce_field), rule)
        ),
    }
    sync.sending = {name: value for name, value in sync.sending.items() if name not in changed_there}


def _changed_standing(sync: LeadSync, theirs: Mapping[str, Any]) -> Iterator[str]:
    """Status and owner, of which a value that was never read is no change."""
    if sync.remote_status not in ("", theirs[STATUS]):
        yield STATUS
    if sync.remote_owner_id not in ("", theirs[OWNER]):
        yield OWNER
