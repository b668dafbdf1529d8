"""What a visitor did before saying who they are counts from when they said it (SCORE-7, INTAKE-3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from leads.models import Activity, Lead
from leads.segment import read_message
from leads.visitors import take_message
from scoring.engine import score_moments
from scoring.matching import backfill_signals
from scoring.models import LeadScore, ModelVersion, SignalHit
from scoring.models.scores import evidence_of
from scoring.score_history import score_over_time
from scoring.services import explain_score, score_lead
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
VISITED, BETWEEN, IDENTIFIED = NOON - 5 * DAY, NOON - 3 * DAY, NOON - DAY
ADDRESS = "ada@acme.example"


@pytest.fixture
def version() -> ModelVersion:
    pricing = make_signal("Pricing page", ["Page Viewed"], ("path", "equals", ["/pricing"]), intent="high")
    return publish({"signal": pricing, "points": 30}, now=NOON - 20 * DAY)


@pytest.fixture
def lead(version: ModelVersion) -> Lead:
    """Known for long; looks at the prices without saying who it is, and says so four days later."""
    lead = LeadFactory(email=ADDRESS, created_at=NOON - 10 * DAY)
    say("page", VISITED, properties={"path": "/pricing"})
    score_lead(lead, now=BETWEEN)
    say("identify", IDENTIFIED, userId="u-1", traits={"email": ADDRESS})
    score_lead(lead, now=IDENTIFIED)
    return lead


def say(kind: str, at: datetime, **fields: Any) -> None:
    raw = {"type": kind, "anonymousId": "a-1", "messageId": f"{kind}-{at}", "timestamp": at.isoformat()}
    take_message(read_message(raw | fields, received_at=at), now=at)


def test_a_past_score_leaves_out_what_we_could_not_tell_was_the_leads(lead: Lead) -> None:
    assert explain_score(lead, as_of=BETWEEN).total == 0
    assert explain_score(lead, as_of=IDENTIFIED - timedelta(microseconds=1)).total == 0
    assert explain_score(lead, as_of=IDENTIFIED).total == 30
    assert LeadScore.objects.get(lead=lead).total == 30


def test_the_evidence_is_still_dated_by_the_visit(lead: Lead) -> None:
    (line,) = explain_score(lead, as_of=NOON).lines

    assert (line.first_at, line.last_at) == (VISITED, VISITED)


def test_what_is_done_once_we_know_who_it_is_counts_at_once(lead: Lead) -> None:
    say("page", NOON, properties={"path": "/pricing"})
    score_lead(lead, now=NOON)

    assert SignalHit.objects.get(lead=lead, occurred_at=NOON).received_at == NOON


def test_so_says_the_score_over_time(lead: Lead) -> None:
    points = score_over_time(lead, since=NOON - 9 * DAY, until=NOON)

    assert next(point.at for point in points if point.total == 30) == IDENTIFIED
    assert {point.total for point in points if point.at < IDENTIFIED} == {0}


def test_so_does_a_backtest(lead: Lead, version: ModelVersion) -> None:
    scored = score_moments(version, first=lead.pk, last=lead.pk, points=[BETWEEN, NOON])

    assert {as_of: result.total for as_of, result in scored} == {BETWEEN: 0, NOON: 30}


def test_a_signal_written_later_keeps_to_it(lead: Lead) -> None:
    any_page = make_signal("Any page", ["Page Viewed"])

    backfill_signals([any_page], now=NOON)

    hit = SignalHit.objects.get(signal=any_page)
    assert (hit.occurred_at, hit.received_at) == (VISITED, IDENTIFIED)


def test_it_is_new_evidence_for_a_lead_that_sales_returned_in_between(lead: Lead) -> None:
    """FEED-2: what matters is that nobody knew of it when the lead was returned."""
    assert evidence_of(lead, since=BETWEEN).exists()
    assert not evidence_of(lead, since=IDENTIFIED).exists()


def test_a_late_visit_of_a_known_lead_counts_from_its_arrival(lead: Lead) -> None:
    """Sent only after the person was known: nothing had to be given to the lead."""
    raw = {"type": "page", "userId": "u-1", "anonymousId": "a-1", "messageId": "late"}
    raw |= {"timestamp": VISITED.isoformat(), "properties": {"path": "/pricing"}}
    take_message(read_message(raw, received_at=NOON), now=NOON)
    score_lead(lead, now=NOON)

    late = Activity.objects.get(message_id="late")
    assert late.attributed_at is None
    assert SignalHit.objects.get(activity=late).received_at == NOON
