"""What marketing's pages count equals an independent SQL count (FEED-1, FEED-4, FEED-5)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection

from accounts.models import User
from feedback.figures.cohorts import (
    ACCEPTED,
    OVERTURNED,
    Cohort,
    Grouping,
    Stretch,
    count_by_stretch,
    count_cohort,
)
from feedback.figures.inbox import acceptance_trend, measure_inbox
from feedback.figures.regret import measure_regret
from feedback.figures.tracks import measure_tracks
from feedback.models import RejectionReason, Verdict
from feedback.recycling import wake_recyclings
from handoffs.contact.opportunities import lose_opportunity
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


def test_what_was_passed_on_undone_or_too_early_is_not_among_the_decided(
    history: History, at: datetime
) -> None:
    marks = count_cohort(Cohort.DECIDED, by=Grouping.REASON, since=history.since).marks
    figures = measure_inbox(since=history.since, now=at)

    assert marks == {ACCEPTED: 5, "wrong-icp": 4, "premature": 1, OVERTURNED: 1}
    assert (figures.accepted, figures.rejected, figures.decided) == (5, 6, 11)
    assert figures.against == Verdict.objects.against_marketing().filter(at__gte=history.since).count() == 4
    assert (figures.acceptance_rate, figures.goal, figures.is_below_goal) == (63, 90, True)
    assert (figures.passed_on, figures.overturned) == (1, 1)


def test_rules_are_those_of_the_frozen_packages(history: History) -> None:
    """Counted once more from the packages, without the view of the code on what a decision is."""
    decided = count_cohort(Cohort.DECIDED, by=Grouping.RULE, since=history.since)

    ids = [verdict.handoff_id for verdict in history.refused] + [each.pk for each in history.accepted]
    counted = ask(
        """
        SELECT rule #>> '{}', count(DISTINCT handoff_id) FILTER (WHERE status = 'rejected'),
          count(DISTINCT handoff_id)
        FROM handoffs_handoff handoff JOIN handoffs_contextpackage package ON handoff_id = handoff.id,
          jsonb_path_query(content, '$.score.lines[*] ? (@.kind != "bound").name') AS rule
        WHERE handoff.id = ANY(%s) GROUP BY rule
        """,
        ids,
    )
    assert len(counted) > 3
    for rule, refused, all_of_them in counted:
        group = decided.groups[str(rule)]
        assert group.marks["wrong-icp"] == refused
        assert group.marks["wrong-icp"] + group.marks[ACCEPTED] == all_of_them
    assert decided.groups["Pricing page"].marks == {"wrong-icp": 4}


def test_source_campaign_and_signals_are_those_at_the_handoff(history: History) -> None:
    lead = history.accepted[0].lead
    lead.source = lead.campaign = "Changed since"
    lead.save(update_fields=["source", "campaign"])

    def counted(by: Grouping) -> dict[str, int]:
        groups = count_cohort(Cohort.DECIDED, by=by, since=history.since).groups.values()
        return {group.label: group.marks.total() for group in groups}

    assert counted(Grouping.SOURCE) == {"Trade fair": 5, "Webinar": 6}
    assert counted(Grouping.CAMPAIGN) == {"Spring": 4, "None": 7}
    assert counted(Grouping.SIGNAL) == {"Demo request": 11, "Pricing page visit": 4, "Website visit": 4}


def test_each_decision_falls_into_one_week_and_weeks_with_enough_are_held_against_the_goal(
    history: History, at: datetime
) -> None:
    weeks = count_by_stretch(Cohort.DECIDED, Stretch.WEEK, since=at - 30 * DAY, zone="Europe/Berlin")
    chart = acceptance_trend(days=30, now=at)

    whole = count_cohort(Cohort.DECIDED, by=Grouping.REASON, since=at - 30 * DAY).marks
    assert sum(weeks.values(), Counter()) == whole
    assert {day.isoformat() for day in weeks} == {"2026-02-23", "2026-03-02"}
    assert len(chart.rows) == 13
    assert chart.rows[-1][1].startswith("63.6 % (")
    assert chart.rows[-2][1] == "0 of 1, too few to say"
    assert [text.words for text in chart.drawings[0].mark_labels] == ["Goal 90 %"]
    assert len(acceptance_trend(days=365, now=at).rows) == 12


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


def test_a_deal_that_was_lost_before_the_rejection_is_none_to_regret(at: datetime) -> None:
    deal = deal_from(fitting_lead(now=at), at=at)
    lose_opportunity(deal, reason="Too dear", by=deal.owner, now=at)
    rejected("premature", at=at + DAY, lead=deal.lead)

    assert measure_regret(since=at - DAY, least=1).regretted.count == "0 of 1"


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
