"""Who may look at the exchange, and who may act on it."""

from __future__ import annotations

from accounts.models import User

WATCHERS = (User.Role.OPERATOR, User.Role.MANAGER)
KEEPERS = (User.Role.OPERATOR,)


def may_watch(user: User) -> bool:
    return user.role in WATCHERS or user.is_superuser


def may_keep(user: User) -> bool:
    """Send again, decide about records, change the connection: what the pages' guards ask, for templates."""
    return user.role in KEEPERS or user.is_superuser
