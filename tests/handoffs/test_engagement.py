"""What a lead did, as a rep reads it (HAND-5): kinds, visits, and what brought them. No database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.package.engagement import (
    VISIT_ENDS_AFTER,
    Deed,
    FirstTouch,
    Kind,
    count_engagement,
    kind_of,
    read_first_touch,
    visits_of,
)

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


def deed(event: str, minutes: float = 0, **properties: object) -> Deed:
    return Deed(event, NOON + timedelta(minutes=minutes), properties)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ("Demo Requested", "Demo requested"),
        ("page_viewed", "Page viewed"),
        ("CRM Guide Downloaded", "CRM guide downloaded"),
        ("iPad won", "IPad won"),
        (" ", ""),
    ],
)
def test_an_event_reads_as_one_says_it(event: str, words: str) -> None:
    assert deed(event).words == words


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ("Page Viewed", Kind.PAGE),
        ("Screen Viewed", Kind.PAGE),
        ("Case Study Viewed", Kind.CONTENT),
        ("Whitepaper Downloaded", Kind.CONTENT),
        ("Webinar Attended", Kind.CONTENT),
        ("Webinar Registered", Kind.FORM),
        ("Demo Requested", Kind.FORM),
        ("Landing Page Submitted", Kind.FORM),
        ("Email Link Clicked", Kind.EMAIL),
        ("E-mail opened", Kind.EMAIL),
        ("Trial Started", Kind.OTHER),
        ("", Kind.OTHER),
    ],
)
def test_the_name_of_an_event_tells_its_kind(event: str, kind: Kind) -> None:
    assert kind_of(event) is kind


@settings(deadline=None, max_examples=60)
@given(gaps=st.lists(st.integers(0, 90), max_size=12))
def test_visits_hold_every_moment_once_and_are_parted_by_long_pauses_alone(gaps: list[int]) -> None:
    moments = [NOON + timedelta(minutes=sum(gaps[: place + 1])) for place in range(len(gaps))]

    visits = visits_of(reversed(moments))

    assert [moment for visit in visits for moment in visit] == moments
    long_pauses = sum(timedelta(minutes=gap) > VISIT_ENDS_AFTER for gap in gaps[1:])
    assert len(visits) == (long_pauses + 1 if gaps else 0)


def test_engagement_is_counted_by_kind_and_visit() -> None:
    deeds = [
        deed("Page Viewed"),
        deed("Case Study Viewed", 10),
        deed("Email Opened", 300),
        deed("Page Viewed", 900),
        deed("Demo Requested", 901),
    ]

    assert count_engagement(deeds) == {
        "activities": 5, "visits": 2, "pages": 2, "content": 1, "forms": 1, "emails": 1
    }  # fmt: skip


def test_the_first_visit_tells_what_brought_them() -> None:
    url = "https://www.corvane.example/slots?utm_medium=paid+social&utm_content=Slots%20without%20phone"
    deeds = [
        deed("Page Viewed", 5, path="/pricing", url="https://www.corvane.example/pricing"),
        deed("Page Viewed", path="/slots", url=url, referrer="https://www.linkedin.com/feed"),
        deed("Email Opened", 500, subject="Much later"),
    ]

    assert read_first_touch(deeds) == FirstTouch(
        medium="paid social",
        message="Slots without phone",
        landing_page="/slots",
        referrer="linkedin.com",
    )


def test_the_mail_that_was_clicked_is_the_message_that_brought_them() -> None:
    deeds = [
        deed("Email Link Clicked", subject="What 300 planners told us"),
        deed("Page Viewed", 1, path="/"),
    ]

    assert read_first_touch(deeds).message == "What 300 planners told us"


def test_our_own_site_refers_nobody_and_a_later_visit_brought_nobody() -> None:
    own = "https://corvane.example/"
    deeds = [
        deed("Page Viewed", path="/", url=own, referrer=f"{own}blog"),
        deed("Page Viewed", 600, path="/pricing", url=f"{own}?utm_medium=mail"),
    ]

    assert read_first_touch(deeds) == FirstTouch(landing_page="/")


@pytest.mark.parametrize(
    "properties",
    [
        {"url": 5, "referrer": ["x"], "path": None},
        {"url": "http://[", "referrer": "http://["},
        {"search": "&".join(f"a{number}=1" for number in range(500))},
        {"utm_content": {"a": 1}},
    ],
)
def test_what_is_no_text_tells_nothing(properties: dict[str, object]) -> None:
    assert read_first_touch([deed("Page Viewed", **properties)]) == FirstTouch()


def test_nobody_who_did_nothing_was_brought_by_anything() -> None:
    assert read_first_touch([]) == FirstTouch()
