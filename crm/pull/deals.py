"""Deals that leads became: stage, amount, close date, won and lost come back into the handoff (CRM-3).

Of a deal's terms Salesforce is right: a change there replaces what was entered here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from crm.client import SalesforceClient
from crm.mapping import LEAD_KEY
from crm.models import Conversion
from crm.pull.conversions import follow_conversion
from crm.pull.cursors import DEALS, as_literal, cursor_of, move_cursor
from crm.pull.deal_news import DELETED, agrees, log_stage, tell_deleted, tell_disagreement
from crm.unread import forget_failure, note_failure
from handoffs.contact.opportunities import (
    LARGEST_AMOUNT,
    correct_opportunity,
    lose_opportunity,
    win_opportunity,
)
from handoffs.models import Handoff
from leads.models import Lead, LeadEvent

log = structlog.get_logger("salesforce")

OVERLAP = timedelta(minutes=10)
IDS_PER_QUERY = 200
# Deals that were never read, in one poll; the others follow with the next.
MOST_NEW = 2000
COLUMNS = "Id, Name, StageName, Amount, CloseDate, IsClosed, IsWon, IsDeleted, SystemModstamp"


@dataclass(frozen=True)
class RemoteDeal:
    """An Opportunity as Salesforce has it."""

    salesforce_id: str
    name: str
    stage: str
    amount: Decimal | None
    close_on: date | None
    is_closed: bool
    is_won: bool
    stamp: datetime
    is_deleted: bool = False

    @property
    def terms(self) -> dict[str, object]:
        return {
            "deal_name": self.name[:120],
            "deal_stage": DELETED if self.is_deleted else self.stage,
            "amount": self.amount,
            "close_on": self.close_on,
            "is_closed": self.is_closed,
            "is_won": self.is_won,
            "deal_stamp": self.stamp,
        }


def pull_deals(client: SalesforceClient, *, now: datetime) -> int:
    """Read the deals of our leads that are new or changed, and take their handoffs along; say how many told
    something new. Where no lead was ever converted it asks nothing. Safe to repeat. Raises SalesforceError.
    """
    converted = Conversion.objects.exclude(opportunity_id="")
    if not converted.exists():
        return 0
    cursor = cursor_of(DEALS)
    changed, postponed = 0, []
    unread = list(converted.filter(deal_stamp=None).values_list("opportunity_id", flat=True)[:MOST_NEW])
    waiting = set()
    for row in _read_by_id(client, unread):
        news, wait_for = _apply_or_postpone(row, now=now)
        changed += bool(news)
        waiting |= {row["Id"]} if wait_for else set()
    # Never answered: hidden from our user, or out of the recycle bin, too. It is read when it changes.
    gone = converted.filter(deal_stamp=None, opportunity_id__in=set(unread) - waiting)
    gone.update(deal_stamp=client.began_at or now)
    asked_at: datetime | None = None
    if cursor.cursor is not None:
        for row in client.query_all(_changed_since(cursor.cursor - OVERLAP)):
            asked_at = asked_at or client.began_at
            news, wait_for = _apply_or_postpone(row, now=now)
            changed += bool(news)
            postponed += [wait_for] if wait_for else []
    follow_late_conversions(now=now)
    move_cursor(cursor, to=min([*postponed, asked_at or client.began_at or now]), now=now)
    return changed


def follow_late_conversions(*, now: datetime) -> int:
    """Take along the handoffs that could not follow when their lead was converted, as nobody owned them; what
    became of their deals meanwhile, too. A later handoff of the same lead is new work, and waits for it."""
    was_flagged = LeadEvent.objects.filter(
        lead=OuterRef("lead"),
        handoff_id=OuterRef("pk"),
        kind=LeadEvent.Kind.CRM_FLAGGED,
        detail__missing="owner",
    )
    unfollowed = Handoff.objects.open().exclude(status=Handoff.Status.OPPORTUNITY).exclude(owner=None)
    behind = unfollowed.filter(Exists(was_flagged))
    converted = Conversion.objects.exclude(opportunity_id="")
    followed = 0
    for lead_id in behind.filter(lead__in=converted.values("lead")).values_list("lead", flat=True):
        try:
            with transaction.atomic():
                lead = Lead.objects.lock(lead_id)
                handoff = behind.filter(lead=lead).first()
                if handoff is not None:
                    follow_conversion(handoff, lead, has_deal=True, at=now, now=now)
                    _catch_up(handoff, now=now)
                    followed += 1
        except Exception as error:
            # It is looked at again with the next poll; the others must not wait for it.
            log.exception("salesforce.conversion_not_followed", lead=lead_id, error=type(error).__name__)
    return followed


def _catch_up(handoff: Handoff, *, now: datetime) -> None:
    """Tell an opportunity that was opened late what its deal has come to, if that was read before."""
    handoff = Handoff.objects.select_related("opportunity").get(pk=handoff.pk)
    known = Conversion.objects.get(lead=handoff.lead_id)
    if known.deal_stage and known.deal_stamp is not None:
        deal = RemoteDeal(
            known.opportunity_id,
            known.deal_name,
            known.deal_stage,
            known.amount,
            known.close_on,
            is_closed=known.is_closed,
            is_won=known.is_won,
            stamp=known.deal_stamp,
        )
        _take_along(handoff, deal, {"amount", "close_on"}, now=now)


def _read_by_id(client: SalesforceClient, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for start in range(0, len(ids), IDS_PER_QUERY):
        listed = ", ".join(f"'{each}'" for each in ids[start : start + IDS_PER_QUERY])
        yield from client.query_all(f"SELECT {COLUMNS} FROM Opportunity WHERE Id IN ({listed})")


def _changed_since(since: datetime) -> str:
    ours = f"SELECT ConvertedOpportunityId FROM Lead WHERE {LEAD_KEY} != null AND IsConverted = true"
    return (
        f"SELECT {COLUMNS} FROM Opportunity WHERE SystemModstamp >= {as_literal(since)} "
        f"AND Id IN ({ours}) ORDER BY SystemModstamp, Id"
    )


# --- One deal -------------------------------------------------------------------------------------


def _apply_or_postpone(row: Mapping[str, Any], *, now: datetime) -> tuple[bool, datetime | None]:
    """Whether it brought news, and the stamp that the cursor must not pass if it is to be read again."""
    deal = None
    try:
        deal = _read_deal(row)
        applied = [apply_deal(lead_id, deal, now=now) for lead_id in _leads_it_is_news_to(deal)]
    except Exception as error:
        stamp = deal.stamp if deal else None
        return False, note_failure(str(row.get("Id") or "without an id")[:18], error, stamp=stamp, now=now)
    if applied:
        forget_failure(deal.salesforce_id)
    return any(applied), deal.stamp if None in applied else None


def _leads_it_is_news_to(deal: RemoteDeal) -> list[int]:
    """By what it says, not by when: two changes may fall into the same second."""
    known = Conversion.objects.filter(opportunity_id=deal.salesforce_id)
    return [each.lead_id for each in known if each.deal_stamp is None or _changed(each, deal)]


def _changed(known: Conversion, deal: RemoteDeal) -> set[str]:
    return {name for name, value in deal.terms.items() if getattr(known, name) != value} - {"deal_stamp"}


@transaction.atomic
def apply_deal(lead_id: int, deal: RemoteDeal, *, now: datetime) -> bool | None:
    """Take over one deal; say whether it told anything new. None: the lead is busy, read it again."""
    lead = Lead.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=lead_id).first()
    if lead is None:
        return None
    known = Conversion.objects.select_for_update().get(lead=lead)
    changed, before = _changed(known, deal), known.deal_stage
    for name, value in deal.terms.items():
        setattr(known, name, value)
    known.save(update_fields=list(deal.terms))
    if not changed:
        return False
    if before and before != known.deal_stage:
        # What the first reading finds was opened so: nobody changed it.
        log_stage(lead, was=before, became=known.deal_stage, now=now)
    _follow(lead, known, deal, changed, now=now)
    return True


def _follow(lead: Lead, known: Conversion, deal: RemoteDeal, changed: set[str], *, now: datetime) -> None:
    """Take its handoff along, or tell people why it stays where it is."""
    with_deal = Handoff.objects.filter(lead=lead, opportunity__isnull=False)
    handoff = with_deal.select_related("owner").order_by("-pk").first()
    if deal.is_deleted:
        if "deal_stage" in changed:
            tell_deleted(lead, handoff, known, now=now)
    elif handoff is not None and handoff.is_open:
        _take_along(handoff, deal, changed, now=now)
    elif handoff is not None and changed & {"is_closed", "is_won"} and not agrees(handoff, known):
        tell_disagreement(lead, handoff, known, now=now)


def _take_along(handoff: Handoff, deal: RemoteDeal, changed: set[str], *, now: datetime) -> None:
    terms: dict[str, Any] = {name: getattr(deal, name) for name in ("amount", "close_on") if name in changed}
    if terms:
        correct_opportunity(handoff, changes=terms, by=None, now=now)
    # The portal's opportunity cannot end before it began.
    at = max(min(deal.stamp, now), handoff.opportunity.opened_at)
    if deal.is_won:
        win_opportunity(handoff, by=None, now=at)
    elif deal.is_closed:
        lose_opportunity(handoff, reason=deal.stage, by=None, now=at)


def _read_deal(row: Mapping[str, Any]) -> RemoteDeal:
    return RemoteDeal(
        salesforce_id=row["Id"],
        name=row["Name"] or "",
        stage=row["StageName"] or "",
        amount=_amount(row["Amount"]),
        close_on=date.fromisoformat(row["CloseDate"]) if row["CloseDate"] else None,
        is_closed=row["IsClosed"],
        is_won=row["IsWon"],
        stamp=datetime.fromisoformat(row["SystemModstamp"]),
        is_deleted=row["IsDeleted"],
    )


def _amount(value: object) -> Decimal | None:
    """An amount that the portal can hold: a credit note, or a slip of the keyboard, is none."""
    try:
        amount = Decimal(str(value)).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return amount if 0 <= amount <= LARGEST_AMOUNT else None
