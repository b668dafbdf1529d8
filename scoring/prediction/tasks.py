"""Background work of predictions; each function takes the time once and calls one verb."""

from __future__ import annotations

import time

from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from common.errors import DomainError
from notifications.models import Notification
from notifications.services import notify_users
from scoring.prediction.candidates import retrain, tell_of_candidate, train_candidate
from scoring.prediction.examples import Goal
from scoring.prediction.refreshing import refresh_predictions

# A sweep ends well before the queue would give its task up.
SWEEP_SECONDS = 30


def retrain_task() -> None:
    retrain(now=timezone.now())


def refresh_predictions_task() -> None:
    """Work through the due leads, for half a minute at most: what is left waits for the next run."""
    started, now = time.monotonic(), timezone.now()
    last = 0
    while (last := refresh_predictions(now=now, after=last)) and time.monotonic() - started < SWEEP_SECONDS:
        pass


def train_soon(goal: str, user_id: int) -> None:
    """What the button asks for. The person is told how it went, also when it was refused."""
    now = timezone.now()
    person = User.objects.filter(pk=user_id, is_active=True).first()
    if person is None:
        return
    try:
        tell_of_candidate(train_candidate(Goal(goal), by=person, now=now), [person], now=now)
    except DomainError as refusal:
        notify_users(
            [person],
            kind=Notification.Kind.SCORING,
            dedupe_key=f"prediction-refused-{now:%Y-%m-%dT%H:%M}",
            title="No prediction was trained",
            body=str(refusal),
            url=reverse("scoring:prediction"),
            now=now,
        )
