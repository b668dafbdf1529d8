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


def go_away(user: User, *, now: datetime, reason: str = "") -> bool:
    """Take the person out of routing until they are back; False if they were away already.

    Repeating it keeps the first time. A `reason` is shown to them: the portal did it, not they.
    """
    return bool(
        User.objects.filter(pk=user.pk, away_since=None).update(away_since=now, away_reason=reason[:200])
    )


def come_back(user: User, *, now: datetime) -> None:
    """Put the person back into routing. Repeating it keeps the first time."""
    away = User.objects.filter(pk=user.pk, away_since__isnull=False)
    away.update(away_since=None, away_reason="", back_since=now)


def note_return(user: User, *, now: datetime) -> None:
    """Somebody else has put the person back into routing: what they let lapse before is forgotten too."""
    user.back_since = now
    user.save(update_fields=["back_since"])
