"""Which Account in Salesforce a company is: found by its domain, never by its name (CRM-2).

Looked for are the companies of leads in sales' hands, who want to know whether they talk to a customer, and
whose. The answer is looked up again every week.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from simple_salesforce.format import format_soql

from common.errors import InvalidInput
from crm.client import SalesforceClient
from crm.models import AccountMatch
from handoffs.models import Handoff
from leads.addresses import normalise_domain
from leads.models import Company

log = structlog.get_logger("salesforce")

# A query travels in an address, which may hold 16,000 characters.
DOMAINS_PER_QUERY = 100
MOST_AT_ONCE = 2000
LOOK_AGAIN_AFTER = timedelta(days=7)
CUSTOMER = "customer"
COLUMNS = "Id, Name, Type, Website, OwnerId, Owner.Name"

Row = Mapping[str, Any]


def note_companies_to_match(*, now: datetime) -> int:
    """Mark the companies of open handoffs that were never looked for, or long ago; say how many are new."""
    wanted = Company.objects.filter(leads__in=Handoff.objects.open().values("lead")).exclude(domain="")
    stale = AccountMatch.objects.filter(look_at=None, looked_at__lt=now - LOOK_AGAIN_AFTER)
    stale.filter(company__in=wanted).update(look_at=now)
    new = wanted.exclude(pk__in=AccountMatch.objects.values("pk")).order_by("pk").distinct()[:MOST_AT_ONCE]
    return len(
        AccountMatch.objects.bulk_create(
            (AccountMatch(company=company, look_at=now) for company in new), ignore_conflicts=True
        )
    )


def match_accounts(client: SalesforceClient, *, now: datetime) -> int:
    """Look for the accounts of the marked companies, a hundred domains to a call; say how many were found.

    Where several accounts share a domain a customer goes before others, then the oldest. Safe to repeat.
    Raises SalesforceError; what was looked for before keeps its answer.
    """
    marked = AccountMatch.objects.filter(look_at__lte=now).select_related("company").order_by("look_at", "pk")
    matches = list(marked[:MOST_AT_ONCE])
    found = 0
    for start in range(0, len(matches), DOMAINS_PER_QUERY):
        chunk = matches[start : start + DOMAINS_PER_QUERY]
        accounts = _read_accounts(client, [match.company.domain for match in chunk])
        for match in chunk:
            found += _note(match, accounts[match.company.domain], now=now)
    if matches:
        log.info("salesforce.accounts_matched", companies=len(matches), found=found)
    return found


def _read_accounts(client: SalesforceClient, domains: Sequence[str]) -> Mapping[str, list[Row]]:
    """The accounts of each domain, the oldest first. The query finds more than asked for, such as
    notacme.com for acme.com: what counts is the website's own domain."""
    conditions = " OR ".join(format_soql("Website LIKE '%{:like}%'", domain) for domain in domains)
    accounts: defaultdict[str, list[Row]] = defaultdict(list)
    for row in client.query(f"SELECT {COLUMNS} FROM Account WHERE {conditions} ORDER BY Id"):
        accounts[_domain_of(row)].append(row)
    return accounts


def _domain_of(row: Row) -> str:
    """Anything may be typed into a website: what is none belongs to no company."""
    try:
        return normalise_domain(row["Website"] or "")
    except InvalidInput:
        return ""


def _note(match: AccountMatch, accounts: Sequence[Row], *, now: datetime) -> bool:
    best: Row = min(accounts, key=lambda row: CUSTOMER not in (row["Type"] or "").lower(), default={})
    # A mark that was set anew meanwhile stays.
    AccountMatch.objects.filter(pk=match.pk, look_at=match.look_at).update(
        account_id=best.get("Id") or "",
        name=(best.get("Name") or "")[:255],
        kind=(best.get("Type") or "")[:255],
        owner_id=best.get("OwnerId") or "",
        owner_name=((best.get("Owner") or {}).get("Name") or "")[:121],
        how_many=len(accounts),
        look_at=None,
        looked_at=now,
    )
    return bool(best)
