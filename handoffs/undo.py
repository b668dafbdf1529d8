"""Taking a decision back within seconds, as long as nothing else has happened.

Nothing is deleted: an entry of the log says what was undone and names the entry it undoes, so that whoever
counts entries leaves that one out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import Team, User
from common.errors import DomainError, NotAllowed
from handoffs.acting import HandoffChanged, lock_handoff, require_worker
from handoffs.models import Handoff
from handoffs.routing.assignment import lock_pool, team_of
from handoffs.taking_back import take_offer_back
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event, move_stage
from sla.models import Target
from sla.reopening import name_owner_of_clocks, reopen_clocks

# How long the page offers it. The grace is for the way to the server.
UNDO_FOR = timedelta(seconds=10)
GRACE = timedelta(seconds=2)

Kind = LeadEvent.Kind

# What a decision itself writes after its own entry, and what machines note; the rest is something new.
_BY_MACHINES = (
    Kind.SCORE_CHANGED, Kind.ATTRIBUTES_CHANGED, Kind.MERGED, Kind.STAGE_CHANGED, Kind.ASSIGNED,
    Kind.OVERFLOWED, Kind.CLOCK_MOVED, Kind.BREACHED, Kind.ESCALATED,
    Kind.ACKNOWLEDGED,
)  # fmt: skip
_BY_ONESELF = (Kind.STAGE_CHANGED, Kind.RECYCLED, Kind.HANDED_OFF, Kind.OPENED)
# Clocks start and stop with acts that have an entry of their own.
_ALONG_WITH_ACTS = (Kind.CLOCK_STARTED, Kind.CLOCK_STOPPED)


class TooLateToUndo(DomainError):
    """The seconds in which a decision can be taken back are over."""

    code = "too_late_to_undo"

    def __init__(self) -> None:
        seconds = UNDO_FOR.seconds
        super().__init__(f"That was more than {seconds} seconds ago, so it stands.")


class ActedOnSince(DomainError):
    """Something happened after the decision that would be lost with it."""

    code = "acted_on_since"

    def __init__(self, event: LeadEvent) -> None:
        what = event.get_kind_display()
        who = f" by {event.by}" if event.by else ""
        super().__init__(f"{what}{who} since then, so it can no longer be undone.")


@transaction.atomic
def undo_acceptance(handoff: Handoff, *, by: User, now: datetime) -> Handoff:
    """Give an offer back undecided, as it was before `by` accepted it; one out of the overflow queue waits
    there again. Clocks run on with their old due times.

    Undoing twice changes nothing the second time. Raises TooLateToUndo, ActedOnSince, HandoffChanged,
    NotAllowed.
    """
    lead = lock_handoff(handoff)
    entry = latest_entry(handoff, Kind.ACCEPTED)
    if entry and is_undone(entry, by=by):
        return handoff
    if entry is None:
        raise HandoffChanged(handoff, now=now)
    require_worker(handoff, by, now=now)
    # Before the state is looked at: what was done since says more than that it is another state.
    require_undoable(entry, by=by, now=now)
    if handoff.status != Handoff.Status.ACCEPTED:
        raise HandoffChanged(handoff, now=now)
    accepted = Handoff.objects.filter(pk=handoff.pk, status=Handoff.Status.ACCEPTED, accepted_by=by)
    if not accepted.update(status=Handoff.Status.OFFERED, accepted_by=None, accepted_at=None):
        handoff.refresh_from_db()
        raise HandoffChanged(handoff, now=now)
    handoff.refresh_from_db()
    log_undone(lead, entry, by=by, now=now)
    move_stage(lead, to=Lead.Stage.MQL, at=now, by=by, handoff_id=handoff.pk)
    claim = latest_entry(handoff, Kind.CLAIMED)
    if claim and (claim.by_id, claim.at) != (by.pk, entry.at):
        claim = None  # theirs already when they accepted it
    # Looked at since: that has happened and stays so, for as long as it is theirs.
    but = (Target.Kind.OPENED,) if handoff.opened_at and not claim else ()
    reopen_clocks(lead, handoff_id=handoff.pk, stopped_at=entry.at, but=but, by=by, now=now)
    if claim:
        _give_back_to_overflow(handoff, lead, claim, now=now)
    return handoff


def _give_back_to_overflow(handoff: Handoff, lead: Lead, claim: LeadEvent, *, now: datetime) -> None:
    """It was claimed with the same click, so nobody owns it again."""
    pool = lock_pool(handoff.pool_id)
    take_offer_back(handoff)
    handoff.owner, handoff.offered_at = None, None
    # Whoever takes it next has not seen it.
    handoff.opened_at = handoff.opened_by = None
    handoff.save(update_fields=["owner", "offered_at", "opened_at", "opened_by"])
    return_lead_to(lead, owner_id=claim.detail["from_id"], team_id=claim.detail["from_team_id"])
    name_owner_of_clocks(lead, handoff_id=handoff.pk, owner=None, team=team_of(pool, None), now=now)


# --- What every undoing asks and leaves ---------------------------------------------------------


def latest_entry(handoff: Handoff, kind: LeadEvent.Kind) -> LeadEvent | None:
    """The last entry of this kind in the log of a handoff."""
    return LeadEvent.objects.filter(handoff_id=handoff.pk, kind=kind).order_by("-id").first()


def is_undone(entry: LeadEvent, *, by: User) -> bool:
    """Whether this person has taken it back already."""
    undone = LeadEvent.objects.filter(handoff_id=entry.handoff_id, kind=Kind.UNDONE, by=by)
    return undone.filter(detail__entry=entry.pk).exists()


def require_undoable(entry: LeadEvent, *, by: User, now: datetime) -> None:
    """Raises NotAllowed, TooLateToUndo or ActedOnSince unless `by` may take it back. The lead is locked."""
    if entry.by_id != by.pk:
        raise NotAllowed(f"Only {entry.by} can undo this.")
    if now - entry.at > UNDO_FOR + GRACE:
        raise TooLateToUndo()
    # Of the lead as such only its release matters; everything else is said of a handoff.
    since = LeadEvent.objects.filter(
        Q(handoff_id__isnull=False) | Q(kind=Kind.RELEASED), lead=entry.lead_id, pk__gt=entry.pk
    )
    expected = Q(by=None, kind__in=_BY_MACHINES) | Q(by=by, kind__in=_BY_ONESELF)
    acts = since.exclude(kind__in=_ALONG_WITH_ACTS).exclude(expected)
    event = acts.select_related("by").order_by("id").first()
    if event:
        raise ActedOnSince(event)


def return_lead_to(lead: Lead, *, owner_id: int | None, team_id: int | None) -> None:
    """Whose the lead was before, as the undone entry says; nobody's who has left since."""
    owner = User.objects.filter(pk=owner_id).first() if owner_id else None
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    assign_lead(lead, owner=owner, team=team)


def log_undone(lead: Lead, entry: LeadEvent, *, by: User, now: datetime) -> None:
    """Keep that an entry of the log no longer holds."""
    log_event(
        lead, Kind.UNDONE, at=now, by=by, handoff_id=entry.handoff_id, undoes=entry.kind, entry=entry.pk
    )
