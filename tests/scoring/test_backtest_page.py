"""The backtest on screen (SCORE-10, SCORE-15)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from leads.models import Lead
from scoring.backtesting.page import describe_backtest, summarise_backtest
from scoring.backtesting.runs import advance_backtest, request_backtest
from scoring.conversion import Share
from scoring.matching import match_activities
from scoring.models import Backtest, ModelVersion, Rule
from tests.factories import CompanyFactory, LeadFactory
from tests.scoring.builders import do, make_draft, make_signal, publish

DAY = timedelta(days=1)


@pytest.fixture
def draft(db: None) -> ModelVersion:
    now = timezone.now()
    demo = make_signal("Demo", ["Demo Requested"], intent="high")
    webinar = make_signal("Webinar", ["Webinar Attended"], intent="high")
    publish({"signal": demo, "points": 20}, now=now - 300 * DAY)
    return make_draft({"signal": webinar, "points": 20, "name": "Webinar"}, now=now)


def history(*, added: int = 1, removed: int = 0) -> None:
    now = timezone.now()
    leads = [
        LeadFactory(created_at=now - 200 * DAY, company=CompanyFactory(), last_name=f"No{number}")
        for number in range(added + removed)
    ]
    for number, lead in enumerate(leads):
        event = "Webinar Attended" if number < added else "Demo Requested"
        do(lead, event, now - 10 * DAY)
    match_activities([lead.pk for lead in leads])


def run(version: ModelVersion, by: User, *, days: int = 28) -> Backtest:
    now = timezone.now()
    backtest = request_backtest(version, days=days, by=by, now=now)
    while advance_backtest(backtest.pk, now=now):
        pass
    return Backtest.objects.get(pk=backtest.pk)


def page_of(version: ModelVersion) -> str:
    return reverse("scoring:backtest", args=[version.number])


def text_of(client: Client, version: ModelVersion, **query: str) -> str:
    return " ".join(client.get(page_of(version), query).content.decode().split())


@pytest.fixture
def as_marketing(client: Client, marketing: User) -> Client:
    client.force_login(marketing)
    return client


# --- Who ----------------------------------------------------------------------------------------


def test_it_is_for_those_who_read_scoring(
    client: Client, draft: ModelVersion, bdr: User, reader: User
) -> None:
    assert client.get(page_of(draft)).status_code == 302
    client.force_login(bdr)
    assert client.get(page_of(draft)).status_code == 403
    client.force_login(reader)
    assert client.get(page_of(draft)).status_code == 200


def test_only_marketing_starts_one(client: Client, draft: ModelVersion, reader: User) -> None:
    client.force_login(reader)

    assert b"<select" not in client.get(page_of(draft)).content
    assert client.post(page_of(draft), {"days": "90"}).status_code == 403
    assert not Backtest.objects.exists()


def test_a_version_that_is_not_there_is_not_found(as_marketing: Client, db: None) -> None:
    assert as_marketing.get(reverse("scoring:backtest", args=[10**15])).status_code == 404


# --- Starting -----------------------------------------------------------------------------------


def test_marketing_starts_one_and_watches_it(as_marketing: Client, draft: ModelVersion) -> None:
    assert "Not run against history yet" in text_of(as_marketing, draft)

    answer = as_marketing.post(page_of(draft), {"days": "30"})
    as_marketing.post(page_of(draft), {"days": "30"})

    assert answer.status_code == 302
    assert Backtest.objects.get().days == 30
    text = text_of(as_marketing, draft)
    assert "Looking back 30 days" in text
    assert 'hx-trigger="every 2s"' in text


def test_the_progress_turns_into_the_result(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    history()
    address = reverse("scoring:backtest_progress", args=[draft.number])
    backtest = request_backtest(draft, days=28, by=marketing, now=timezone.now())
    advance_backtest(backtest.pk, now=timezone.now())

    assert "Step 1 of 3" in as_marketing.get(address).content.decode()
    while advance_backtest(backtest.pk, now=timezone.now()):
        pass
    fragment = as_marketing.get(address).content.decode()
    assert "every 2s" not in fragment
    assert "1 more, 0 fewer" in fragment


def test_only_the_progress_is_asked_for_again_and_keeps_what_is_read(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    history()
    first = run(draft, marketing)
    request_backtest(draft, days=7, by=marketing, now=timezone.now())
    address = reverse("scoring:backtest_progress", args=[draft.number])

    answer = as_marketing.get(address, {"run": first.pk})

    assert f'hx-get="{address}?run={first.pk}"' in answer.content.decode()
    assert "1 more, 0 fewer" not in answer.content.decode()
    assert "HX-Retarget" not in answer.headers
    second = Backtest.objects.get(finished_at=None)
    while advance_backtest(second.pk, now=timezone.now()):
        pass
    assert as_marketing.get(address).headers["HX-Retarget"] == "#backtest"


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("", "Say how many days"),
        ("6", "greater than or equal to 7"),
        ("367", "less than or equal to 366"),
        ("abc", "as a number"),
        ("9" * 400, "366"),
        ("\0", "as a number"),
    ],
    ids=["blank", "few", "many", "word", "huge", "nul"],
)
def test_days_that_make_no_sense_are_refused(
    as_marketing: Client, draft: ModelVersion, days: str, words: str
) -> None:
    answer = as_marketing.post(page_of(draft), {"days": days})

    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_a_draft_that_means_nothing_is_refused_in_words(as_marketing: Client, draft: ModelVersion) -> None:
    Rule.objects.create(
        version=draft,
        kind="fit",
        name="Size",
        attribute="company.employee_count",
        operator="between",
        points=5,
    )

    answer = as_marketing.post(page_of(draft), {"days": "90"})

    assert answer.status_code == 422
    assert "Give a lowest or a highest value" in answer.content.decode()


def test_one_that_failed_says_why(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    backtest = request_backtest(draft, days=28, by=marketing, now=timezone.now())
    Rule.objects.filter(version=draft).update(points=21)
    advance_backtest(backtest.pk, now=timezone.now())

    assert "The draft was changed while it was run" in text_of(as_marketing, draft)


# --- Reading ------------------------------------------------------------------------------------


def test_the_headline_says_the_difference(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    history(added=3, removed=1)
    run(draft, marketing)

    text = text_of(as_marketing, draft)

    assert "In the last 4 weeks the draft would have passed 3 MQLs instead of 1: 3 more, 1 fewer." in text
    assert "Added: only the draft" in text
    assert "None of the 3 added was ever handed over" in text


def test_examples_name_the_lead_and_why(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    history(added=1, removed=1)
    run(draft, marketing)

    text = text_of(as_marketing, draft)

    for lead in Lead.objects.all():
        assert reverse("leads:detail", args=[lead.pk]) in text
        assert lead.name in text
    assert "Draft: 20 points. Active: no clear signal of interest. Webinar +20 instead of 0." in text


def test_what_is_kept_names_nobody(draft: ModelVersion, marketing: User) -> None:
    history(added=2, removed=2)

    kept = str(run(draft, marketing).result)

    for lead in Lead.objects.select_related("company"):
        assert not {lead.first_name, lead.last_name, lead.email, lead.company.name} & set(kept.split("'"))


def test_a_lead_that_the_reader_may_not_see_is_not_named(
    draft: ModelVersion, marketing: User, bdr: User
) -> None:
    history()
    backtest = run(draft, marketing)

    assert [example.lead for example in describe_backtest(backtest, user=bdr).more] == [None]
    assert [example.lead for example in describe_backtest(backtest, user=marketing).more] == [
        Lead.objects.get()
    ]


def test_nothing_is_told_of_a_lead_that_was_erased(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    history()
    run(draft, marketing)
    Lead.objects.all().delete()

    text = text_of(as_marketing, draft)

    assert "Not visible to you, or erased" in text
    assert "Active: no clear signal of interest" not in text


def test_other_thresholds_are_a_table(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    history(added=2)
    backtest = run(draft, marketing)

    rows = {row.threshold: row for row in describe_backtest(backtest, user=marketing).thresholds}

    assert (rows[20].mqls, rows[20].is_own, rows[20].a_week) == (2, True, 0.5)
    assert (rows[21].mqls, rows[21].difference) == (0, -2)
    assert "What if the threshold were another?" in text_of(as_marketing, draft)


def test_a_checklist_has_no_thresholds(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    ModelVersion.objects.filter(pk=draft.pk).update(formula="checklist")
    history()
    run(draft, marketing)

    text = text_of(as_marketing, draft)

    assert "What if the threshold were another?" not in text
    assert "thresholds=" not in text


def test_a_draft_changed_since_is_said_to_be(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    run(draft, marketing)
    assert "was changed after this backtest" not in text_of(as_marketing, draft)

    Rule.objects.filter(version=draft).update(points=21)

    assert "The draft was changed after this backtest." in text_of(as_marketing, draft)
    summary = summarise_backtest(draft)
    assert summary is not None
    assert summary.is_stale


def test_another_active_version_is_told(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    run(draft, marketing)
    publish({"signal": make_signal("Chat", ["Chat"], intent="high"), "points": 30}, now=timezone.now())

    assert "This was held against version 1; by now version 3 is active." in text_of(as_marketing, draft)


def test_earlier_ones_stay_at_hand(as_marketing: Client, draft: ModelVersion, marketing: User) -> None:
    first = run(draft, marketing, days=28)
    run(draft, marketing, days=7)

    assert "In the last week the draft" in text_of(as_marketing, draft)
    assert "In the last 4 weeks the draft" in text_of(as_marketing, draft, run=str(first.pk))


def test_any_earlier_one_of_the_version_is_shown_and_no_other(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    first = run(draft, marketing, days=28)
    for _ in range(6):
        run(draft, marketing, days=7)
    elsewhere = run(ModelVersion.objects.active().get(), marketing)

    assert "In the last 4 weeks the draft" in text_of(as_marketing, draft, run=str(first.pk))
    for wrong in (str(elsewhere.pk), "999999999999999999999", "abc", "\0", ""):
        assert as_marketing.get(page_of(draft), {"run": wrong}).status_code == 404


def test_a_version_never_run_has_no_summary(draft: ModelVersion) -> None:
    assert summarise_backtest(draft) is None


def test_the_page_loads_the_capacity_with_its_figures(
    as_marketing: Client, draft: ModelVersion, marketing: User
) -> None:
    history()
    backtest = run(draft, marketing)

    query = describe_backtest(backtest, user=marketing).capacity_query

    panel = as_marketing.get(f"{reverse('handoffs:capacity_panel')}?{query}")
    assert panel.status_code == 200
    assert b"MQLs a week" in panel.content


@pytest.mark.parametrize("count", [1, 8])
def test_the_page_asks_no_more_for_more_leads(
    as_marketing: Client,
    draft: ModelVersion,
    marketing: User,
    count: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    history(added=count, removed=count)
    run(draft, marketing)
    as_marketing.get(page_of(draft))

    with django_assert_num_queries(15):
        as_marketing.get(page_of(draft))


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (Share(0, 0, 30), "—"),
        (Share(9, 14, 30), "9 of 14, too few to say"),
        (Share(32, 50, 30), "64 % (50.1 % to 75.9 %)"),
        (Share(30, 30, 30), "100 % (88.6 % to 100 %)"),
    ],
    ids=["none", "few", "enough", "all"],
)
def test_a_share_has_its_interval_or_is_too_small(share: Share, words: str) -> None:
    assert share.words == words


def test_the_shares_are_those_of_the_intervals() -> None:
    point: Callable[[str], object] = Share(32, 50, 30).point
    shown = point("50–59")

    assert (shown.y, shown.note) == (0.64, "32 of 50")
    assert 0.5 < shown.low < 0.64 < shown.high < 0.77
