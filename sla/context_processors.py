"""The counts on every page: messages not read and tickets to answer."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from common.prepared import VIEWER, ask_prepared, composed
from notifications.models import Notification
from sla.models import Ticket


def counts(request: HttpRequest) -> dict[str, object]:
    """`unread_notifications` and `tickets_to_answer`: counted together, and only when a template asks."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    both = SimpleLazyObject(lambda: _count(user))
    return {
        "unread_notifications": SimpleLazyObject(lambda: both[0]),
        "tickets_to_answer": SimpleLazyObject(lambda: both[1]),
    }


def _count(user: User) -> tuple[int, int]:
    ((unread, tickets),) = ask_prepared(_both(), {"viewer": user.pk})
    return int(unread), int(tickets)


@cache
def _both() -> str:
    """One statement, prepared, because every page asks."""
    viewer = User(pk=VIEWER)
    unread = composed(Notification.objects.visible_to(viewer).unread().values("pk"))
    tickets = composed(Ticket.objects.open().filter(owner=viewer).order_by().values("pk"))
    return (
        f"SELECT (SELECT count(*) FROM ({unread}) AS unread), (SELECT count(*) FROM ({tickets}) AS tickets)"
    )
