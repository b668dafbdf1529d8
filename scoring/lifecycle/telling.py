"""What people of marketing are told about versions."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse

from accounts.models import User
from notifications.models import Notification
from notifications.services import notify_users
from scoring.models import ModelVersion


def tell_approvers(version: ModelVersion, *, now: datetime) -> None:
    """Everybody of marketing but the proposer is asked to look."""
    others = User.objects.filter(role=User.Role.MARKETING, is_active=True).exclude(
        username=version.proposed_by.username if version.proposed_by else ""
    )
    notify_users(
        others,
        kind=Notification.Kind.SCORING,
        dedupe_key=f"version-{version.pk}-proposed-{now.isoformat()}",
        title=f"{version} waits for approval",
        body=f"{version.proposed_by}: {version.note}",
        url=reverse("scoring:version", args=[version.number]),
        now=now,
    )


def tell_proposer(
    version: ModelVersion, what: str, *, by: User | None, now: datetime, words: str = ""
) -> None:
    """Whoever proposed the version hears what came of it, unless it was their own doing."""
    if version.proposed_by is None or version.proposed_by == by:
        return
    notify_users(
        [version.proposed_by],
        kind=Notification.Kind.SCORING,
        dedupe_key=f"version-{version.pk}-{what}-{now.isoformat()}",
        title=f"{version} was {what}",
        body=f"{by}: {words}" if by and words else words,
        url=reverse("scoring:version", args=[version.number]),
        now=now,
    )
