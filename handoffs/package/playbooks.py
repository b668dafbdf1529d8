"""What to say first: which playbook fits a lead, and its words with the lead's names filled in (HAND-5).

Plain values in and out. Placeholders are replaced by name only; anything else in braces stays as written.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

# What stands in for a fact nobody knows, so that no sentence has a hole in it.
_UNKNOWN = {"first_name": "there", "company": "your company", "title": "your role"}
_PLACEHOLDER = re.compile(r"\{(first_name|company|title)\}")
# Quotation marks of any kind: German ones open below, a keyboard has straight ones.
_OBJECTION = re.compile(r"""\s*[“„"«](?P<says>[^“”"«»]+)[”“"»]\s*:?(?P<answer>.*)""", re.DOTALL)
_LOOKS_LIKE_ONE = re.compile(r"\{[^{}\s]*\}")


@dataclass(frozen=True)
class Situation:
    """What is known about the lead when it is handed over."""

    signal_keys: Collection[str]
    category: str
    source: str = ""
    industry: str = ""
    first_name: str = ""
    company: str = ""
    title: str = ""


@dataclass(frozen=True)
class Play:
    """One playbook. Empty conditions hold for any lead."""

    name: str
    channel: str
    timing: str
    opening_line: str
    next_step: str
    signal_keys: Sequence[str] = ()
    categories: Sequence[str] = ()
    sources: Sequence[str] = ()
    industries: Sequence[str] = ()
    topics: Sequence[str] = ()
    objections: Sequence[str] = ()

    def fits(self, situation: Situation) -> bool:
        """Whether every condition holds; texts are compared whatever their case."""
        shows_a_signal = not self.signal_keys or not set(self.signal_keys).isdisjoint(situation.signal_keys)
        return (
            shows_a_signal
            and _is_one_of(situation.category, self.categories)
            and _is_one_of(situation.source, self.sources)
            and _is_one_of(situation.industry, self.industries)
        )


@dataclass(frozen=True)
class Objection:
    """What they may say against it, and what to answer; an answer may be missing."""

    says: str
    answer: str


@dataclass(frozen=True)
class FirstContact:
    """The recommended first contact, ready to be read out."""

    playbook: str
    channel: str
    timing: str
    opening_line: str
    topics: tuple[str, ...]
    objections: tuple[Objection, ...]
    next_step: str


def recommend_first_contact(plays: Iterable[Play], situation: Situation) -> FirstContact | None:
    """The first playbook that fits, filled in; None when none fits."""
    play = next((play for play in plays if play.fits(situation)), None)
    if play is None:
        return None
    return FirstContact(
        playbook=play.name,
        channel=play.channel,
        timing=play.timing,
        opening_line=fill_in(play.opening_line, situation),
        topics=tuple(fill_in(topic, situation) for topic in play.topics),
        objections=tuple(_fill_in_objection(read_objection(text), situation) for text in play.objections),
        next_step=fill_in(play.next_step, situation),
    )


def read_objection(text: str) -> Objection:
    """“What they may say”: what to answer. Without quotation marks, the first colon parts the two."""
    quoted = _OBJECTION.match(text)
    if quoted:
        return Objection(quoted["says"].strip(), quoted["answer"].strip())
    says, _, answer = text.partition(":")
    return Objection(says.strip(), answer.strip())


def _fill_in_objection(objection: Objection, situation: Situation) -> Objection:
    return Objection(fill_in(objection.says, situation), fill_in(objection.answer, situation))


def _is_one_of(value: str, wanted: Sequence[str]) -> bool:
    return not wanted or value.strip().casefold() in {word.strip().casefold() for word in wanted}


def fill_in(text: str, situation: Situation) -> str:
    """Replace {first_name}, {company} and {title}; what is filled in is never read as a placeholder."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        known: str = getattr(situation, name)
        return known.strip() or _UNKNOWN[name]

    return _PLACEHOLDER.sub(value, text)


def unknown_placeholders(text: str) -> list[str]:
    """What looks like a placeholder and is none, for whoever writes a playbook."""
    return [word for word in _LOOKS_LIKE_ONE.findall(text) if not _PLACEHOLDER.fullmatch(word)]
