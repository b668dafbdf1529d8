"""The proof that every score adds up: it finds what is wrong, and nothing else (SCORE-7)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.template.loader import render_to_string
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from handoff_portal.schedule import SCHEDULE
from leads.models import Lead
from scoring.models import LeadScore, ModelVersion, Rescoring, ScoreCheck, Signal
from scoring.services import score_leads
from scoring.tasks_verification import verify_scores_task
from scoring.verification import begin_check, check_next_chunk, check_range, latest_check, sentence_of
from tests.factories import NOON, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
NO_END = 1_000_000
NEGATIVE = {"kind": "negative"}


@pytest.fixture
def version() -> ModelVersion:
    pricing = make_signal("Pricing page", ["Page Viewed"], ("path", "equals", ["/pricing"]), intent="high")
    return publish(
        {"signal": pricing, "points": 20, "per_occurrence": True, "cap": 50, "window_days": 30},
        {"attribute": "title", "operator": "contains", "values": ["vp"], "points": 15},
        {
            "attribute": "country",
            "operator": "one_of",
            "values": ["Spain"],
            "points": -60,
            "kind": "negative",
        },
    )


@pytest.fixture
def leads(version: ModelVersion) -> list[Lead]:
    """Four scored leads: two visits, none, one visit from Spain (below zero), three visits."""
    leads = [LeadFactory(country=country) for country in ("Germany", "Germany", "Spain", "Germany")]
    for lead, visits in zip(leads, (2, 0, 1, 3), strict=True):
        for number in range(visits):
            do(lead, "Page Viewed", NOON - number * DAY, path="/pricing")
    score(leads, now=NOON)
    return leads


def score(leads: list[Lead], *, now: datetime) -> None:
    """As the pipeline does: what is scored is no longer due."""
    score_leads([lead.pk for lead in leads], now=now)
    for lead in leads:
        found = LeadScore.objects.filter(lead=lead).first()
        Lead.objects.filter(pk=lead.pk).update(advance_at=found and found.next_change_at)


def corrupt(lead: Lead, **columns: object) -> None:
    changes = ", ".join(f"{name} = %s" for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE scoring_leadscore SET {changes} WHERE lead_id = %s", [*columns.values(), lead.pk]
        )


def test_untouched_scores_add_up(leads: list[Lead]) -> None:
    assert [lead.score.total for lead in leads] == [55, 15, 0, 65]  # the fixture has some of each kind

    finding = check_range(1, NO_END, as_of=NOON + DAY)

    assert (finding.leads, finding.waiting, finding.differing, finding.examples) == (4, 0, 0, ())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("total", 56),
        ("fit", 16),
        ("engagement", 39),
        ("readiness", 3),
        ("category", "A"),
        ("warmth", "hand_raiser"),
        ("icp_match", False),
        ("has_signal", False),
        ("has_red_flag", True),
        ("is_instant_mql", True),
        ("qualifies", False),
    ],
)
def test_a_changed_column_is_found(leads: list[Lead], column: str, value: object) -> None:
    assert getattr(leads[0].score, column) != value

    corrupt(leads[0], **{column: value})

    finding = check_range(1, NO_END, as_of=NOON + DAY)
    assert (finding.differing, finding.examples) == (1, (leads[0].pk,))


@pytest.mark.parametrize("shift", [timedelta(seconds=1), None])
def test_a_change_that_would_be_noticed_late_is_found(leads: list[Lead], shift: timedelta | None) -> None:
    due = leads[0].score.next_change_at
    assert due is not None

    corrupt(leads[0], next_change_at=due + shift if shift else None)

    assert check_range(1, NO_END, as_of=NOON + DAY).examples == (leads[0].pk,)


def test_looking_too_early_is_allowed(leads: list[Lead]) -> None:
    corrupt(leads[0], next_change_at=leads[0].score.next_change_at - DAY)

    assert check_range(1, NO_END, as_of=NOON + DAY).differing == 0


def test_evidence_that_never_reached_the_score_is_found(leads: list[Lead]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM scoring_signalhit WHERE lead_id = %s", [leads[3].pk])

    assert check_range(1, NO_END, as_of=NOON + DAY).examples == (leads[3].pk,)


def test_a_score_that_time_has_overtaken_unnoticed_is_found(leads: list[Lead]) -> None:
    """The window of 30 days ends, and nothing marked the lead."""
    Lead.objects.update(advance_at=None)

    finding = check_range(1, NO_END, as_of=NOON + 40 * DAY)

    # The third stays at 0 points, but not the engagement that makes them.
    assert finding.examples == (leads[0].pk, leads[2].pk, leads[3].pk)


# What may lag behind


@pytest.mark.parametrize(
    "mark",
    [{"advance_at": NOON}, {"unmatched_from": 1}, {"advance_at": NOON + 2 * DAY, "advance_attempts": 1}],
    ids=["due", "unmatched", "claimed"],
)
def test_a_lead_with_news_is_not_held_against_its_old_score(
    leads: list[Lead], mark: dict[str, object]
) -> None:
    corrupt(leads[0], total=56)
    Lead.objects.filter(pk=leads[0].pk).update(**mark)

    finding = check_range(1, NO_END, as_of=NOON + DAY)

    assert (finding.leads, finding.waiting, finding.differing) == (4, 1, 0)


def test_what_was_scored_after_the_check_began_is_left_to_the_next(leads: list[Lead]) -> None:
    do(leads[1], "Page Viewed", NOON + 2 * DAY, path="/pricing")
    score(leads[1:2], now=NOON + 2 * DAY)

    finding = check_range(1, NO_END, as_of=NOON + DAY)

    assert (finding.waiting, finding.differing) == (1, 0)


def test_during_a_rescoring_each_score_is_held_against_its_own_version(leads: list[Lead]) -> None:
    publish({"signal": Signal.objects.get(), "points": 40}, now=NOON + DAY)
    Lead.objects.update(advance_at=None)  # no mark excuses anything
    score(leads[:2], now=NOON + DAY)

    finding = check_range(1, NO_END, as_of=NOON + 2 * DAY)

    assert set(LeadScore.objects.values_list("version__number", flat=True)) == {1, 2}
    assert (finding.leads, finding.waiting, finding.differing) == (4, 0, 0)


def test_a_wrong_score_is_found_whichever_version_made_it(leads: list[Lead]) -> None:
    publish({"signal": Signal.objects.get(), "points": 40}, now=NOON + DAY)
    score(leads[:2], now=NOON + DAY)
    Lead.objects.update(advance_at=None)
    corrupt(leads[0], total=41)
    corrupt(leads[3], total=41)

    assert check_range(1, NO_END, as_of=NOON + 2 * DAY).examples == (leads[0].pk, leads[3].pk)


def test_a_score_by_a_version_out_of_use_is_found_unless_a_rescoring_mends_it(
    version: ModelVersion, leads: list[Lead]
) -> None:
    """A pilot that went back to its author, say."""
    draft = make_draft({"attribute": "title", "operator": "contains", "values": ["vp"], "points": 40})
    corrupt(leads[0], version_id=draft.pk)
    left_behind = check_range(1, NO_END, as_of=NOON + DAY)
    Rescoring.objects.create(version=version, started_at=NOON)
    under_way = check_range(1, NO_END, as_of=NOON + DAY)

    assert (left_behind.leads, left_behind.differing, left_behind.examples) == (4, 1, (leads[0].pk,))
    assert (under_way.leads, under_way.differing) == (3, 0)


def test_a_lead_that_nobody_scored_is_found(leads: list[Lead]) -> None:
    LeadScore.objects.filter(lead=leads[1]).delete()

    finding = check_range(1, NO_END, as_of=NOON + DAY)

    assert (finding.leads, finding.differing, finding.examples) == (4, 1, (leads[1].pk,))


# A whole check


def test_a_check_goes_through_all_leads_in_chunks(leads: list[Lead]) -> None:
    corrupt(leads[1], total=1)
    corrupt(leads[3], total=1)
    check = begin_check(now=NOON + DAY)

    chunks = 0
    while check_next_chunk(check, now=NOON + DAY, chunk=3):
        chunks += 1

    check.refresh_from_db()
    assert chunks == 2
    assert (check.leads, check.differing, check.examples) == (4, 2, [leads[1].pk, leads[3].pk])
    assert check.finished_at == NOON + DAY
    assert latest_check() == check
    assert sentence_of(check) == "2 of 4 scores are not what their rules say."


def test_an_interrupted_check_goes_on_where_it_stopped(leads: list[Lead]) -> None:
    check_next_chunk(begin_check(now=NOON + DAY), now=NOON + DAY, chunk=3)

    check = begin_check(now=NOON + DAY + timedelta(hours=1))

    assert (check.leads, check.started_at) == (3, NOON + DAY)
    assert ScoreCheck.objects.count() == 1


def test_a_check_that_was_left_for_a_day_is_given_up(leads: list[Lead]) -> None:
    check_next_chunk(begin_check(now=NOON), now=NOON, chunk=3)

    check = begin_check(now=NOON + DAY)

    assert (check.leads, check.checked_to, check.started_at) == (0, 0, NOON + DAY)


def test_a_check_keeps_ten_examples(version: ModelVersion) -> None:
    leads = LeadFactory.create_batch(12)
    score(leads, now=NOON)
    LeadScore.objects.update(total=1)
    check = begin_check(now=NOON + DAY)

    while check_next_chunk(check, now=NOON + DAY, chunk=7):
        pass

    check.refresh_from_db()
    assert (check.differing, check.examples) == (12, [lead.pk for lead in leads[:10]])


def test_each_chunk_takes_a_handful_of_queries(
    leads: list[Lead], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    check_range(1, NO_END, as_of=NOON + DAY)  # the version's statement is compiled once

    with django_assert_num_queries(4):  # is all being scored again; which versions; the comparison; the rest
        check_range(1, NO_END, as_of=NOON + DAY)


def test_without_scores_there_is_nothing_to_check() -> None:
    LeadFactory()
    verify_scores_task()

    check = latest_check()
    assert check is not None
    assert (check.leads, check.differing) == (0, 0)
    assert sentence_of(check) == "There are no scores to check yet."


# The command, the nightly task and what people see


def test_the_command_says_that_all_add_up(leads: list[Lead], capsys: pytest.CaptureFixture[str]) -> None:
    score(leads, now=timezone.now())
    Lead.objects.filter(pk=leads[0].pk).update(advance_at=NOON)

    call_command("verify_scores", chunk=2)

    assert capsys.readouterr().out == "All 4 scores add up. 1 of them wait to be scored again.\n"


def test_the_command_fails_with_examples(leads: list[Lead], capsys: pytest.CaptureFixture[str]) -> None:
    score(leads, now=timezone.now())
    corrupt(leads[1], total=1)

    with pytest.raises(SystemExit) as ended:
        call_command("verify_scores")

    assert ended.value.code == 1
    said = f"1 of 4 scores are not what their rules say.\nFor example: {leads[1].pk}\n"
    assert capsys.readouterr().out == said


def test_the_nightly_task_leaves_a_row_in_words(leads: list[Lead]) -> None:
    score(leads, now=timezone.now())

    verify_scores_task()

    shown = render_to_string("scoring/_score_check.html", {"check": latest_check()})
    assert "All 4 scores add up" in shown


def test_a_difference_is_shown_with_links_to_the_leads(leads: list[Lead]) -> None:
    score(leads, now=timezone.now())
    corrupt(leads[2], total=7)

    verify_scores_task()

    shown = render_to_string("scoring/_score_check.html", {"check": latest_check()})
    assert "1 of 4 scores differ from their rules" in shown
    assert f'href="/leads/{leads[2].pk}/"' in shown


def test_the_nightly_task_is_on_the_schedule() -> None:
    entries = {entry.name: entry for entry in SCHEDULE}

    assert entries["scoring-verify-scores"].function is verify_scores_task
