"""What people do to leads in Salesforce and no REST call can: converting and merging them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from . import history
from .errors import ApiError
from .org import Org
from .schema import ACCOUNT, CONTACT, CONVERTED_STATUS, LEAD, OPPORTUNITY, OPPORTUNITY_STAGES, TASK, USER
from .store import Record

# A new deal is to close at the end of so many days; the form over there asks for no date.
DAYS_TO_CLOSE = 90
# Salesforce merges three records at a time.
MOST_MERGED = 3


@dataclass(frozen=True)
class Converted:
    account_id: str
    contact_id: str
    opportunity_id: str | None


def convert_lead(
    org: Org,
    lead_id: str,
    *,
    by: str,
    owner_id: str | None = None,
    account_id: str | None = None,
    with_opportunity: bool = True,
    opportunity_name: str | None = None,
    amount: float | None = None,
) -> Converted:
    """Turn a lead into a contact at an account, with a deal unless told not to.

    Its tasks move to the contact. A lead that a queue owns needs `owner_id`.
    """
    with org.store.transaction():
        lead = _open_lead(org, lead_id)
        owner_id = owner_id or lead["OwnerId"]
        if (org.store.get(owner_id) or {"attributes": {"type": ""}})["attributes"]["type"] != USER.name:
            words = "Converted objects can only be owned by users. Name an owner."
            raise ApiError(400, "INVALID_CROSS_REFERENCE_KEY", words, ("OwnerId",))
        account_id = account_id or _add_account(org, lead, owner_id, by)
        contact_id = _add_contact(org, lead, account_id, owner_id, by)
        opportunity_id = None
        if with_opportunity:
            name = opportunity_name or f"{lead['Company']}-"
            opportunity_id = _add_opportunity(org, lead, account_id, owner_id, by, name=name, amount=amount)
        _move_tasks(org, lead_id, by, {"WhoId": contact_id, "WhatId": opportunity_id or account_id})
        changes = {
            "Status": CONVERTED_STATUS,
            "IsConverted": True,
            "ConvertedDate": org.clock().date().isoformat(),
            "ConvertedAccountId": account_id,
            "ConvertedContactId": contact_id,
            "ConvertedOpportunityId": opportunity_id,
        }
        org.write(lead, changes, by=by)
        history.record_event(org, lead["Id"], "leadConverted", by=by)
        return Converted(account_id, contact_id, opportunity_id)


def merge_leads(
    org: Org, winner_id: str, loser_ids: Sequence[str], *, by: str, values: Mapping[str, Any] | None = None
) -> None:
    """Keep the winner, with `values` chosen from the others; they are deleted and point to it.

    The winner keeps its own external id. Tasks of the others become the winner's.
    """
    if not loser_ids or len(loser_ids) >= MOST_MERGED or winner_id in loser_ids:
        raise ApiError(400, "INVALID_ARGUMENT", "Merge one or two other leads into the one that is kept.")
    with org.store.transaction():
        winner = _open_lead(org, winner_id)
        for loser_id in loser_ids:
            loser = _open_lead(org, loser_id)
            org.write(loser, {"IsDeleted": True, "MasterRecordId": winner["Id"]}, by=by)
            _move_tasks(org, loser["Id"], by, {"WhoId": winner["Id"]})
        org.write(winner, dict(values or {}), by=by)
        history.record_event(org, winner["Id"], "leadMerged", by=by)


def _open_lead(org: Org, lead_id: str) -> Record:
    lead = org.get(LEAD, lead_id)
    if lead["IsConverted"]:
        raise ApiError(400, "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead")
    return lead


def _add_account(org: Org, lead: Record, owner_id: str, by: str) -> str:
    """The account of the lead's company: a conversion offers the one of that name first."""
    same = org.store.find(ACCOUNT.name, "Name", lead["Company"])
    if same:
        return str(same[0]["Id"])
    taken = ("Website", "Phone", "Industry", "NumberOfEmployees")
    values = {name: lead.get(name) for name in taken}
    values |= {"Name": lead["Company"], "BillingCountry": lead.get("Country"), "OwnerId": owner_id}
    return org.insert(ACCOUNT, values, by=by)


def _add_contact(org: Org, lead: Record, account_id: str, owner_id: str, by: str) -> str:
    taken = ("FirstName", "LastName", "Title", "Email", "Phone", "HasOptedOutOfEmail")
    values = {name: lead.get(name) for name in taken}
    return org.insert(CONTACT, {**values, "AccountId": account_id, "OwnerId": owner_id}, by=by)


def _add_opportunity(
    org: Org, lead: Record, account_id: str, owner_id: str, by: str, *, name: str, amount: float | None
) -> str:
    values = {
        "Name": name,
        "AccountId": account_id,
        "StageName": OPPORTUNITY_STAGES[0][0],
        "CloseDate": (org.clock() + timedelta(days=DAYS_TO_CLOSE)).date().isoformat(),
        "Amount": amount,
        "LeadSource": lead.get("LeadSource"),
        "OwnerId": owner_id,
    }
    return org.insert(OPPORTUNITY, values, by=by)


def _move_tasks(org: Org, lead_id: str, by: str, changes: Mapping[str, Any]) -> None:
    for task in org.store.find(TASK.name, "WhoId", lead_id):
        org.write(task, changes, by=by)
