"""The history of versions: every step leaves one entry that nobody can change (SCORE-1)."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from scoring.models import ModelVersion, VersionEvent


def record(
    version: ModelVersion, kind: VersionEvent.Kind, *, at: datetime, by: User | None, note: str = ""
) -> None:
    """Append one step. `by` is None where the portal itself acted, such as at the stated time."""
    VersionEvent.objects.create(version=version, kind=kind, at=at, by=by, note=note)
