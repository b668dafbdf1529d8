"""The bell in the header."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import User
from common.prepared import VIEWER, ask_prepared, composed
from notifications.models import Notification


def unread_count(request: HttpRequest) -> dict[str, object]:
    """`unread_notifications`: counted only when a template asks."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"unread_notifications": SimpleLazyObject(lambda: _count_unread(user))}


def _count_unread(user: User) -> int:
    ((count,),) = ask_prepared(_unread(), {"viewer": user.pk})
    return int(count)


@cache
def _unread() -> str:
    """Prepared, because every page asks."""
    unread = Notification.objects.visible_to(User(pk=VIEWER)).unread()
    return f"SELECT count(*) FROM ({composed(unread.values('pk'))}) AS unread"
