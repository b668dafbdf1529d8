"""The nightly proof that scores add up; each function takes the time and calls one verb."""

from __future__ import annotations

import time

from django.utils import timezone

from common.queue import enqueue
from scoring.models import ScoreCheck
from scoring.verification import begin_check, check_next_chunk

# A worker's turn: well below what the queue gives one task. Then it lets others in.
TURN_SECONDS = 15


def verify_scores_task() -> None:
    """Begin a check, or go on with one that was interrupted."""
    check_scores_on(begin_check(now=timezone.now()).pk)


def check_scores_on(check_id: int) -> None:
    check = ScoreCheck.objects.get(pk=check_id)
    started = time.monotonic()
    while check_next_chunk(check, now=timezone.now()):
        if time.monotonic() - started > TURN_SECONDS:
            enqueue(check_scores_on, check_id)
            return
