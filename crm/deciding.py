"""What a person decides about one lead that Salesforce did not take: that a record there is the same person,
or what becomes of a record that was deleted there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Case, F, PositiveSmallIntegerField, When
from django.db.models.functions import Coalesce
from simple_salesforce.format import format_soql

from accounts.models import User
from common.errors import DomainError
from crm.client import SalesforceClient
from crm.mapping import LEAD_KEY, LeadFacts, Rules
from crm.mapping.settling import settle
from crm.mapping.values import as_sent, as_stored
from crm.models import Exchange, Lane, LeadSync, LeadSyncQuerySet
from crm.parked import NotParked
from crm.records import read_records
from crm.rules import load_rules
from leads.models import Lead

log = structlog.get_logger("salesforce")

MATCHES_SHOWN = 10
FIELDS_OF_MATCH = f"Id, Name, Title, Company, Email, Status, Owner.Name, IsConverted, CreatedDate, {LEAD_KEY}"


class CannotAdopt(DomainError):
    """That record cannot stand for this lead."""


@dataclass(frozen=True)
class Match:
    """A record of Salesforce that may be the same person. `portal_id` is blank while it is nobody's here;
    `obstacle` says why it cannot be adopted, blank if it can."""

    salesforce_id: str
    name: str
    title: str
    company: str
    email: str
    status: str
    owner: str
    created_at: datetime
    portal_id: str
    obstacle: str

    def __str__(self) -> str:
        return f"{self.name}, {self.company}" if self.company else self.name


# --- The same person ------------------------------------------------------------------------------


def find_matches(client: SalesforceClient, sync: LeadSync) -> list[Match]:
    """The records that may be this person: those that Salesforce named, and those with the e-mail address or
    with the same name at the same company. Raises a SalesforceError."""
    lead, named = sync.lead, _named_matches(sync)
    conditions = [format_soql("(LastName = {} AND Company = {})", lead.last_name, str(lead.company or ""))]
    if lead.email:
        conditions.append(format_soql("Email = {}", lead.email))
    if named:
        conditions.append(format_soql("Id IN {}", named))
    rows = client.query(
        f"SELECT {FIELDS_OF_MATCH} FROM Lead WHERE {' OR '.join(conditions)} LIMIT {MATCHES_SHOWN}"
    )
    found = [_match(row, lead) for row in rows]
    # What Salesforce itself named comes first, then the latest.
    return sorted(found, key=lambda one: (one.salesforce_id not in named, -one.created_at.timestamp()))


def adopt_record(
    client: SalesforceClient, sync: LeadSync, *, salesforce_id: str, by: User, now: datetime
) -> None:
    """Have a record there stand for this lead from now on, and send the lead to it.

    What reps entered there stays where the mapping says that Salesforce is right. Raises CannotAdopt,
    NotParked, a SalesforceError. Cut off in between, it may be asked for again.
    """
    if sync.parked_at is None:
        raise NotParked
    rules = load_rules()
    row = _read_row(client, salesforce_id, rules)
    match = _match(row, sync.lead)
    if match.obstacle:
        raise CannotAdopt(match.obstacle)
    if not match.portal_id:
        result = client.update_rows(
            "Lead", [{"Id": match.salesforce_id, LEAD_KEY: str(sync.lead.public_id)}]
        )[0]
        if result.problem:
            raise CannotAdopt(result.problem.in_plain_words)
    acknowledged = _already_right_there(rules, read_records([sync.lead_id])[sync.lead_id].facts, row)
    _free(_still_parked(sync), now=now, salesforce_id=match.salesforce_id, acknowledged=acknowledged)
    _note(sync, salesforce_id=match.salesforce_id, words="Adopted: this record stands for the lead.", now=now)
    log.info("salesforce.adopted", lead=sync.lead_id, by=by.pk)


def _named_matches(sync: LeadSync) -> list[str]:
    """The ids that Salesforce gave when it refused the lead last."""
    refused = Exchange.objects.filter(lead_id=sync.lead_id, outcome=Exchange.Outcome.REFUSED).order_by("-pk")
    latest = refused.first()
    return [str(one) for one in latest.fields.get("matches", ())] if latest else []


def _read_row(client: SalesforceClient, salesforce_id: str, rules: Rules) -> dict[str, Any]:
    names = {rule.salesforce_field for rule in rules.contested_of_lead}
    columns = ", ".join([FIELDS_OF_MATCH, *sorted(names - set(FIELDS_OF_MATCH.split(", ")))])
    row = next(client.query(format_soql(f"SELECT {columns} FROM Lead WHERE Id = {{}}", salesforce_id)), None)
    if row is None:
        raise CannotAdopt(
            "Salesforce has no such lead, or hides it from our user. Look for the record there."
        )
    return row


def _already_right_there(rules: Rules, facts: LeadFacts, row: Mapping[str, Any]) -> dict[str, Any]:
    """What counts as known there, though it differs: it is then not sent over what a rep entered, and the
    next reading takes theirs over."""
    known = {}
    for rule in rules.contested_of_lead:
        ours = rule.portal.read(facts, facts.handoff)
        if settle(rule, base=None, ours=ours, theirs=row.get(rule.salesforce_field)).take:
            known[rule.salesforce_field] = as_sent(as_stored(ours, rule), rule)
    return known


def _match(row: Mapping[str, Any], lead: Lead) -> Match:
    portal_id = row[LEAD_KEY] or ""
    obstacle = ""
    if row["IsConverted"]:
        obstacle = "That record was converted and cannot be written any more."
    elif portal_id and portal_id.lower() != str(lead.public_id):
        obstacle = "That record stands for another lead of the portal already. Merge the two in Salesforce."
    return Match(
        salesforce_id=row["Id"],
        name=row["Name"] or "",
        title=row["Title"] or "",
        company=row["Company"] or "",
        email=row["Email"] or "",
        status=row["Status"] or "",
        owner=(row.get("Owner") or {}).get("Name") or "",
        created_at=datetime.fromisoformat(row["CreatedDate"]),
        portal_id=portal_id,
        obstacle=obstacle,
    )


# --- A record that was deleted there --------------------------------------------------------------


@transaction.atomic
def make_anew(sync: LeadSync, *, by: User, now: datetime) -> None:
    """Send the whole lead as a new record, in place of the one that was deleted; also later, when it had been
    left. Raises NotParked."""
    gone = LeadSync.objects.filter(pk=sync.pk, removed_at__isnull=False, in_flight_since=None)
    _free(gone, now=now, salesforce_id="", master_id="", acknowledged={}, removed_at=None)
    _note(sync, salesforce_id="", words="To be made anew: the record before was deleted.", now=now)
    log.info("salesforce.made_anew", lead=sync.lead_id, by=by.pk)


@transaction.atomic
def leave_removed(sync: LeadSync, *, by: User, now: datetime) -> None:
    """Take the deletion there as meant: the lead is not written any more. Raises NotParked."""
    left = {"removed_at": Coalesce("removed_at", now), "send_at": None, "waiting_since": None}
    if not _still_parked(sync).update(**left, parked_at=None, attempts=0, error_code="", error=""):
        raise NotParked
    _note(sync, salesforce_id=sync.salesforce_id, words="Left deleted: it is not sent any more.", now=now)
    log.info("salesforce.left_removed", lead=sync.lead_id, by=by.pk)


# --- Now ------------------------------------------------------------------------------------------


def send_now(lead: Lead, *, by: User, now: datetime) -> None:
    """Have the lead compared with what Salesforce confirmed, and the difference sent, before all others and
    without waiting for the end of a back-off. What is on its way is sent once more when it has arrived."""
    LeadSync.objects.get_or_create(lead=lead)
    LeadSync.objects.filter(pk=lead.pk, parked_at=None).update(
        send_at=now,
        # The try of a call that is on its way stays counted: whoever records its answer may take it back.
        attempts=Case(
            When(in_flight_since=None, then=0),
            default=F("attempts"),
            output_field=PositiveSmallIntegerField(),
        ),
        lane=Lane.HANDOFF,
        waiting_since=Coalesce("waiting_since", now),
        resends_asked=F("resends_asked") + 1,
    )
    log.info("salesforce.sent_now", lead=lead.pk, by=by.pk)


def _free(syncs: LeadSyncQuerySet, *, now: datetime, **values: Any) -> None:
    freed = syncs.update(
        parked_at=None,
        attempts=0,
        error_code="",
        error="",
        sending={},
        send_at=now,
        lane=Lane.HANDOFF,
        resends_asked=F("resends_asked") + 1,
        **values,
    )
    if not freed:
        raise NotParked


def _still_parked(sync: LeadSync) -> LeadSyncQuerySet:
    return LeadSync.objects.filter(pk=sync.pk).parked()


def _note(sync: LeadSync, *, salesforce_id: str, words: str, now: datetime) -> None:
    Exchange.objects.create(
        lead_id=sync.lead_id,
        at=now,
        direction=Exchange.Direction.OUT,
        object_name="Lead",
        salesforce_id=salesforce_id,
        outcome=Exchange.Outcome.TAKEN_OVER,
        words=words,
    )
