"""What marketing's pages count equals an independent SQL count (FEED-1, FEED-4, FEED-5)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from feedback.cohorts import ACCEPTED, OVERTURNED, Cohort, Grouping, Stretch, count_by_stretch, count_cohort
from feedback.inbox import acceptance_trend, measure_inbox
from feedback.models import RejectionReason, Verdict
from feedback.patterns import find_patterns
from feedback.recycling import wake_recyclings
from feedback.regret import measure_regret
from feedback.tracks import measure_tracks
from leads.services import release_lead
from tests.desk import fitting_lead, load_desk
from tests.factories import NOON
from tests.feedback.history import (
    History,
    accepted,
    deal_from,
    reader_of_prices,
    rejected,
    write_history,
)

DAY = timedelta(days=1)


@pytest.fixture
def at(bdr: User, other_bdr: User, manager: User, marketing: User) -> datetime:
    load_desk(now=NOON - 100 * DAY)
    return NOON


@pytest.fixture
def history(at: datetime, marketing: User, manager: User) -> History:
    return write_history(at=at, marketing=marketing, manager=manager)


def ask(sql: str, *parameters: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


# --- Decisions ------------------------------------------------------------------------------------


def test_what_was_passed_on_undone_or_too_early_is_not_among_the_decided(history: History) -> None:
    marks = count_cohort(Cohort.DECIDED, by=Grouping.REASON, since=history.since).marks

    assert marks == {ACCEPTED: 7, "wrong-icp": 6, "premature": 1, OVERTURNED: 1}


def test_the_tiles_say_what_counts_against_the_criteria(history: History, at: datetime) -> None:
    figures = measure_inbox(since=history.since, now=at)

    assert (figures.accepted, figures.rejected, figures.decided) == (7, 8, 15)
    assert figures.against == Verdict.objects.against_marketing().filter(at__gte=history.since).count() == 6
    assert figures.acceptance_rate == 60
    assert (figures.passed_on, figures.overturned) == (1, 1)
    assert figures.is_below_goal
    assert figures.goal == 90


def test_rules_are_those_of_the_frozen_packages(history: History) -> None:
    """Counted once more from the packages, without the view of the code on what a decision is."""
    decided = count_cohort(Cohort.DECIDED, by=Grouping.RULE, since=history.since)

    ids = [verdict.handoff_id for verdict in history.refused] + [each.pk for each in history.accepted]
    counted = ask(
        """
        SELECT rule, count(DISTINCT handoff_id) FILTER (WHERE status = 'rejected'), count(DISTINCT handoff_id)
        FROM handoffs_handoff handoff JOIN handoffs_contextpackage package ON handoff_id = handoff.id,
          jsonb_path_query(content, '$.score.lines[*] ? (@.kind != "bound").name') AS rule
        WHERE handoff.id = ANY(%s) GROUP BY rule
        """,
        ids,
    )
    for rule, refused, all_of_them in counted:
        group = decided.groups[str(rule)]
        others = ("premature", OVERTURNED)
        assert group.marks["wrong-icp"] == refused
        assert group.marks.total() - sum(group.marks[mark] for mark in others) == all_of_them
    assert decided.groups["Pricing page"].marks == {"wrong-icp": 6}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (Grouping.SOURCE, {"Trade fair": 7, "Webinar": 8}),
        (Grouping.CAMPAIGN, {"Spring": 6, "None": 9}),
        (Grouping.SIGNAL, {"Demo request": 15, "Pricing page visit": 6, "Website visit": 6}),
    ],
)
def test_source_campaign_and_signals_are_those_at_the_handoff(
    history: History, by: Grouping, expected: dict[str, int]
) -> None:
    lead = history.accepted[0].lead
    lead.source = lead.campaign = "Changed since"
    lead.save(update_fields=["source", "campaign"])

    groups = count_cohort(Cohort.DECIDED, by=by, since=history.since).groups.values()

    assert {group.label: group.marks.total() for group in groups} == expected


def test_each_decision_falls_into_one_week_of_the_viewers_zone(history: History) -> None:
    weeks = count_by_stretch(Cohort.DECIDED, Stretch.WEEK, since=NOON - 30 * DAY, zone="Europe/Berlin")

    whole = count_cohort(Cohort.DECIDED, by=Grouping.REASON, since=NOON - 30 * DAY).marks
    assert sum(weeks.values(), Counter()) == whole
    assert {day.isoformat() for day in weeks} == {"2026-02-23", "2026-03-02"}


def test_the_trend_shows_weeks_with_enough_decisions_against_the_goal(history: History, at: datetime) -> None:
    chart = acceptance_trend(days=30, now=at)

    assert len(chart.rows) == 13
    assert chart.rows[-1][1].startswith("60 % (")
    assert chart.rows[-2][1] == "0 of 1, too few to say"
    assert [text.words for text in chart.drawings[0].mark_labels] == ["Goal 90 %"]
    assert len(acceptance_trend(days=365, now=at).rows) == 12


def test_the_rule_behind_the_wrong_ones_stands_out(history: History) -> None:
    found = find_patterns(count_cohort(Cohort.DECIDED, by=Grouping.RULE, since=history.since), least=5).found

    assert [(pattern.label, pattern.reason) for pattern in found] == [("Pricing page", "wrong-icp")]
    assert (found[0].found.count, found[0].base.count) == ("6 of 6", "6 of 15")


# --- Regret ---------------------------------------------------------------------------------------


def test_a_rejected_lead_that_became_an_opportunity_is_regretted(at: datetime) -> None:
    wrong = rejected("wrong-icp", at=at, lead=reader_of_prices(at=at, source="Trade fair"))
    rejected("premature", at=at, source="Webinar")
    deal = accepted(at=at)
    deal_from_refused = deal_from(_freed(wrong, at=at + 5 * DAY), at=at + 5 * DAY)

    regret = measure_regret(since=at - DAY, least=1)

    tables = {table.by: {row.label: row.regretted.count for row in table.rows} for table in regret.tables}
    assert (regret.regretted.count, regret.won) == ("1 of 2", 0)
    assert tables[Grouping.REASON] == {str(wrong.reason): "1 of 1", "Premature": "0 of 1"}
    assert tables[Grouping.REP][str(wrong.by)].startswith("1 of ")
    assert tables[Grouping.RULE]["Pricing page"] == "1 of 1"
    assert tables[Grouping.SOURCE] == {"Trade fair": "1 of 1", "Webinar": "0 of 1"}
    assert deal_from_refused.lead_id == wrong.lead_id != deal.lead_id


def test_a_deal_before_the_rejection_is_none_to_regret(at: datetime) -> None:
    lead = fitting_lead(now=at)
    deal = deal_from(lead, at=at)
    assert measure_regret(since=at - DAY, least=1).regretted.count == "0 of 0"
    assert deal.opportunity.opened_at == at


def _freed(verdict: Verdict, *, at: datetime):
    lead = verdict.lead
    lead.refresh_from_db()
    release_lead(lead, at=at, nudge=False)
    return lead


# --- Tracks ---------------------------------------------------------------------------------------


def test_the_tracks_hold_who_is_held_and_say_who_wakes_next(at: datetime) -> None:
    first = rejected("premature", at=at)
    rejected("premature", at=at + DAY)
    rejected("wrong-icp", at=at)
    by_event = rejected("unreachable", at=at)
    _freed(by_event, at=at + DAY)

    tracks = measure_tracks()

    labels = RejectionReason.Treatment
    assert {track.treatment: (track.leads, track.next_wake_at) for track in tracks.tracks} == {
        labels.EDUCATE.label: (2, first.recycling.wake_at),
        labels.BLOCK_UNTIL_FIT_CHANGES.label: (1, None),
    }
    assert (tracks.on_the_way, tracks.free, tracks.for_good) == (3, 1, 0)

    wake_recyclings(now=first.recycling.wake_at)

    assert (measure_tracks().on_the_way, measure_tracks().free) == (2, 2)
