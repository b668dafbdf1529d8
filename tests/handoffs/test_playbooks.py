"""Which playbook fits, and its words (HAND-5)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoffs.package.playbooks import (
    Objection,
    Play,
    Situation,
    fill_in,
    read_objection,
    recommend_first_contact,
)

# A busy machine is no failure.
in_its_own_time = settings(deadline=None)

SITUATION = Situation(
    signal_keys={"pricing-page", "webinar"},
    category="A",
    source="Trade fair",
    industry="Software",
    first_name="Lea",
    company="Nordwind",
    title="VP Sales",
)
PLAY = Play(
    name="Any",
    channel="Call",
    timing="Today",
    opening_line="Hello {first_name}, how does {company} decide?",
    next_step="Book a demo with the {title}",
    topics=["{company} and prices"],
    objections=["“{company} has a tool”: ask what it lacks"],
)


@pytest.mark.parametrize(
    ("play", "fits"),
    [
        (PLAY, True),
        (replace(PLAY, signal_keys=["demo-request", "webinar"]), True),
        (replace(PLAY, signal_keys=["demo-request"]), False),
        (replace(PLAY, categories=["A", "B"]), True),
        (replace(PLAY, categories=["C"]), False),
        (replace(PLAY, signal_keys=["webinar"], categories=["C"]), False),
        (replace(PLAY, sources=["Webinar", "trade FAIR "]), True),
        (replace(PLAY, sources=["Webinar"]), False),
        (replace(PLAY, industries=["software"]), True),
        (replace(PLAY, industries=["Logistics"]), False),
        (replace(PLAY, sources=["Trade fair"], industries=["Logistics"]), False),
    ],
)
def test_a_playbook_fits_when_each_of_its_conditions_does(play: Play, fits: bool) -> None:
    assert play.fits(SITUATION) is fits


def test_the_first_that_fits_applies_with_its_placeholders_filled_in() -> None:
    plays = [replace(PLAY, name="Demo", signal_keys=["demo-request"]), PLAY, replace(PLAY, name="Later")]

    first_contact = recommend_first_contact(plays, SITUATION)

    assert first_contact is not None
    assert first_contact.playbook == "Any"
    assert first_contact.opening_line == "Hello Lea, how does Nordwind decide?"
    assert first_contact.next_step == "Book a demo with the VP Sales"
    assert first_contact.topics == ("Nordwind and prices",)
    assert first_contact.objections == (Objection("Nordwind has a tool", "ask what it lacks"),)


@pytest.mark.parametrize(
    ("text", "says", "answer"),
    [
        ("“It is dear”: ask why", "It is dear", "ask why"),
        ("„Zu teuer“: warum?", "Zu teuer", "warum?"),
        ('"Tuesday: no time" - offer Friday', "Tuesday: no time", "- offer Friday"),
        ("Too dear: ask why: it helps", "Too dear", "ask why: it helps"),
        ("“Not now”", "Not now", ""),
        ("Not now", "Not now", ""),
        ("", "", ""),
    ],
)
def test_an_objection_is_read_with_its_answer(text: str, says: str, answer: str) -> None:
    assert read_objection(text) == Objection(says, answer)


def test_without_a_playbook_that_fits_nothing_is_recommended() -> None:
    assert recommend_first_contact([replace(PLAY, categories=["C"])], SITUATION) is None


def test_what_nobody_knows_leaves_no_hole_in_the_sentence() -> None:
    nobody = Situation(signal_keys=(), category="C", first_name=" ")

    assert (
        fill_in("Hello {first_name} of {company}, {title}", nobody)
        == "Hello there of your company, your role"
    )


@pytest.mark.parametrize(
    "text", ["{first_name.__class__}", "{0}", "{unknown}", "{{", "100 %", "{first_name!r}", "%(company)s"]
)
def test_other_braces_stay_as_written(text: str) -> None:
    assert fill_in(text, SITUATION) == text


def test_what_a_lead_calls_itself_is_not_a_placeholder() -> None:
    joker = replace(SITUATION, first_name="{company}")

    assert fill_in("Hello {first_name}", joker) == "Hello {company}"


@in_its_own_time
@given(text=st.text(), first_name=st.text())
def test_any_text_can_be_filled_in(text: str, first_name: str) -> None:
    assert (
        "{first_name}"
        not in fill_in(text + "{first_name}", replace(SITUATION, first_name=first_name.replace("{", "")))[
            len(text) :
        ]
    )
