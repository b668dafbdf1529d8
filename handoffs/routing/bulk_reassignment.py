"""Somebody leaves: all their open handoffs go to others at once, as a preview has shown it, or none does."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from django.core import signing
from django.db import transaction
from django.db.models import Count

from accounts.models import User
from common.errors import DomainError, InvalidInput
from handoffs.acting import describe_change, require_role, require_text
from handoffs.invitations.inviting import send_appointments, windows_of
from handoffs.models import Handoff, HandoffQuerySet, Pool
from handoffs.routing.assignment import facts_of, lock_pools, read_rules
from handoffs.routing.candidates import AccountOwners, managers_of, read_histories
from handoffs.routing.dealing import Dealer
from handoffs.routing.reassignment import Change, change_owners
from handoffs.routing.routes import RulePlan, plan_within
from handoffs.telling import tell_leaver_of_bulk, tell_of_bulk, tell_overflow_of_bulk
from leads.models import Lead

log = structlog.get_logger(__name__)

WORKERS = (User.Role.BDR, User.Role.MANAGER)
# A preview that nobody has confirmed for so long no longer shows how things stand.
PREVIEW_HOLDS = timedelta(hours=1)
SALT = "handoffs.routing.bulk_reassignment"


class Which(StrEnum):
    """Which of the open handoffs move."""

    ALL = "all"
    OFFERED = "offered"


class PreviewOutdated(DomainError):
    """Something in the preview has changed, so nothing was moved."""

    code = "preview_outdated"

    def __init__(self, handoff: Handoff, *, now: datetime) -> None:
        super().__init__(
            f"{handoff.lead.name} changed meanwhile: {describe_change(handoff, now=now)} "
            "Nothing was moved; look at the preview again."
        )


@dataclass(frozen=True, slots=True)
class Move:
    """One handoff in the state the preview showed, and who gets it; None: the overflow queue."""

    handoff_id: int
    status: str
    to_id: int | None


@dataclass(frozen=True)
class BulkPlan:
    """What would move. `staying`: accepted handoffs that nobody can take, and that must have an owner."""

    leaver_id: int
    moves: tuple[Move, ...]
    staying: tuple[int, ...] = ()

    def seal(self) -> str:
        """The moves as text that only a preview can have written, for the confirmation to hand back."""
        moves = [[move.handoff_id, move.status, move.to_id] for move in self.moves]
        return signing.dumps([self.leaver_id, moves], salt=SALT, compress=True)

    @classmethod
    def unseal(cls, text: str) -> BulkPlan:
        """Raises InvalidInput for a text that no preview gave out, or that is too old."""
        try:
            leaver_id, moves = signing.loads(text, salt=SALT, max_age=PREVIEW_HOLDS)
        except signing.BadSignature:
            raise InvalidInput("This preview is too old. Look at a new one.", field="plan") from None
        return cls(leaver_id, tuple(Move(*move) for move in moves))


def open_handoffs_of(person: User, which: Which = Which.ALL) -> HandoffQuerySet:
    """What a person has in hand, oldest first."""
    theirs = Handoff.objects.open().owned_by(person)
    if which is Which.OFFERED:
        theirs = theirs.offered()
    return theirs.select_related("lead__company", "pool").order_by("created_at", "id")


# --- The preview --------------------------------------------------------------------------------


def plan_for_people(leaver: User, people: Sequence[User], *, which: Which) -> BulkPlan:
    """Each handoff to whoever of these has the fewest open by then; leads of one company stay together."""
    if any(not one.is_active or one.role not in WORKERS or one.pk == leaver.pk for one in people):
        raise InvalidInput("Choose BDRs or managers who work here, other than who leaves.", field="to")
    loads = dict.fromkeys((one.pk for one in people), 0)
    loads |= dict(
        Handoff.objects.open()
        .filter(owner__in=people)
        .order_by()
        .values_list("owner_id")
        .annotate(number=Count("pk"))
    )
    account: dict[int | None, int] = {}
    moves = []
    for handoff in open_handoffs_of(leaver, which):
        to_id = account.get(handoff.lead.company_id) or min(loads, key=lambda pk: (loads[pk], pk))
        loads[to_id] += 1
        if handoff.lead.company_id:
            account[handoff.lead.company_id] = to_id
        moves.append(Move(handoff.pk, handoff.status, to_id))
    return BulkPlan(leaver.pk, tuple(moves))


def plan_by_turns(leaver: User, *, which: Which, now: datetime) -> BulkPlan:
    """Each handoff to the next in turn of its pool, by the rules; where nobody can take it, to the overflow
    queue, unless it is accepted."""
    by_pool: defaultdict[Pool, list[Handoff]] = defaultdict(list)
    for handoff in open_handoffs_of(leaver, which):
        by_pool[handoff.pool].append(handoff)
    rules = read_rules()
    moves, staying = [], []
    for pool, handoffs in by_pool.items():
        for handoff, to_id in _deal(pool, handoffs, leaver, rules, now=now):
            if to_id is None and handoff.status != Handoff.Status.OFFERED:
                staying.append(handoff.pk)
            else:
                moves.append(Move(handoff.pk, handoff.status, to_id))
    return BulkPlan(leaver.pk, tuple(moves), tuple(staying))


def _deal(
    pool: Pool, handoffs: Sequence[Handoff], leaver: User, rules: Sequence[RulePlan], *, now: datetime
) -> Iterator[tuple[Handoff, int | None]]:
    """As new leads of the pool would be dealt, one after the other; leads of one company stay together."""
    leads = [handoff.lead for handoff in handoffs]
    dealer = Dealer(pool, now=now, without={leaver.pk})
    histories = read_histories(pool, leads, now=now)
    owners = AccountOwners(leads)
    account: dict[int | None, int] = {}
    for handoff, lead in zip(handoffs, leads, strict=True):
        facts = facts_of(lead, category=handoff.category)
        plan = plan_within(facts, rules, pool_id=pool.pk, hops=handoff.hops)
        known = account.get(lead.company_id) or owners.of(lead)
        choice = dealer.choose(lead, plan, history=histories[lead.pk], account_owner_id=known)
        dealer.book(choice)
        if choice.user_id is not None and lead.company_id:
            account[lead.company_id] = choice.user_id
        yield handoff, choice.user_id


# --- The act ------------------------------------------------------------------------------------


@transaction.atomic
def reassign_in_bulk(plan: BulkPlan, *, by: User, reason: str, now: datetime) -> Counter[User | None]:
    """Make the moves of a preview, all or none, and say how many went to whom; None: the overflow queue.

    Making them a second time changes nothing. Raises InvalidInput, NotAllowed, and PreviewOutdated when one
    of the handoffs is no longer as the preview showed it.
    """
    require_role(by, User.Role.MANAGER, act="reassign handoffs")
    why = require_text(reason, field="reason", ask="Say why these handoffs are reassigned.", length=200)
    handoffs = _lock(plan)
    people = _people(plan)
    if all(handoffs[move.handoff_id].owner_id == move.to_id for move in plan.moves):
        return _count_by_owner(plan, people)
    for move in plan.moves:
        _require_unchanged(handoffs[move.handoff_id], move, plan, now=now)
    changes = [
        Change(handoffs[move.handoff_id], people[move.to_id] if move.to_id else None) for move in plan.moves
    ]
    change_owners(changes, by=by, now=now, why=why)
    moved = _count_by_owner(plan, people)
    _tell(plan, moved, handoffs.values(), now=now)
    log.info("handoffs_reassigned", from_id=plan.leaver_id, by=by.pk, moves=len(plan.moves))
    return moved


def _lock(plan: BulkPlan) -> dict[int, Handoff]:
    """The handoffs as they stand under the locks of their leads and pools, by id."""
    wanted = Handoff.objects.filter(pk__in=[move.handoff_id for move in plan.moves])
    lead_ids = wanted.values_list("lead_id", flat=True)
    leads = {
        lead.pk: lead
        for lead in Lead.objects.filter(pk__in=list(lead_ids))
        .select_for_update(of=("self",), no_key=True)
        .select_related("team", "company")
        .order_by("pk")
    }
    lock_pools(*wanted.order_by().values_list("pool_id", flat=True).distinct())
    handoffs = {handoff.pk: handoff for handoff in wanted.select_related("owner", "pool__team")}
    for handoff in handoffs.values():
        handoff.lead = leads[handoff.lead_id]
    return handoffs


def _people(plan: BulkPlan) -> dict[int, User]:
    people = User.objects.select_related("team").in_bulk({move.to_id for move in plan.moves if move.to_id})
    for person in people.values():
        if not person.is_active or person.role not in WORKERS:
            raise InvalidInput(f"{person} no longer works handoffs. Look at a new preview.", field="plan")
    return people


def _require_unchanged(handoff: Handoff, move: Move, plan: BulkPlan, *, now: datetime) -> None:
    if handoff.owner_id != plan.leaver_id or handoff.status != move.status:
        raise PreviewOutdated(handoff, now=now)


def _count_by_owner(plan: BulkPlan, people: dict[int, User]) -> Counter[User | None]:
    return Counter(people[move.to_id] if move.to_id else None for move in plan.moves)


def _tell(
    plan: BulkPlan, moved: Counter[User | None], handoffs: Collection[Handoff], *, now: datetime
) -> None:
    """One message to each person instead of one for each lead, and one to the managers of each pool. Only
    appointments are one for each lead: calendars take them one by one."""
    leaver = User.objects.get(pk=plan.leaver_id)
    tell_leaver_of_bulk(leaver, len(plan.moves), now=now)
    for owner, number in moved.items():
        if owner is not None:
            tell_of_bulk(owner, leaver, number, now=now)
    send_appointments(windows_of(handoffs), now=now)
    waiting = Counter(handoff.pool for handoff in handoffs if handoff.owner_id is None)
    for pool, number in waiting.items():
        tell_overflow_of_bulk(pool, managers_of(pool), number, now=now)
