"""Who may change scoring."""

from __future__ import annotations

from accounts.models import User
from common.errors import NotAllowed


def may_edit_scoring(user: User) -> bool:
    return user.role == User.Role.MARKETING or user.is_superuser


def require_marketing(user: User | None) -> None:
    """Raises NotAllowed unless the person may edit scoring. None is the system itself, such as a preset."""
    if user is not None and not may_edit_scoring(user):
        raise NotAllowed("Only marketing edits and publishes scoring.")
