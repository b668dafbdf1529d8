"""What an automatic answer says, and what nobody can make it say."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from handoffs.acknowledgement.words import Arrival, unknown_placeholders, word_answer

OPENING = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
LINK = "https://portal.example/unsubscribe/x/"


def answer(subject: str, body: str, *, name: str = "Ada", company: str = "Nordwind", zone: str = "UTC"):
    arrival = Arrival(first_name=name, company=company, open_again=OPENING, zone=ZoneInfo(zone))
    return word_answer(subject, body, arrival, unsubscribe=LINK)


@pytest.mark.parametrize(
    ("zone", "words"),
    [
        ("Europe/Berlin", "Monday 9 March at 09:00 (Berlin time)"),
        ("America/New_York", "Monday 9 March at 04:00 (New York time)"),
        ("UTC", "Monday 9 March at 08:00 (UTC)"),
    ],
)
def test_it_says_when_somebody_is_there_and_by_whose_clock(zone: str, words: str) -> None:
    assert answer("", "After {open_again}.", zone=zone).text.startswith(f"After {words}.")


def test_the_way_out_stands_below_whatever_the_template_says() -> None:
    assert answer("Thanks", "Thank you.").text == (
        f"Thank you.\n\n-- \nThis is an automatic answer. For no more of them: {LINK}\n"
    )


@pytest.mark.parametrize("name", ["Ada", "Zoë", "Jean-Luc", "Mary Ann", "J. R.", "O’Neill", "Þórdís", "李雷"])
def test_a_name_is_a_name_in_any_script(name: str) -> None:
    assert answer("Hello {first_name}", "").subject == "Hello Ada"
    assert answer("Hello {first_name}", "", name=name).subject == f"Hello {name}"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        "Win 1000 EUR",
        "www.evil.example",
        "Ada\nBcc: x@y.example",
        "ada@y.example",
        "A" * 41,
        "{company}",
    ],
    ids=["nothing", "blank", "digits", "address", "header", "e-mail", "long", "placeholder"],
)
def test_what_is_no_name_is_left_out(name: str) -> None:
    """Anybody may fill in a form with somebody else's address: what they type reaches no stranger."""
    assert answer("Hello {first_name}", "", name=name).subject == "Hello there"


@pytest.mark.parametrize("company", ["Nordwind", "3M", "Smith & Sons (UK) Ltd.", "Booking.com", "H+K"])
def test_a_company_is_called_as_it_is(company: str) -> None:
    assert answer("", "For {company}.", company=company).text.startswith(f"For {company}.")


@pytest.mark.parametrize(
    "company",
    [
        "",
        "https://evil.example/x",
        "www.evil.example",
        "evil.example/win",
        "Win\n\nnow",
        "x@y.example",
        "a " * 9,
    ],
    ids=["nothing", "link", "www", "path", "lines", "e-mail", "sentence"],
)
def test_what_is_no_company_is_left_out(company: str) -> None:
    assert answer("", "For {company}.", company=company).text.startswith("For your company.")


def test_a_subject_stays_one_line() -> None:
    assert answer("Hello\r\nBcc: {first_name}", "").subject == "Hello Bcc: Ada"


def test_what_looks_like_a_placeholder_and_is_none_is_named_once() -> None:
    assert unknown_placeholders("{first_name} {title} { x } {title} {}") == ["{title}", "{}"]
