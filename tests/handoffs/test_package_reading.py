"""Packages are read in the present shape, whenever they were frozen (HAND-5). No database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handoffs.package.reading import group_timeline, read_content
from handoffs.package.text import write_text

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)

# As the first release froze them: no kinds, no checklist, objections as one text each.
OLD: dict[str, Any] = {
    "contact": {"name": "Lea Holm", "title": "VP", "email": "l@n.example", "phone": "", "country": "Germany"},
    "company": {"name": "Nordwind", "domain": "n.example", "employee_count": 250, "industry": "Software"},
    "answers": {"budget": "40k", "timeline": "", "current_solution": "", "pain_point": ""},
    "source": {"source": "Webinar", "campaign": "Spring"},
    "score": {
        "total": 50,
        "fit": 0,
        "engagement": 50,
        "category": "A",
        "warmth": "hand_raiser",
        "lines": [{"name": "Demo", "sentence": "Asked for a demo: +50", "points": 50, "last_at": None}],
    },
    "timeline": [{"at": NOON.isoformat(), "event": "Demo Requested", "detail": "demo"}],
    "previous": [
        {"handoff_id": 1, "at": NOON.isoformat(), "outcome": "Rejected", "reason": "Early", "owner": "Mara"}
    ],
    "urgency": ["Asked to be contacted"],
    "first_contact": {
        "playbook": "Demo",
        "channel": "Call",
        "timing": "Now",
        "opening_line": "Hello",
        "topics": ["Price"],
        "objections": ["“Too dear”: ask what staying costs", "“No time”"],
        "next_step": "Meet",
    },
}


def moment(minutes: int, event: str = "Page Viewed", detail: str = "Pricing") -> dict[str, Any]:
    return {"at": (NOON + timedelta(minutes=minutes)).isoformat(), "event": event, "detail": detail}


def test_an_old_package_is_read_in_the_present_shape() -> None:
    content = read_content(OLD)

    assert content["timeline"][0]["kind"] == "form"
    assert content["first_contact"]["objections"] == [
        {"says": "Too dear", "answer": "ask what staying costs"},
        {"says": "No time", "answer": ""},
    ]
    assert content["source"] == OLD["source"] | dict.fromkeys(
        ("medium", "message", "landing_page", "referrer"), ""
    )
    assert (content["previous"][0]["attempts"], content["previous"][0]["learnt"]) == (0, [])
    assert content["score"]["checklist"] == []


def test_reading_changes_nothing_of_what_was_frozen() -> None:
    before = json.dumps(OLD)

    read_content(OLD)["contact"]["name"] = "Somebody else"

    assert json.dumps(OLD) == before


def test_an_old_package_is_told_as_text() -> None:
    text = write_text(OLD, missing=["Phone"])

    assert "If they say “Too dear”: ask what staying costs\nIf they say “No time”\n" in text
    assert "Earlier handoff Tue 3 Mar 2026, 12:00: Rejected, Early, Mara" in text
    assert text.endswith("Not known: Phone")


@pytest.mark.parametrize("content", [{}, {"first_contact": None, "contact": None, "timeline": None}])
def test_a_package_that_holds_nothing_says_nothing(content: dict[str, Any]) -> None:
    assert write_text(content) == ""


def test_what_was_looked_at_in_one_visit_is_one_line() -> None:
    timeline = read_content(
        {
            "timeline": [
                moment(600, "Email Opened", "Three plans"),
                moment(20, "Case Study Viewed", "Harrow"),
                moment(15),
                moment(0),
                moment(-900, detail="Home"),
            ]
        }
    )["timeline"]

    mail, visit, alone = group_timeline(timeline)

    assert (mail.title, mail.things) == ("Email Opened", ["Three plans"])
    assert (visit.title, visit.minutes, visit.kind) == ("Visit", 20, "content")
    assert visit.things == ["Pricing ×2", "Case Study Viewed: Harrow"]
    assert (alone.title, alone.things, alone.is_visit) == ("Page Viewed", ["Home"], False)


def test_mails_of_one_kind_between_visits_are_one_line() -> None:
    mails = [moment(-100 * number, "Email Opened", f"Letter {number}") for number in range(1, 6)]
    between = moment(-250)
    newest_first = sorted([*mails, between], key=lambda each: each["at"], reverse=True)

    lines = group_timeline(read_content({"timeline": newest_first})["timeline"])

    assert [line.title for line in lines] == ["Email Opened ×2", "Page Viewed", "Email Opened ×3"]
    assert lines[0].things == ["Letter 1", "Letter 2"]


def test_of_many_mails_the_latest_are_named() -> None:
    mails = [moment(-100 * number, "Email Opened", f"Letter {number}") for number in range(1, 6)]

    (line,) = group_timeline(read_content({"timeline": mails})["timeline"])

    assert line.things == ["Letter 1", "Letter 2", "Letter 3", "and 2 more"]
    assert (line.at, line.is_visit) == (mails[0]["at"], False)


def test_a_visit_in_which_they_asked_for_something_is_told_as_that() -> None:
    timeline = read_content({"timeline": [moment(2, "Demo Requested", ""), moment(0)]})["timeline"]

    (visit,) = group_timeline(timeline)

    assert (visit.kind, visit.things) == ("form", ["Pricing", "Demo Requested"])
