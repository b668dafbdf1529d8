"""From a qualified handoff to a deal, won or lost. `by` is None when Salesforce reports it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import User
from common.errors import DomainError, InvalidInput
from handoffs.acting import HandoffChanged, lock_handoff, require_text, require_worker
from handoffs.models import Handoff, Opportunity
from handoffs.services import close_handoff
from leads.models import Lead, LeadEvent
from leads.services import hold_lead, log_event, move_stage

MOST_USUAL_REASONS = 8
LATEST_LOST = 300  # enough to say what is usual now, and read in no time
LARGEST_AMOUNT = Decimal("999999999999.99")  # what the column holds


class NotQualifiedYet(DomainError):
    """An opportunity is made of a qualified handoff."""

    code = "not_qualified_yet"

    def __init__(self) -> None:
        super().__init__("Qualify this handoff first.")


class NoOpportunityYet(DomainError):
    """Only an open opportunity can be won or lost."""

    code = "no_opportunity_yet"

    def __init__(self) -> None:
        super().__init__("Open an opportunity first.")


@transaction.atomic
def open_opportunity(
    handoff: Handoff,
    *,
    amount: Decimal | None = None,
    currency: str = "EUR",
    close_on: date | None = None,
    by: User | None,
    now: datetime,
) -> Opportunity:
    """Turn a qualified handoff into an opportunity; on an open one, correct its amount and close date.

    Raises InvalidInput, NotQualifiedYet, HandoffChanged, NotAllowed.
    """
    terms = _clean_terms({"amount": amount, "currency": currency, "close_on": close_on})
    lead = _lock_working(handoff, by=by, now=now)
    if handoff.status == Handoff.Status.OPPORTUNITY:
        return _correct_terms(handoff, lead, terms, by=by, now=now)
    if handoff.status != Handoff.Status.QUALIFIED:
        raise NotQualifiedYet()
    opportunity = Opportunity.objects.create(handoff=handoff, opened_at=now, **terms)
    handoff.status = Handoff.Status.OPPORTUNITY
    handoff.save(update_fields=["status"])
    log_event(lead, LeadEvent.Kind.OPPORTUNITY, at=now, by=by, handoff_id=handoff.pk, **_origin(by))
    move_stage(lead, to=Lead.Stage.OPPORTUNITY, at=now, by=by, handoff_id=handoff.pk)
    return opportunity


@transaction.atomic
def correct_opportunity(
    handoff: Handoff, *, changes: Mapping[str, Any], by: User | None, now: datetime
) -> Opportunity:
    """Correct those of "amount", "currency" and "close_on" that are given; the others stay as they are.

    Raises InvalidInput, NoOpportunityYet, HandoffChanged, NotAllowed.
    """
    terms = _clean_terms(changes)
    lead = _lock_working(handoff, by=by, now=now)
    if handoff.status != Handoff.Status.OPPORTUNITY:
        raise NoOpportunityYet()
    return _correct_terms(handoff, lead, terms, by=by, now=now)


@transaction.atomic
def win_opportunity(handoff: Handoff, *, by: User | None, now: datetime) -> Handoff:
    """The deal is won: the lead is a customer. Winning twice changes nothing the second time."""
    lead = _lock_deal(handoff, ended=Handoff.Status.WON, by=by, now=now)
    if lead is None:
        return handoff
    Opportunity.objects.filter(pk=handoff.pk).update(won_at=now)
    close_handoff(handoff, lead, status=Handoff.Status.WON, by=by, now=now)
    log_event(lead, LeadEvent.Kind.WON, at=now, by=by, handoff_id=handoff.pk, **_origin(by))
    move_stage(lead, to=Lead.Stage.CUSTOMER, at=now, by=by, handoff_id=handoff.pk)
    return handoff


@transaction.atomic
def lose_opportunity(handoff: Handoff, *, reason: str, by: User | None, now: datetime) -> Handoff:
    """The deal is lost, for a reason. The lead may come back on new activity (HAND-7)."""
    reason = require_text(reason, field="reason", ask="Say why this deal was lost.", length=200)
    lead = _lock_deal(handoff, ended=Handoff.Status.LOST, by=by, now=now)
    if lead is None:
        return handoff
    Opportunity.objects.filter(pk=handoff.pk).update(lost_at=now, lost_reason=reason)
    close_handoff(handoff, lead, status=Handoff.Status.LOST, note=reason, by=by, now=now)
    log_event(lead, LeadEvent.Kind.LOST, at=now, by=by, handoff_id=handoff.pk, **_origin(by))
    move_stage(lead, to=Lead.Stage.LOST, at=now, by=by, handoff_id=handoff.pk)
    hold_lead(lead, hold=Lead.Hold.UNTIL_ACTIVITY, until=None, at=now)
    return handoff


def usual_lost_reasons(viewer: User) -> list[str]:
    """What the latest deals that one may see were lost for most often: offered again, so that the same thing
    keeps one name. What was said once is somebody's own words, and is not offered."""
    lost = Opportunity.objects.visible_to(viewer).exclude(lost_reason="").order_by("-handoff_id")
    counted = Counter(lost.values_list("lost_reason", flat=True)[:LATEST_LOST])
    repeated = sorted((-times, reason) for reason, times in counted.items() if times > 1)
    return [reason for _, reason in repeated[:MOST_USUAL_REASONS]]


def _lock_deal(handoff: Handoff, *, ended: Handoff.Status, by: User | None, now: datetime) -> Lead | None:
    """The locked lead of an open deal; None when it has ended in just this way already."""
    lead = lock_handoff(handoff)
    if handoff.status == ended:
        return None
    if not handoff.is_open:
        raise HandoffChanged(handoff, now=now)
    if by is not None:
        require_worker(handoff, by, now=now)
    if handoff.status != Handoff.Status.OPPORTUNITY:
        raise NoOpportunityYet()
    return lead


def _lock_working(handoff: Handoff, *, by: User | None, now: datetime) -> Lead:
    lead = lock_handoff(handoff)
    if not handoff.is_open:
        raise HandoffChanged(handoff, now=now)
    if by is not None:
        require_worker(handoff, by, now=now)
    return lead


def _correct_terms(
    handoff: Handoff, lead: Lead, terms: dict[str, object], *, by: User | None, now: datetime
) -> Opportunity:
    opportunity = handoff.opportunity
    changed = [name for name, value in terms.items() if getattr(opportunity, name) != value]
    if changed:
        for name in changed:
            setattr(opportunity, name, terms[name])
        opportunity.save(update_fields=changed)
        said = {"corrected": sorted(changed), **_origin(by)}
        log_event(lead, LeadEvent.Kind.OPPORTUNITY, at=now, by=by, handoff_id=handoff.pk, **said)
    return opportunity


def _origin(by: User | None) -> dict[str, str]:
    """For the log, where nobody of ours has done it."""
    return {} if by is not None else {"via": "salesforce"}


def _clean_terms(given: Mapping[str, Any]) -> dict[str, object]:
    """The terms as they are kept. Raises InvalidInput naming the one that cannot be."""
    clean: dict[str, Callable[[Any], object]] = {"amount": _amount, "currency": _currency}
    return {name: clean[name](value) if name in clean else value for name, value in given.items()}


def _amount(amount: Decimal | None) -> Decimal | None:
    if amount is not None and not (amount.is_finite() and 0 <= amount <= LARGEST_AMOUNT):
        raise InvalidInput(f"Give an amount between 0 and {LARGEST_AMOUNT:,}.", field="amount")
    return amount


def _currency(currency: str) -> str:
    code = currency.strip().upper()
    if len(code) != 3 or not (code.isascii() and code.isalpha()):
        raise InvalidInput("Give the currency as three letters, such as EUR.", field="currency")
    return code
