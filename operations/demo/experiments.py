"""What marketing has in hand at the end of the year: a draft that counts webinars, tried against history."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from scoring.backtesting.runs import advance_backtest, request_backtest
from scoring.models import ModelVersion, Rule, Signal
from scoring.services import create_draft

DRAFTED_BEFORE = timedelta(hours=2)
LOOKED_BACK_DAYS = 90


def draft_webinar_points(marketing: User, *, until: datetime) -> None:
    """A draft "Webinar +20" two hours before the end, with its backtest finished."""
    now = until - DRAFTED_BEFORE
    webinar = Signal.objects.create(
        key="webinar-attended",
        name="Webinar attended",
        event_names=["Webinar Attended"],
        intent=Signal.Intent.HIGH,
        created_at=now,
    )
    active = ModelVersion.objects.active().get()
    draft = create_draft(based_on=active, by=marketing, now=now, name="Webinar +20")
    Rule.objects.create(
        version=draft,
        kind=Rule.Kind.BEHAVIOUR,
        name="Webinar attended",
        signal=webinar,
        points=20,
        position=active.rules.count(),
    )
    backtest = request_backtest(draft, days=LOOKED_BACK_DAYS, by=marketing, now=now)
    while advance_backtest(backtest.pk, now=now):
        pass
