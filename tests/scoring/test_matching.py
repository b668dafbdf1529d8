"""Which activities are which signals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads.models import Activity, Lead
from scoring import matching
from scoring.lifecycle.revising import revise_signal
from scoring.matching import backfill_drafts_for, backfill_next_chunk, backfill_signals, match_activities
from scoring.models import ModelVersion, Signal, SignalHit
from scoring.services import publish_version
from tests.factories import NOON, ActivityFactory, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal

pytestmark = pytest.mark.django_db


def hits_of(lead: Lead, signal: Signal) -> int:
    return SignalHit.objects.filter(lead=lead, signal=signal).count()


@pytest.mark.parametrize(
    ("condition", "properties", "matches"),
    [
        (("path", "starts_with", ["/pricing"]), {"path": "/Pricing/enterprise"}, True),
        (("path", "starts_with", ["/pricing"]), {"path": "/blog/pricing"}, False),
        (("path", "starts_with", ["/careers", "/jobs"]), {"path": "/jobs/42"}, True),
        (("form", "equals", ["Demo"]), {"form": "demo"}, True),
        (("form", "equals", ["Demo"]), {"form": "demo form"}, False),
        (("form", "one_of", ["demo", "contact"]), {"form": "Contact"}, True),
        (("form", "one_of", ["demo", "contact"]), {}, False),
        (("title", "contains", ["pricing"]), {"title": "Our Pricing Plans"}, True),
        (("title", "contains", ["100%"]), {"title": "100 percent"}, False),
        (("seats", "at_least", ["10"]), {"seats": 10}, True),
        (("seats", "at_least", ["10"]), {"seats": "9.5"}, False),
        (("seats", "at_least", ["10"]), {"seats": "many"}, False),
        (("seats", "at_least", ["10"]), {"seats": None}, False),
        (("seats", "at_most", ["10"]), {"seats": -3}, True),
        (("seats", "at_most", ["10"]), {"seats": {"nested": 1}}, False),
    ],
)
def test_a_condition_on_a_property(condition: Any, properties: dict[str, Any], matches: bool) -> None:
    signal = make_signal("Any", ["Done"], condition)
    lead = LeadFactory()
    do(lead, "Done", **properties)

    match_activities([lead.pk])

    assert hits_of(lead, signal) == matches


def test_all_conditions_must_hold() -> None:
    signal = make_signal("Any", ["Done"], ("a", "equals", ["1"]), ("b", "equals", ["2"]))
    both, one = LeadFactory(), LeadFactory()
    do(both, "Done", a="1", b="2")
    do(one, "Done", a="1", b="3")

    match_activities([both.pk, one.pk])

    assert (hits_of(both, signal), hits_of(one, signal)) == (1, 0)


def test_the_event_name_matches_without_regard_to_case() -> None:
    signal = make_signal("Demo", ["Demo Requested", "Trial Started"])
    lead = LeadFactory()
    do(lead, "demo requested")
    do(lead, "TRIAL STARTED")
    do(lead, "Demo")

    match_activities([lead.pk])

    assert hits_of(lead, signal) == 2


def test_one_activity_may_be_several_signals() -> None:
    make_signal("Visit", ["Page Viewed"])
    make_signal("Pricing", ["Page Viewed"], ("path", "starts_with", ["/pricing"]))
    lead = LeadFactory()
    do(lead, "Page Viewed", path="/pricing")

    match_activities([lead.pk])

    assert SignalHit.objects.filter(lead=lead).count() == 2


def test_matching_twice_adds_nothing_and_clears_the_mark() -> None:
    signal = make_signal("Demo", ["Demo Requested"])
    lead = LeadFactory()
    activity = do(lead, "Demo Requested")

    match_activities([lead.pk])
    Lead.objects.filter(pk=lead.pk).update(unmatched_from=activity.pk)
    match_activities([lead.pk])

    lead.refresh_from_db()
    assert lead.unmatched_from is None
    assert hits_of(lead, signal) == 1


def test_a_hit_keeps_when_it_happened_and_when_we_learnt_of_it() -> None:
    make_signal("Demo", ["Demo Requested"])
    lead = LeadFactory()
    activity = do(lead, "Demo Requested", NOON, received_at=NOON + timedelta(hours=2))

    match_activities([lead.pk])

    hit = SignalHit.objects.get()
    assert (hit.activity, hit.occurred_at, hit.received_at) == (activity, NOON, NOON + timedelta(hours=2))


def test_only_activities_from_the_mark_on_are_looked_at() -> None:
    signal = make_signal("Demo", ["Demo Requested"])
    lead = LeadFactory()
    do(lead, "Demo Requested")
    newer = do(lead, "Demo Requested")
    Lead.objects.filter(pk=lead.pk).update(unmatched_from=newer.pk)

    match_activities([lead.pk])

    assert hits_of(lead, signal) == 1


def test_leads_that_were_not_named_keep_their_marks() -> None:
    make_signal("Demo", ["Demo Requested"])
    named, other = LeadFactory(), LeadFactory()
    do(named, "Demo Requested")
    do(other, "Demo Requested")

    match_activities([named.pk])

    assert set(SignalHit.objects.values_list("lead_id", flat=True)) == {named.pk}
    other.refresh_from_db()
    assert other.unmatched_from is not None


@pytest.mark.parametrize("count", [1, 25])
def test_matching_takes_as_many_queries_for_many_leads_as_for_one(count: int) -> None:
    make_signal("Demo", ["Demo Requested"])
    leads = [LeadFactory() for _ in range(count)]
    for lead in leads:
        do(lead, "Demo Requested")

    with CaptureQueriesContext(connection) as queries:
        match_activities([lead.pk for lead in leads])

    statements = [query for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 3
    assert SignalHit.objects.count() == count


def test_a_new_signal_is_matched_to_earlier_activities_once() -> None:
    lead = LeadFactory()
    ActivityFactory(lead=lead, event="Demo Requested")
    signal = make_signal("Demo", ["Demo Requested"])

    backfill_signals([signal], now=NOON)
    backfill_signals([Signal.objects.get()], now=NOON + timedelta(days=1))

    assert hits_of(lead, signal) == 1
    assert Signal.objects.get().backfilled_at == NOON


def test_activities_of_unknown_visitors_are_no_hits() -> None:
    from leads.models import Visitor

    visitor = Visitor.objects.create(kind=Visitor.Kind.ANONYMOUS_ID, value="a", created_at=NOON)
    ActivityFactory(lead=None, visitor=visitor, event="Demo Requested")
    signal = make_signal("Demo", ["Demo Requested"])

    backfill_signals([signal], now=NOON)

    assert not SignalHit.objects.exists()


# Ahead of a publish


@pytest.fixture
def demo() -> Signal:
    """A signal that a draft counts, and that was made after the activities."""
    signal = make_signal("Demo", ["Demo Requested"], intent="high")
    make_draft({"signal": signal, "points": 30})
    return signal


@pytest.fixture
def activities(monkeypatch: pytest.MonkeyPatch) -> list[Activity]:
    """Two that are demos, two that are trials; a chunk ends ahead of the second."""
    lead = LeadFactory()
    events = ["Demo Requested", "Trial Started"] * 2
    made = [ActivityFactory(lead=lead, event=event) for event in events]
    monkeypatch.setattr(matching, "ACTIVITIES_PER_CHUNK", made[1].pk)
    return made


def matched_to(signal: Signal) -> list[int]:
    hits = SignalHit.objects.filter(signal=signal)
    return list(hits.order_by("activity").values_list("activity", flat=True))


def backfill_to_the_end() -> bool:
    return backfill_drafts_for(60, clock=lambda: NOON)


def test_signals_of_drafts_are_backfilled_so_that_a_publish_finds_it_done(
    activities: list[Activity], demo: Signal
) -> None:
    unused = make_signal("Visit", ["Page Viewed"])

    assert backfill_to_the_end()

    demo.refresh_from_db()
    unused.refresh_from_db()
    assert matched_to(demo) == [activities[0].pk, activities[2].pk]
    assert (demo.backfilled_at, demo.backfilled_to, unused.backfilled_at) == (NOON, None, None)


def test_a_backfill_that_was_interrupted_goes_on_from_where_it_was(
    activities: list[Activity], demo: Signal
) -> None:
    backfill_next_chunk(now=NOON)
    assert matched_to(demo) == [activities[0].pk]
    assert not Signal.objects.get(pk=demo.pk).backfilled_at
    SignalHit.objects.all().delete()  # so that a second look at the first chunk would show

    assert backfill_to_the_end()

    assert matched_to(demo) == [activities[2].pk]


def test_a_backfill_ends_when_its_time_is_up(activities: list[Activity], demo: Signal) -> None:
    assert not backfill_drafts_for(0, clock=lambda: NOON)

    assert Signal.objects.get(pk=demo.pk).backfilled_at is None


def test_a_definition_edited_between_two_chunks_is_begun_again(
    activities: list[Activity], demo: Signal
) -> None:
    Signal.objects.filter(pk=demo.pk).update(event_names=["Trial Started"])
    backfill_next_chunk(now=NOON)
    demo.refresh_from_db()
    demo.event_names = ["Demo Requested"]

    revise_signal(demo, conditions=[], by=None, now=NOON)
    backfill_to_the_end()

    assert matched_to(demo) == [activities[0].pk, activities[2].pk]


def test_a_publish_completes_a_backfill_under_way(activities: list[Activity], demo: Signal) -> None:
    backfill_next_chunk(now=NOON)

    publish_version(ModelVersion.objects.get(), by=None, note="", now=NOON)

    demo.refresh_from_db()
    assert matched_to(demo) == [activities[0].pk, activities[2].pk]
    assert (demo.backfilled_at, demo.backfilled_to) == (NOON, None)


def test_a_new_revision_is_backfilled_from_the_beginning(activities: list[Activity], demo: Signal) -> None:
    """A revision that a version counts stays as it is; the one after it has not matched anything."""
    publish_version(ModelVersion.objects.get(), by=None, note="", now=NOON)
    first = Signal.objects.get(pk=demo.pk)
    first.backfilled_to = activities[2].pk
    first.event_names = ["Trial Started"]

    second = revise_signal(first, conditions=[], by=None, now=NOON)
    make_draft({"signal": second, "points": 30})

    assert backfill_to_the_end()
    assert matched_to(second) == [activities[1].pk, activities[3].pk]
