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
    theirs = may_work_handoffs(user) and (user.role == User.Role.MANAGER or handoff.owner_id == user.pk)
    nobodys = handoff.status == Status.OFFERED and handoff.owner_id is None
    in_work = handoff.status in (Status.ACCEPTED, Status.CONTACTED)
    return Permissions(
        accept=theirs and handoff.status == Status.OFFERED and not nobodys,
        claim=nobodys and user.role == User.Role.BDR,
        reject=theirs and (in_work or handoff.status in (Status.OFFERED, Status.QUALIFIED)),
        attempt=theirs and handoff.is_open and handoff.status != Status.OFFERED,
        qualify=theirs and in_work,
        open_opportunity=theirs and handoff.status == Status.QUALIFIED,
        close_opportunity=theirs and handoff.status == Status.OPPORTUNITY,
        withdraw=may_hand_off(user) and handoff.status == Status.OFFERED,
        reassign=user.role == User.Role.MANAGER and handoff.is_open,
    )
