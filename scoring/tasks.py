"""Background work of scoring; each function takes the time once per step and calls one verb."""

from __future__ import annotations

from django.utils import timezone

from scoring.lifecycle.approval import activate_due_versions
from scoring.lifecycle.rescoring import rescore_for
from scoring.matching import backfill_drafts_for

# A task ends well before the queue would give it up; what is left waits for the next run.
RESCORE_SECONDS = 40
BACKFILL_SECONDS = 30


def rescore_task() -> None:
    """Share in scoring all leads again; as many workers as run this work on it together."""
    rescore_for(RESCORE_SECONDS, clock=timezone.now)


def activate_due_versions_task() -> None:
    activate_due_versions(now=timezone.now())


def backfill_drafts_task() -> None:
    """Match old activities to the signals of drafts, so that a publish or a backtest finds it done."""
    backfill_drafts_for(BACKFILL_SECONDS, clock=timezone.now)
