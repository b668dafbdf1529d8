"""What both sides may change, and of which ours is not right in any case (CRM-3)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from crm.claims import Claim
from crm.client import SalesforceClient
from crm.mapping import FieldRule, Rules, as_stored
from crm.models import LeadSync, OwnerMapping
from crm.problems import RequestRefused
from crm.rules import without_missing

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
    theirs = _read(client, ids, rules)
    people = set(OwnerMapping.objects.values_list("salesforce_user_id", flat=True))
    for claim in asked:
        if row := theirs.get(claim.sync.salesforce_id):
            readable = [rule for rule in rules.contested_of_lead if rule.salesforce_field in row]
            _hold_back(claim, row, readable, people=people)


def _read(client: SalesforceClient, ids: Sequence[str], rules: Rules) -> Mapping[str, Mapping[str, Any]]:
    """The contested fields of these records, by id. One that is gone or hidden there must not hold up all
    leads; the answer to whoever sends it says so."""
    try:
        return client.read_rows("Lead", ids, fields=sorted(contested_fields(rules)))
    except RequestRefused as error:
        readable = without_missing(rules, error.problem)
        if readable is None:
            raise
    return client.read_rows("Lead", ids, fields=sorted(contested_fields(readable)))


def _is_known(claim: Claim) -> bool:
    return bool(claim.sync.salesforce_id and (claim.sync.acknowledged or claim.sync.master_id))


def _hold_back(
    claim: Claim, theirs: Mapping[str, Any], contested: Sequence[FieldRule], *, people: Collection[str]
) -> None:
    sync = claim.sync
    changed_there = {
        *_changed_standing(sync, theirs, people),
        *(rule.salesforce_field for rule in contested if _has_changed(claim, theirs, rule)),
    }
    sync.sending = {name: value for name, value in sync.sending.items() if name not in changed_there}


def _has_changed(claim: Claim, theirs: Mapping[str, Any], rule: FieldRule) -> bool:
    """Whether it says there what nobody told us, and what we did not send: our own words may have arrived
    without an answer."""
    name = rule.salesforce_field
    ours = (as_stored(claim.known.get(name), rule), as_stored(claim.sync.sending.get(name), rule))
    return as_stored(theirs.get(name), rule) not in ours


def _changed_standing(sync: LeadSync, theirs: Mapping[str, Any], people: Collection[str]) -> Iterator[str]:
    """Status and owner, as the poll will find them changed: of one that was never read only a person whom we
    know is news (see `crm.pull.news`)."""
    if sync.remote_status and theirs[STATUS] not in (sync.remote_status, sync.sending.get(STATUS)):
        yield STATUS
    is_known = bool(sync.remote_owner_id) or theirs[OWNER] in people
    if theirs[OWNER] not in (sync.remote_owner_id, sync.sending.get(OWNER)) and is_known:
        yield OWNER
