"""SLA-7: a manager names the systemic cause of a breach."""

from __future__ import annotations

from datetime import timedelta

import pytest

from common.errors import InvalidInput, NotAllowed
from sla.breaches import NotABreach, review_breach
from sla.models import Clock
from tests.sla.factories import ClockFactory

LATE = timedelta(minutes=90)


def test_a_review_keeps_cause_note_who_and_when(bdr, manager, now):
    clock = ClockFactory(owner=bdr)

    reviewed = review_breach(clock, cause="capacity", note=" Two were ill ", by=manager, now=now + LATE)

    assert (reviewed.cause, reviewed.review_note) == ("capacity", "Two were ill")
    assert (reviewed.reviewed_by, reviewed.reviewed_at) == (manager, now + LATE)


def test_a_later_review_replaces_the_earlier_one(bdr, manager, now):
    clock = ClockFactory(owner=bdr)
    review_breach(clock, cause="capacity", note="", by=manager, now=now + LATE)

    review_breach(clock, cause="routing", note="", by=manager, now=now + 2 * LATE)

    assert Clock.objects.get().cause == "routing"


def test_only_what_was_missed_can_be_reviewed(bdr, manager, now):
    with pytest.raises(NotABreach):
        review_breach(ClockFactory(owner=bdr), cause="capacity", note="", by=manager, now=now)


@pytest.mark.parametrize(("cause", "note"), [("", ""), ("blame", ""), ("other", "x" * 1001)])
def test_a_review_without_a_known_cause_is_refused(bdr, manager, now, cause, note):
    with pytest.raises(InvalidInput):
        review_breach(ClockFactory(owner=bdr), cause=cause, note=note, by=manager, now=now + LATE)


def test_only_managers_review(bdr, marketing, operator, now):
    clock = ClockFactory(owner=bdr)

    for somebody in (bdr, marketing, operator):
        with pytest.raises(NotAllowed):
            review_breach(clock, cause="other", note="", by=somebody, now=now + LATE)


def test_those_to_review_are_the_recorded_ones_whose_policy_asks_for_it(bdr, manager, now):
    recorded = {"owner": bdr, "breach_recorded_at": now + LATE, "warn_at": None}
    asked = ClockFactory(**recorded)
    ClockFactory(**recorded, reviews_breaches=False)
    review_breach(ClockFactory(**recorded), cause="other", note="", by=manager, now=now + LATE)

    assert list(Clock.objects.to_review()) == [asked]
