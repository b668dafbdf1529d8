"""A signal is tried on recent activities before it is saved, by the same test as matching (SCORE-1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import User
from common.patience import TookTooLong
from leads.models import Lead
from scoring import recent_activities
from scoring.matching import match_activities
from scoring.models import Signal, SignalCondition, SignalHit
from scoring.recent_activities import first_id_since, preview_signal, recent_names
from tests.factories import NOON, ActivityFactory, LeadFactory
from tests.scoring.builders import do, make_signal

pytestmark = pytest.mark.django_db

LAST_WEEK = NOON - timedelta(days=7)


@pytest.fixture
def history(bdr: User) -> list[Lead]:
    """Two leads, one of Mara's: five visits of the pricing page, two of others, and one long ago."""
    mine, other = LeadFactory(first_name="Ana", owner=bdr), LeadFactory(first_name="Ben")
    do(other, "Page Viewed", NOON - timedelta(days=60), path="/pricing")
    for number in range(4):
        do(mine, "page viewed", LAST_WEEK + timedelta(hours=number), path=f"/Pricing/{number}")
    do(other, "Page Viewed", LAST_WEEK, path="/pricing", seats="12")
    do(other, "Page Viewed", LAST_WEEK, path="/careers")
    do(other, "Webinar Attended", LAST_WEEK)
    return [mine, other]


def typed(*events: str) -> Signal:
    return Signal(key="typed", name="Typed", event_names=list(events), created_at=NOON)


def condition(name: str, operator: str, *values: str) -> SignalCondition:
    return SignalCondition(property_name=name, operator=operator, values=list(values))


def test_it_counts_what_would_have_matched_and_gives_examples(history: list[Lead], marketing: User) -> None:
    found = preview_signal(
        typed("Page Viewed"), [condition("path", "starts_with", "/pricing")], by=marketing, now=NOON
    )

    assert (found.days, found.looked_at, found.matched, found.leads) == (30, 7, 5, 2)
    assert found.examples[0].properties == (("path", "/pricing"),)
    assert {example.lead for example in found.examples} == set(history)


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [("path", "contains", ["RICING"])],
        [("path", "one_of", ["/careers", "/pricing"])],
        [("seats", "at_least", ["10"])],
        [("path", "starts_with", ["/pricing"]), ("seats", "at_most", ["12"])],
    ],
)
def test_it_agrees_with_matching(
    history: list[Lead], marketing: User, conditions: list[tuple[str, str, list[str]]]
) -> None:
    rows = [condition(name, operator, *values) for name, operator, values in conditions]
    found = preview_signal(typed("Page Viewed"), rows, by=marketing, now=NOON)
    signal = make_signal("Saved", ["Page Viewed"], *conditions)
    match_activities([lead.pk for lead in history])

    hits = SignalHit.objects.filter(signal=signal, received_at__gte=NOON - timedelta(days=30))
    assert found.matched == hits.count()


def test_nothing_stays_written(history: list[Lead], marketing: User) -> None:
    preview_signal(typed("Page Viewed"), [condition("path", "equals", "/x")], by=marketing, now=NOON)

    assert not Signal.objects.exists()
    assert not SignalCondition.objects.exists()
    assert not SignalHit.objects.exists()


def test_examples_are_only_of_leads_the_person_may_see(history: list[Lead], bdr: User) -> None:
    found = preview_signal(typed("Page Viewed"), [], by=bdr, now=NOON)

    assert found.leads == 2
    assert {example.lead for example in found.examples} <= {history[0]}


def test_too_many_activities_are_refused_with_a_sentence(
    history: list[Lead], marketing: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_activities, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(
        recent_activities,
        "_MATCHED",
        recent_activities._MATCHED.replace(
            "SELECT count(*), count(*) FILTER", "SELECT (SELECT count(*) FROM pg_sleep(30)), count(*) FILTER"
        ),
    )

    with pytest.raises(TookTooLong, match="Save the signal"):
        preview_signal(typed("Page Viewed"), [], by=marketing, now=NOON)


def test_a_moment_is_found_among_ids(history: list[Lead]) -> None:
    ids = [ActivityFactory(lead=history[0], received_at=NOON + timedelta(days=day)).pk for day in range(20)]

    for day in (0, 7, 19):
        assert first_id_since(NOON + timedelta(days=day)) == ids[day]
    assert first_id_since(NOON + timedelta(days=99)) == ids[-1] + 1


def test_names_come_with_their_share(history: list[Lead]) -> None:
    names = recent_names(now=NOON)

    assert dict(names.events) == {"page viewed": 50.0, "Page Viewed": 37.5, "Webinar Attended": 12.5}
    assert names.properties == ("path", "seats")
    assert not names.is_sample


def test_names_are_counted_in_a_sample_of_many(history: list[Lead], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent_activities, "RUNS", 3)
    monkeypatch.setattr(recent_activities, "RUN_LENGTH", 2)
    for _ in range(30):
        ActivityFactory(lead=history[0], event="Ping", received_at=NOON)

    names = recent_names(now=NOON)

    assert names.is_sample
    assert names.events[0][0] == "Ping"


def test_without_activities_there_are_no_names() -> None:
    assert recent_names(now=NOON).events == ()


def test_looking_never_scans_the_whole_table(history: list[Lead], django_assert_max_num_queries) -> None:
    with django_assert_max_num_queries(40):
        recent_names(now=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        parameters = {"first": 1, "last": 10**9, "step": 10**7, "run": 5}
        cursor.execute(f"EXPLAIN {recent_activities._NAMES}", parameters)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on leads_activity" not in plan
