"""Background work of the clocks; each function takes the time once and calls one verb."""

from __future__ import annotations

from django.utils import timezone

from sla.calendar_changes import recompute_changed_clocks
from sla.sweep import sweep_clocks


def sweep_clocks_task() -> None:
    sweep_clocks(now=timezone.now())


def recompute_changed_clocks_task() -> None:
    recompute_changed_clocks(now=timezone.now())
