"""What sales did to a handoff in Salesforce, taken over as done (CRM-3).

These are facts: no role and no gate is asked, and the log says where they come from. Who has done it is its
owner, so a handoff that nobody owns cannot follow. Owners come by `reassign_handoff(by=None)`; a deal's terms
and its end by the verbs of `contact.opportunities`.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.models import User
from common.errors import DomainError
from handoffs.acting import lock_handoff
from handoffs.contact.opportunities import open_opportunity
from handoffs.contact.services import note_first_contact, note_qualified
from handoffs.models import Handoff
from handoffs.services import take_up
from leads.models import Lead
from sla.models import Target
from sla.services import stop_clock

VIA = "salesforce"


class OwnedByNobody(DomainError):
    """It waits in the overflow queue, and the portal does not know who worked it."""

    code = "owned_by_nobody"

    def __init__(self) -> None:
        super().__init__("Somebody whom the portal does not know works this lead in Salesforce. Assign it.")


@transaction.atomic
def accept_as_reported(handoff: Handoff, *, at: datetime) -> bool:
    """The owner has taken it up there at that time; False when it was taken up already, or is closed.

    Raises OwnedByNobody.
    """
    lead = lock_handoff(handoff)
    if handoff.status != Handoff.Status.OFFERED:
        return False
    _take_up(handoff, lead, at=at)
    return True


@transaction.atomic
def open_deal_as_reported(handoff: Handoff, *, at: datetime) -> bool:
    """The lead was converted with a deal at that time: what leads up to a deal has happened, whatever BANT
    says here. False when there is an opportunity already, or it is closed. Raises OwnedByNobody.
    """
    lead = lock_handoff(handoff)
    if not handoff.is_open or handoff.status == Handoff.Status.OPPORTUNITY:
        return False
    if handoff.status == Handoff.Status.OFFERED:
        _take_up(handoff, lead, at=at)
    owner = _owner_of(handoff)
    at = max(at, _began_at(handoff))
    if handoff.first_contact_at is None:
        note_first_contact(handoff, lead, by=None, now=at)
    stop_clock(lead, handoff_id=handoff.pk, kind=Target.Kind.CADENCE, at=at)
    if handoff.status != Handoff.Status.QUALIFIED:
        note_qualified(handoff, lead, rep=owner, by=None, now=at, via=VIA)
    open_opportunity(handoff, by=None, now=at)
    return True


def _take_up(handoff: Handoff, lead: Lead, *, at: datetime) -> None:
    take_up(handoff, lead, rep=_owner_of(handoff), by=None, now=max(at, _began_at(handoff)), via=VIA)


def _owner_of(handoff: Handoff) -> User:
    if handoff.owner is None:
        raise OwnedByNobody
    return handoff.owner


def _began_at(handoff: Handoff) -> datetime:
    """Before, its present owner can have done nothing: the two clocks need not agree to the second."""
    return max(filter(None, (handoff.created_at, handoff.offered_at, handoff.accepted_at)))
