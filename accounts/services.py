"""What a person changes about themselves."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from common.errors import InvalidInput


def choose_theme(user: User, *, theme: str) -> None:
    """Remember light, dark or the system's choice. Raises InvalidInput for anything else."""
    if theme not in User.Theme.values:
        raise InvalidInput("Choose light, dark, or what the system says.", field="theme")
    user.theme = theme
    user.save(update_fields=["theme"])


def go_away(user: User, *, now: datetime) -> None:
    """Take the person out of routing until they are back. Repeating it keeps the first time."""
    User.objects.filter(pk=user.pk, away_since=None).update(away_since=now)


def come_back(user: User) -> None:
    """Put the person back into routing."""
    User.objects.filter(pk=user.pk).update(away_since=None)
