"""Who may act on a handoff, and what they are told when somebody was quicker (QUEUE-5)."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from common.errors import DomainError, InvalidInput, NotAllowed
from handoffs.models import Handoff, PoolMembership
from leads.models import Lead, LeadEvent

NOTE_LENGTH = 500

_MINUTE, _HOUR, _DAY = 60, 3600, 86400

# How a handoff left the state somebody still sees: the word, and the fields that say who and when.
_CHANGES = {
    Handoff.Status.ACCEPTED: ("accepted", "accepted_by", "accepted_at"),
    Handoff.Status.CONTACTED: ("accepted", "accepted_by", "accepted_at"),
    Handoff.Status.QUALIFIED: ("qualified", "qualified_by", "qualified_at"),
    Handoff.Status.OPPORTUNITY: ("qualified", "qualified_by", "qualified_at"),
    Handoff.Status.WON: ("won", "closed_by", "closed_at"),
    Handoff.Status.LOST: ("lost", "closed_by", "closed_at"),
    Handoff.Status.REJECTED: ("rejected", "closed_by", "closed_at"),
    Handoff.Status.WITHDRAWN: ("withdrew", "closed_by", "closed_at"),
}


class HandoffChanged(DomainError):
    """The handoff is no longer in the state the act is for. The message says what happened and who did it."""

    code = "handoff_changed"

    def __init__(self, handoff: Handoff, *, now: datetime, words: str = "") -> None:
        super().__init__(words or describe_change(handoff, now=now))
        self.handoff = handoff


class HandoffAlreadyTaken(HandoffChanged):
    """Somebody was quicker. The message names them."""

    code = "handoff_already_taken"


class HandoffMovedOn(HandoffChanged):
    """It was theirs, and somebody has given it to somebody else. The message says who, to whom and when."""

    code = "handoff_moved_on"

    def __init__(self, handoff: Handoff, moved: LeadEvent, *, now: datetime) -> None:
        to, ago = handoff.owner or "the overflow queue", _ago(moved.at, now)
        words = f"{moved.by} gave this to {to} {ago}." if moved.by else f"This went to {to} {ago}."
        super().__init__(handoff, now=now, words=words)


class NotAcceptedYet(DomainError):
    """The act is for the rep who has accepted."""

    code = "not_accepted_yet"

    def __init__(self) -> None:
        super().__init__("Accept this handoff first.")


def describe_change(handoff: Handoff, *, now: datetime) -> str:
    """What happened last, in a sentence: "Mara Lind accepted this 8 seconds ago"."""
    if handoff.status == Handoff.Status.OFFERED:
        if handoff.owner is None or handoff.offered_at is None:
            return "This handoff waits in the overflow queue."
        return f"{handoff.owner} got this {_ago(handoff.offered_at, now)}."
    word, by, at = _CHANGES[Handoff.Status(handoff.status)]
    who: User | None = getattr(handoff, by)
    when: datetime | None = getattr(handoff, at)
    return f"{who or 'Salesforce'} {word} this {_ago(when, now) if when else 'before'}."


def _ago(moment: datetime, now: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 1:
        return "just now"
    for size, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (1, "second")):
        if seconds >= size:
            number = seconds // size
            return f"{number} {name}{'s' if number > 1 else ''} ago"
    return "just now"


def lock_handoff(handoff: Handoff) -> Lead:
    """Lock the lead, always the first lock, and read the handoff anew under it."""
    lead = Lead.objects.lock(handoff.lead_id)
    handoff.refresh_from_db()
    return lead


def may_work(handoff: Handoff, user: User) -> bool:
    """The owner may, a member of the pool while nobody owns it, and any manager."""
    if not user.is_active:
        return False
    if user.role == User.Role.MANAGER:
        return True
    if user.role != User.Role.BDR:
        return False
    if handoff.owner_id is not None:
        return handoff.owner_id == user.pk
    return is_pool_member(handoff, user)


def is_pool_member(handoff: Handoff, user: User) -> bool:
    return PoolMembership.objects.filter(pool=handoff.pool_id, user=user).exists()


def require_worker(handoff: Handoff, by: User, *, now: datetime) -> None:
    """Raises NotAllowed unless they may act on it; HandoffMovedOn where it was theirs before, and
    HandoffAlreadyTaken where it was anybody's of the pool: then a page that showed them the button was right.
    """
    if may_work(handoff, by):
        return
    moved = _taken_from(handoff, by)
    if moved:
        raise HandoffMovedOn(handoff, moved, now=now)
    if is_pool_member(handoff, by) and _was_in_overflow(handoff):
        raise HandoffAlreadyTaken(handoff, now=now)
    if handoff.owner_id is not None and by.role == User.Role.BDR:
        raise NotAllowed(f"This handoff is with {handoff.owner}. A manager can reassign it.")
    raise NotAllowed("Only the owner of this handoff, its pool while it has none, or a manager may do this.")


def _taken_from(handoff: Handoff, rep: User) -> LeadEvent | None:
    """The entry of the log that says how the handoff went from this rep to another, if it did."""
    moves = LeadEvent.objects.filter(
        handoff_id=handoff.pk, kind__in=(LeadEvent.Kind.ASSIGNED, LeadEvent.Kind.OVERFLOWED)
    )
    return moves.filter(detail__from_id=rep.pk).select_related("by").order_by("-id").first()


def _was_in_overflow(handoff: Handoff) -> bool:
    waited = LeadEvent.objects.filter(handoff_id=handoff.pk, kind=LeadEvent.Kind.OVERFLOWED)
    return waited.exists()


def require_role(by: User, *roles: User.Role, act: str) -> None:
    """Raises NotAllowed unless the person has one of the roles."""
    if by.role not in roles or not by.is_active:
        names = " or ".join(role.label.lower() for role in roles)
        raise NotAllowed(f"Only {names} may {act}.")


def require_text(text: str, *, field: str, ask: str, length: int = NOTE_LENGTH) -> str:
    """The text without surrounding space. Raises InvalidInput when it is blank or cannot be stored."""
    text = text.strip()
    if not text:
        raise InvalidInput(ask, field=field)
    return allow_text(text, field=field, length=length)


def allow_text(text: str, *, field: str, length: int = NOTE_LENGTH) -> str:
    """The text without surrounding space; blank is fine. Raises InvalidInput."""
    text = text.strip()
    if len(text) > length:
        raise InvalidInput(f"At most {length} characters, please; this has {len(text)}.", field=field)
    if "\x00" in text:
        raise InvalidInput("Remove the NUL character.", field=field)
    return text
