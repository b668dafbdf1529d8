"""Which actions a page offers to whom. The verbs decide; this only keeps dead buttons off the page."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import User
from accounts.roles import may_hand_off, may_work_handoffs
from handoffs.models import Handoff

Status = Handoff.Status


@dataclass(frozen=True)
class Permissions:
    """Which actions the page offers this person now. The verbs check again."""

    accept: bool
    claim: bool
    reject: bool
    attempt: bool
    qualify: bool
    open_opportunity: bool
    close_opportunity: bool
    withdraw: bool
    reassign: bool


def permissions_for(user: User, handoff: Handoff) -> Permissions:
    """BDRs act on their own and claim what is nobody's; managers on all; marketing takes back."""
    return permissions_in(user, status=handoff.status, owner_id=handoff.owner_id)


def permissions_in(user: User, *, status: str, owner_id: int | None) -> Permissions:
    """permissions_for() a handoff of this status and owner."""
    theirs = may_work_handoffs(user) and (user.role == User.Role.MANAGER or owner_id == user.pk)
    nobodys = status == Status.OFFERED and owner_id is None
    in_work = status in (Status.ACCEPTED, Status.CONTACTED)
    return Permissions(
        accept=theirs and status == Status.OFFERED and not nobodys,
        claim=nobodys and user.role == User.Role.BDR,
        reject=theirs and (in_work or status in (Status.OFFERED, Status.QUALIFIED)),
        attempt=theirs and status in Handoff.OPEN and status != Status.OFFERED,
        qualify=theirs and in_work,
        open_opportunity=theirs and status == Status.QUALIFIED,
        close_opportunity=theirs and status == Status.OPPORTUNITY,
        withdraw=may_hand_off(user) and status == Status.OFFERED,
        reassign=user.role == User.Role.MANAGER and status in Handoff.OPEN,
    )
