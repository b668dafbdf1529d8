"""How a message reads outside the portal: templates with placeholders, filled in. Plain values in and out.

Placeholders are replaced by name only; anything else in braces stays as written, and what is filled in is
never read as a placeholder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_LOOKS_LIKE_ONE = re.compile(r"\{[^{}\s]*\}")
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")
UNKNOWN = "–"  # stands in for a fact nobody knows, so that no sentence has a hole in it


class Fact(NamedTuple):
    """One line of a summary: `key` is its placeholder, `label` and `value` are shown."""

    key: str
    label: str
    value: str


class Words(NamedTuple):
    subject: str
    text: str


@dataclass(frozen=True)
class Letter:
    """A message as it came from above, with what depends on the receiver."""

    title: str
    body: str = ""
    link: str = ""
    facts: Sequence[Fact] = ()
    recipient: str = ""


SHIPPED = Words("{title}", "{message}\n\n{facts}\n\n{link}")

OF_EVERY_MESSAGE: Mapping[str, str] = {
    "title": "the headline",
    "message": "the sentence below it",
    "facts": "all facts, one a line",
    "link": "where it is in the portal",
    "recipient": "first name of who is told",
}
# The summary of NOTE-1.
ABOUT_A_LEAD: Mapping[str, str] = {
    "lead": "name of the lead",
    "job_title": "their job",
    "company": "their company",
    "contact": "how to reach them",
    "score": "the score",
    "trigger": "what triggered it",
    "category": "A, B or C, and how warm",
    "time_left": "until when to act",
    "first_step": "recommended first step",
}
KINDS_ABOUT_A_LEAD = frozenset({"handoff", "overflow", "warning", "breach", "rejection"})


def placeholders_of(kind: str) -> dict[str, str]:
    """What a template of this kind may hold, and what each stands for."""
    return {**OF_EVERY_MESSAGE, **(ABOUT_A_LEAD if kind in KINDS_ABOUT_A_LEAD else {})}


def unknown_placeholders(text: str, kind: str) -> list[str]:
    """What looks like a placeholder and is none for this kind, in order and each once."""
    known = placeholders_of(kind)
    unknown = [word for word in _LOOKS_LIKE_ONE.findall(text) if word[1:-1] not in known]
    return list(dict.fromkeys(unknown))


def word_message(template: Words, letter: Letter) -> Words:
    """Fill the template in: a subject of one line, and plain text with the facts below each other."""
    values = _values(letter)
    values["facts"] = "\n".join(f"{fact.label}: {fact.value}" for fact in letter.facts if fact.value)
    return Words(_in_one_line(_fill_in(template.subject, values)), _tidy(_fill_in(template.text, values)))


def lead_text(template: Words, letter: Letter) -> str:
    """The text without facts and link, for layouts that have places of their own for them."""
    return _tidy(_fill_in(template.text, _values(letter) | {"facts": "", "link": ""}))


def sample_letter(kind: str, recipient: str, link: str) -> Letter:
    """An invented message of this kind, for previews and tests of a template."""
    if kind not in KINDS_ABOUT_A_LEAD:
        return Letter("This is a headline", "This is the sentence below it.", link, (), recipient)
    samples = {
        "lead": ("Name", "Ada Berger"),
        "job_title": ("Title", "Head of Logistics"),
        "company": ("Company", "Nordwind Ltd"),
        "contact": ("Contact", "ada@nordwind.example, +49 30 1234567"),
        "score": ("Score", "78"),
        "trigger": ("Why now", "Instant MQL; Demo request, Tue 3 Mar, 13:50"),
        "category": ("Category", "A, hand-raiser"),
        "time_left": ("Time left", "Open it by Tue 3 Mar, 14:05"),
        "first_step": ("First step", "Call, within the hour"),
    }
    facts = tuple(Fact(key, label, value) for key, (label, value) in samples.items())
    return Letter("New lead: Ada Berger, Nordwind Ltd", "Category A, 78 points", link, facts, recipient)


def _values(letter: Letter) -> dict[str, str]:
    known = {fact.key: fact.value for fact in letter.facts}
    own = {
        "title": letter.title,
        "message": letter.body,
        "link": letter.link,
        "recipient": letter.recipient or "all",
    }
    return {**dict.fromkeys(ABOUT_A_LEAD, ""), **known, **own}


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            return match.group(0)
        # A fact may be missing in the middle of a sentence; headline, message, facts and link stand alone.
        return values[name] or (UNKNOWN if name in ABOUT_A_LEAD else "")

    return _PLACEHOLDER.sub(value, text)


def _in_one_line(text: str) -> str:
    return " ".join(text.split())[:250]


def _tidy(text: str) -> str:
    return _BLANK_LINES.sub("\n\n", text.replace("\r\n", "\n")).strip()
