"""Background work of feedback; each function takes the time once and calls one verb."""

from __future__ import annotations

from django.utils import timezone

from feedback.recycling import wake_recyclings


def wake_recyclings_task() -> None:
    wake_recyclings(now=timezone.now())
