"""/marketing/: which leads did sales refuse, and which rule let them through? (FEED-5)"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from feedback.figures.inbox import measure_inbox
from feedback.models import Verdict
from feedback.services import reject_handoff
from handoffs.models import Handoff
from handoffs.services import accept_handoff
from scoring.conversion import Share
from tests.desk import load_desk, offer, ready_lead, reason


@pytest.fixture
def recently(bdr: User, other_bdr: User, manager: User, marketing: User) -> datetime:
    """An hour ago, at a desk that has long been at work: the page looks back from the present."""
    moment = timezone.now() - timedelta(hours=1)
    load_desk(now=moment - timedelta(days=100))
    return moment


def rejected(code: str, *, at: datetime, note: str = "") -> Handoff:
    handoff = offer(ready_lead(now=at), now=at)
    reject_handoff(handoff, reason=reason(code), note=note, by=handoff.owner, via=Verdict.Via.PAGE, now=at)
    return handoff


def accepted(*, at: datetime) -> Handoff:
    handoff = offer(ready_lead(now=at), now=at)
    return accept_handoff(handoff, by=handoff.owner, now=at)


@pytest.fixture
def as_marketing(client: Client, marketing: User) -> Client:
    client.force_login(marketing)
    return client


# --- Who -----------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get("/marketing/").url == "/login/?next=/marketing/"


@pytest.mark.parametrize(
    ("cast", "status"), [("manager", 200), ("reader", 200), ("bdr", 403), ("operator", 403)]
)
def test_it_is_marketings_page(
    client: Client, cast: str, status: int, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(cast))

    assert client.get("/marketing/").status_code == status


def test_the_panel_of_another_teams_lead_is_not_there(
    client: Client, recently: datetime, stranger: User
) -> None:
    handoff = rejected("premature", at=recently)
    client.force_login(stranger)

    assert client.get(f"/feedback/lead/{handoff.lead_id}/panel/").status_code == 404


# --- What ----------------------------------------------------------------------------------------


def test_an_empty_inbox_says_what_will_come(as_marketing: Client) -> None:
    page = as_marketing.get("/marketing/").content.decode()

    assert "Nothing to read" in page
    assert "No rejection in this period" in page


def test_a_rejection_stands_with_reason_note_drivers_and_what_becomes_of_it(
    as_marketing: Client, recently: datetime
) -> None:
    handoff = rejected("premature", at=recently, note="Asked to be called in spring")

    page = as_marketing.get("/marketing/").content.decode()

    assert "Premature" in page
    assert "Asked to be called in spring" in page
    assert "Demo request" in page
    assert "Looked at again" in page
    assert f'href="/handoffs/{handoff.pk}/"' in page


def test_only_definitional_reasons_count_against_quality(recently: datetime) -> None:
    accepted(at=recently)
    rejected("premature", at=recently)
    rejected("wrong-icp", at=recently)
    accepted(at=recently)

    figures = measure_inbox(since=recently - timedelta(minutes=1), now=recently)

    assert (figures.accepted, figures.rejected, figures.against) == (2, 2, 1)
    assert figures.acceptance_rate == 75


def test_a_lead_accepted_and_then_returned_counts_as_rejected_only(recently: datetime) -> None:
    handoff = accepted(at=recently)
    reject_handoff(handoff, reason=reason("wrong-icp"), by=handoff.owner, via=Verdict.Via.PAGE, now=recently)

    figures = measure_inbox(since=recently - timedelta(minutes=1), now=recently)

    assert (figures.accepted, figures.rejected, figures.acceptance_rate) == (0, 1, 0)


def test_a_rate_just_below_the_goal_does_not_read_as_the_goal(recently: datetime) -> None:
    accepted(at=recently)
    figures = replace(measure_inbox(since=recently, now=recently), good=Share(179, 200, 1), goal=90)

    assert (figures.acceptance_rate, figures.is_below_goal) == (89, True)
    assert (replace(figures, good=Share(180, 200, 1)).is_below_goal) is False


def test_without_decisions_there_is_no_rate(db: None, now: datetime) -> None:
    assert measure_inbox(since=now, now=now).acceptance_rate is None


def test_the_period_and_the_reason_narrow_the_list(as_marketing: Client, recently: datetime) -> None:
    rejected("premature", at=recently)
    rejected("no-need", at=recently)
    rejected("premature", at=recently - timedelta(days=40))

    month = as_marketing.get("/marketing/").context["page"].rows
    quarter = as_marketing.get("/marketing/?days=90").context["page"].rows
    needless = as_marketing.get("/marketing/?reason=no-need").context["page"].rows

    assert (len(month), len(quarter)) == (2, 3)
    assert [verdict.reason.code for verdict in needless] == ["no-need"]


@pytest.mark.parametrize("query", ["days=13", "days=x", "reason=none", "reason=%00"])
def test_a_filter_that_makes_no_sense_is_named(as_marketing: Client, query: str) -> None:
    response = as_marketing.get(f"/marketing/?{query}")

    assert response.status_code == 422
    assert "That filter was left out" in response.content.decode()


def test_the_lead_page_tells_what_sales_said(as_marketing: Client, recently: datetime) -> None:
    handoff = rejected("premature", at=recently, note="In spring")

    panel = as_marketing.get(f"/feedback/lead/{handoff.lead_id}/panel/").content.decode()

    assert "Premature" in panel
    assert "In spring" in panel
    assert "Held: until a date" in panel


@pytest.mark.parametrize("extra", [0, 3])
def test_the_number_of_queries_does_not_grow(
    as_marketing: Client, recently: datetime, extra: int, django_assert_num_queries
) -> None:
    for _ in range(1 + extra):
        rejected("premature", at=recently)

    with django_assert_num_queries(29):
        as_marketing.get("/marketing/?by=source")


# --- As a file -----------------------------------------------------------------------------------


def test_the_rejections_leave_as_csv_with_the_filters_of_the_page(
    as_marketing: Client, recently: datetime
) -> None:
    handoff = rejected("premature", at=recently, note="=1+1")
    rejected("no-need", at=recently)
    rejected("premature", at=recently - timedelta(days=40))

    response = as_marketing.get("/marketing/rejections.csv?reason=premature")

    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode()))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert (row["reason"], row["type"], row["note"]) == ("premature", "timing", "'=1+1")
    assert (row["by"], row["source"], row["handoff_id"]) == (str(handoff.owner), "Webinar", str(handoff.pk))
    assert "Demo request +50" in row["rules"]


def test_a_file_of_nonsense_is_refused_as_the_page_is(as_marketing: Client) -> None:
    response = as_marketing.get("/marketing/rejections.csv?days=13")

    assert response.status_code == 422
    assert "That filter was left out" in response.content.decode()


@pytest.mark.parametrize("path", ["/marketing/rejections.csv", "/marketing/follow-up/"])
def test_reps_do_not_read_marketings_pages(client: Client, bdr: User, path: str) -> None:
    client.force_login(bdr)

    assert client.get(path).status_code == 403
