"""What an automatic answer says: a template with placeholders, filled in. Plain values in and out.

Whoever fills in a form decides what a name is, and whose address the answer goes to. So that nobody can send
strangers a text of their own in our name, a value that does not look like a name is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

PLACEHOLDERS: Mapping[str, str] = {
    "first_name": "first name of the lead",
    "company": "their company",
    "open_again": "when somebody is at work again, such as Monday 9 March at 09:00",
}
# What stands in for a name nobody knows, so that no sentence has a hole in it.
_UNKNOWN = {"first_name": "there", "company": "your company"}
_PLACEHOLDER = re.compile(r"\{(first_name|company|open_again)\}")
_LOOKS_LIKE_ONE = re.compile(r"\{[^{}\s]*\}")
# Letters of any script, and what stands between the parts of a name: a dot only before a space or at the end.
_FIRST_NAME = re.compile(r"[^\W\d_]+(?:(?:\.? |['’-])[^\W\d_]+){0,3}\.?")
_COMPANY = re.compile(r"[\w&+,.'’()-]+(?: [\w&+,.'’()-]+){0,6}")
_ADDRESS = re.compile(r"www\.|\w\.\w{2,}/|@", re.IGNORECASE)
_MOST_OF_A_NAME, _MOST_OF_A_COMPANY = 40, 60


@dataclass(frozen=True)
class Arrival:
    """Who wrote to us, and when they may hear from a person."""

    first_name: str
    company: str
    open_again: datetime
    zone: ZoneInfo


class Answer(NamedTuple):
    subject: str
    text: str


def word_answer(subject: str, body: str, arrival: Arrival, *, unsubscribe: str) -> Answer:
    """The template filled in, with how to unsubscribe below it: nobody can edit that away."""
    text = _fill_in(body.replace("\r\n", "\n"), arrival).strip()
    footer = f"-- \nThis is an automatic answer. For no more of them: {unsubscribe}\n"
    return Answer(" ".join(_fill_in(subject, arrival).split()), f"{text}\n\n{footer}")


def unknown_placeholders(text: str) -> list[str]:
    """What looks like a placeholder and is none, in order and each once."""
    unknown = [word for word in _LOOKS_LIKE_ONE.findall(text) if not _PLACEHOLDER.fullmatch(word)]
    return list(dict.fromkeys(unknown))


def _fill_in(text: str, arrival: Arrival) -> str:
    values = {
        "first_name": _name(arrival.first_name) or _UNKNOWN["first_name"],
        "company": _company(arrival.company) or _UNKNOWN["company"],
        "open_again": _moment(arrival.open_again, arrival.zone),
    }
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def _name(said: str) -> str:
    name = said.strip()
    return name if len(name) <= _MOST_OF_A_NAME and _FIRST_NAME.fullmatch(name) else ""


def _company(said: str) -> str:
    name = said.strip()
    looks_like_one = len(name) <= _MOST_OF_A_COMPANY and _COMPANY.fullmatch(name)
    return name if looks_like_one and not _ADDRESS.search(name) else ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    """ "Monday 9 March at 09:00 (Berlin time)": the lead may be anywhere, so it says whose clock it is."""
    local = at.astimezone(zone)
    place = zone.key.rpartition("/")[2].replace("_", " ")
    whose = place if place == "UTC" else f"{place} time"
    return f"{local:%A} {local.day} {local:%B at %H:%M} ({whose})"
