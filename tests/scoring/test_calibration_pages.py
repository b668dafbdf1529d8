"""The calibration page: who may open it, what it says, what it guards, what it costs."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from leads.models import Lead, LeadEvent
from scoring.calibration.runs import advance_calibration, request_calibration
from scoring.calibration.words import days_words, reason_words
from scoring.models import CalibrationRun, ModelVersion, ScoringPolicy
from tests.factories import LeadFactory
from tests.scoring.builders import make_signal, publish

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
PAGE = "/scoring/calibration/"


@pytest.fixture
def now() -> datetime:
    """Pages look at the real clock."""
    return timezone.now()


@pytest.fixture
def version(now: datetime) -> ModelVersion:
    pricing = make_signal("Pricing page", ["Page Viewed"], ("path", "equals", ["/pricing"]), intent="high")
    return publish(
        {"signal": pricing, "points": 20, "name": "Pricing page"},
        {"attribute": "title", "operator": "contains", "values": ["vp"], "points": 15, "name": "VP"},
        {"attribute": "country", "operator": "one_of", "values": ["Spain"], "points": 10, "name": "Spain"},
        now=now - 300 * DAY,
    )


@pytest.fixture
def run(version: ModelVersion, now: datetime) -> CalibrationRun:
    """Forty handoffs: VPs convert in 15 of 20, clerks in 4 of 20, whether from Spain or not."""
    leads = Lead.objects.bulk_create(
        LeadFactory.build(company=None, title=title, country=country, created_at=now - 200 * DAY)
        for title in ("VP Sales", "Clerk")
        for country in ("Spain", "Norway")
        for _ in range(10)
    )
    events = []
    for number, lead in enumerate(leads, 1):
        handed = {"lead": lead, "handoff_id": number, "at": now - 100 * DAY}
        events.append(LeadEvent(kind="handed_off", **handed))
        wins = number % 10 < (2 if lead.title == "Clerk" else 8)
        late = {"at": now - 99 * DAY}
        reason = {"reason": "wrong-icp", "type": "definitional"}
        events.append(
            LeadEvent(kind="qualified", **handed | late)
            if wins
            else LeadEvent(kind="rejected", **handed | late, detail=reason)
        )
    LeadEvent.objects.bulk_create(events)
    run = request_calibration(version, by=None, now=now)
    while advance_calibration(run.pk, now=now):
        pass
    return run


@pytest.fixture
def few_are_enough() -> None:
    ScoringPolicy.objects.create(min_outcomes=10)


def opened(client: Client, user: User, path: str = PAGE) -> str:
    client.force_login(user)
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


# Who may


def test_readers_of_scoring_open_it_and_bdrs_do_not(
    client: Client, run: CalibrationRun, manager: User, reader: User, operator: User, bdr: User
) -> None:
    for person in (manager, reader, operator):
        assert "40 hand-offs of the 365 days" in opened(client, person)
    client.force_login(bdr)
    assert client.get(PAGE).status_code == 403
    client.logout()
    assert client.get(PAGE).status_code == 302


def test_only_those_who_may_see_the_buttons(
    client: Client, run: CalibrationRun, few_are_enough: None, reader: User, manager: User, marketing: User
) -> None:
    assert "Count again" not in opened(client, reader)
    assert "Count again" in opened(client, manager)
    assert "Draft with these points" not in opened(client, manager)
    assert "Draft with these points" in opened(client, marketing)


@pytest.mark.parametrize("path", ["count/", "draft/"])
def test_readers_change_nothing(client: Client, run: CalibrationRun, reader: User, path: str) -> None:
    client.force_login(reader)

    assert client.post(PAGE + path, {"version": 1, "days": 90}).status_code == 403
    assert client.get(PAGE + path).status_code in (403, 405)


# What it says


def test_below_the_minimum_it_says_so_instead_of_noise(
    client: Client, run: CalibrationRun, marketing: User
) -> None:
    ScoringPolicy.objects.create(min_outcomes=50)

    said = opened(client, marketing)

    assert "Too few outcomes: 40 of 50" in said
    assert "too few outcomes: 40 of 50" in said  # in the sentence about the order
    assert "ROC-AUC" not in said
    assert "chart-bar" not in said
    assert "0.5 times" not in said


def test_it_tells_bands_lift_order_and_reasons_in_words(
    client: Client, run: CalibrationRun, few_are_enough: None, marketing: User
) -> None:
    said = opened(client, marketing)

    assert "Half of those that became sales-qualified took 24 hours or less" in said
    assert "4.0 times" in said  # 16 of 20 against 4 of 20
    assert "1.8 to 10.0" in said
    assert "A lead that became sales-qualified scores above a rejected one in" in said
    assert "Wrong ICP" in said
    assert "VP fired in 20 %" in said


def test_the_goal_and_the_order_stand_in_the_address(
    client: Client, run: CalibrationRun, few_are_enough: None, marketing: User
) -> None:
    won = opened(client, marketing, f"{PAGE}?goal=won&sort=lift")

    assert "Nobody has become won yet, so no cycle is known." in won
    assert 'aria-sort="descending"' in won


def test_sorting_by_lift_puts_the_strongest_rule_first(
    client: Client, run: CalibrationRun, few_are_enough: None, marketing: User
) -> None:
    usual, sorted_ = opened(client, marketing), opened(client, marketing, f"{PAGE}?sort=lift")

    def order(page: str) -> list[str]:
        rows = page.split('<th scope="row">')
        return [row.split("<")[0] for row in rows if row.startswith(("VP<", "Spain<", "Pricing page<"))][:3]

    assert order(usual)[0] == "VP"
    assert order(sorted_)[0] == "VP"
    assert order(sorted_)[-1] == "Pricing page"  # without a figure


@pytest.mark.parametrize(
    "query", ["?version=99", "?version=x", "?goal=nonsense", "?sort=9", "?version=" + "9" * 30]
)
def test_what_makes_no_sense_shows_the_usual(
    client: Client, run: CalibrationRun, marketing: User, query: str
) -> None:
    assert "40 hand-offs" in opened(client, marketing, PAGE + query)


def test_without_a_version_or_a_count_it_says_what_to_do(
    client: Client, marketing: User, now: datetime
) -> None:
    assert "No version published yet" in opened(client, marketing)

    publish({"signal": make_signal("Demo", ["Demo"], intent="high"), "points": 20}, now=now)

    assert "Not counted yet" in opened(client, marketing)


def test_the_page_costs_the_same_however_many_handoffs(
    client: Client, run: CalibrationRun, marketing: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    opened(client, marketing)  # fills the version's cache

    # Session, user, bell; active version, versions, unfinished and finished run, policy.
    with django_assert_num_queries(8):
        client.get(PAGE)


# What it does


def test_counting_again_is_queued_and_its_progress_shown(
    client: Client, run: CalibrationRun, version: ModelVersion, manager: User
) -> None:
    client.force_login(manager)

    response = client.post(f"{PAGE}count/", {"version": version.number, "days": 90}, follow=True)

    assert response.redirect_chain == [(f"{PAGE}?version={version.number}", 302)]
    said = response.content.decode()
    assert "Counting the hand-offs of 90 days" in said
    assert "40 hand-offs of the 365 days" in said  # the figures so far stay
    assert 'hx-trigger="every 2s"' in client.get(f"{PAGE}progress/").content.decode()


@pytest.mark.parametrize(
    ("days", "sentence"),
    [("5", "greater than or equal to 7"), ("", "Say how many days"), ("x", "as a number")],
)
def test_days_that_make_no_sense_are_refused_in_words(
    client: Client, run: CalibrationRun, version: ModelVersion, manager: User, days: str, sentence: str
) -> None:
    client.force_login(manager)

    response = client.post(f"{PAGE}count/", {"version": version.number, "days": days})

    assert response.status_code == 422
    assert sentence in response.content.decode()


def test_a_refusal_shows_the_version_and_the_goal_that_were_asked_about(
    client: Client, run: CalibrationRun, version: ModelVersion, manager: User, now: datetime
) -> None:
    publish({"signal": make_signal("Demo", ["Demo"], intent="high"), "points": 20}, now=now)
    client.force_login(manager)

    response = client.post(f"{PAGE}count/", {"version": version.number, "goal": "won", "days": "5"})

    assert (response.context["version"], response.context["goal"]) == (version, "won")
    assert "40 hand-offs" in response.content.decode()


def test_a_click_makes_the_draft(
    client: Client, run: CalibrationRun, version: ModelVersion, few_are_enough: None, marketing: User
) -> None:
    client.force_login(marketing)
    vp = version.rules.get(name="VP")

    response = client.post(f"{PAGE}draft/", {"run": run.pk, "goal": "qualified", "rule": [vp.pk]})

    draft = ModelVersion.objects.get(status=ModelVersion.Status.DRAFT)
    assert (response.status_code, response["Location"]) == (302, f"/scoring/{draft.number}/")
    assert draft.rules.get(name="VP").points > 15


@pytest.mark.parametrize(
    "rules", [[], ["0"], ["x"], ["9" * 40], ["9" * 5_000]], ids=["none", "0", "word", "long", "endless"]
)
def test_a_draft_of_nothing_is_refused_in_words(
    client: Client, run: CalibrationRun, marketing: User, rules: list[str]
) -> None:
    client.force_login(marketing)

    response = client.post(f"{PAGE}draft/", {"run": run.pk, "goal": "qualified", "rule": rules})

    assert response.status_code == 422
    assert "Choose at least one rule" in response.content.decode()
    assert ModelVersion.objects.count() == 1


# Words


@pytest.mark.parametrize(
    ("code", "words"), [("wrong-icp", "Wrong ICP"), ("no_budget", "No budget"), ("premature", "Premature")]
)
def test_reasons_are_words(code: str, words: str) -> None:
    assert reason_words(code) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [(timedelta(minutes=50), "1 hour"), (timedelta(hours=47), "47 hours"), (timedelta(days=9.4), "9 days")],
)
def test_lengths_of_time_are_words(span: timedelta, words: str) -> None:
    assert days_words(span) == words
