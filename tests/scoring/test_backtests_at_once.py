"""Several workers and several clicks at once: one backtest, each step once (SCORE-10)."""

from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import User
from scoring.backtesting.replay import Tally
from scoring.backtesting.runs import advance_backtest, request_backtest
from scoring.backtesting.tasks import run_backtest_soon
from scoring.matching import match_activities
from scoring.models import Backtest
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal
from tests.scoring.test_publishing_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_clicks_are_one_backtest(marketing: User) -> None:
    draft = make_draft({"signal": make_signal("Demo", ["Demo Requested"]), "points": 30})

    results = at_once(*[lambda: request_backtest(draft, days=90, by=marketing, now=NOON)] * 4)

    assert {result.pk for result in results if isinstance(result, Backtest)} == {Backtest.objects.get().pk}
    assert len(results) == 4


def test_two_workers_count_every_lead_once(marketing: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scoring.backtesting.runs.LEADS_PER_STEP", 2)
    draft = make_draft(
        {"signal": make_signal("Demo", ["Demo Requested"], intent="high"), "points": 30}, threshold=20
    )
    leads = [LeadFactory(created_at=NOON) for _ in range(9)]
    for lead in leads:
        do(lead, "Demo Requested", NOON)
    match_activities([lead.pk for lead in leads])
    backtest = request_backtest(draft, days=7, by=marketing, now=NOON)

    at_once(*[lambda: run_backtest_soon(backtest.pk)] * 3)
    run_backtest_soon(backtest.pk)  # one that was passed over leaves nothing behind

    backtest.refresh_from_db()
    tally = Tally.from_json(backtest.result["tally"])
    assert (tally.leads, tally.draft) == (9, [9])
    assert (backtest.attempts, backtest.error) == (0, "")


def test_a_worker_passes_over_what_another_one_holds(marketing: User) -> None:
    """And does not use up its tries meanwhile."""
    draft = make_draft({"signal": make_signal("Demo", ["Demo Requested"]), "points": 30})
    backtest = request_backtest(draft, days=7, by=marketing, now=NOON)

    with transaction.atomic():
        Backtest.objects.select_for_update().get(pk=backtest.pk)
        [result] = at_once(lambda: advance_backtest(backtest.pk, now=NOON))

    backtest.refresh_from_db()
    assert result is False
    assert (backtest.steps_done, backtest.attempts) == (0, 0)
