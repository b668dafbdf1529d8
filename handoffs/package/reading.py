"""A frozen package as its readers take it, whenever it was frozen. Pure.

Content is immutable, so what packages hold has grown while old ones stayed: here the old shapes are read as
the present one. Pages, messages and Salesforce read packages through this alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from handoffs.package.engagement import ON_SITE, Kind, kind_of, visits_of
from handoffs.package.playbooks import read_objection

Content = dict[str, Any]

MAILS_NAMED = 3

# What each section holds by now, with what stands for unknown.
_SECTIONS: Mapping[str, Mapping[str, Any]] = {
    "contact": dict.fromkeys(
        ("name", "full_name", "title", "email", "phone", "country", "language", "website"), ""
    ),
    "company": dict.fromkeys(("name", "domain", "industry", "technologies", "growth_signals", "country"), "")
    | {"employee_count": None},
    "answers": dict.fromkeys(("budget", "timeline", "current_solution", "pain_point", "product_line"), "")
    | {"deal_size": None},
    "source": dict.fromkeys(("source", "campaign", "medium", "message", "landing_page", "referrer"), ""),
    "score": {"total": 0, "fit": 0, "engagement": 0, "category": "", "warmth": "", "lines": []}
    | {"checklist": []},
}
_FIRST_CONTACT = dict.fromkeys(("playbook", "channel", "timing", "opening_line", "next_step"), "")
_PREVIOUS = dict.fromkeys(("outcome", "reason", "owner", "last_attempt"), "")


def read_content(frozen: Mapping[str, Any]) -> Content:
    """The content in the present shape: every key is there, and what nobody knew is blank."""
    return {
        **{name: {**blank, **(frozen.get(name) or {})} for name, blank in _SECTIONS.items()},
        "engagement": frozen.get("engagement"),
        "timeline": [{"kind": kind_of(each["event"]), **each} for each in frozen.get("timeline") or ()],
        "previous": [
            {**_PREVIOUS, "attempts": 0, "passed_on": False, "learnt": [], **each}
            for each in frozen.get("previous") or ()
        ],
        "urgency": list(frozen.get("urgency") or ()),
        "first_contact": _read_first_contact(frozen.get("first_contact")),
    }


def _read_first_contact(frozen: Mapping[str, Any] | None) -> Content | None:
    if not frozen:
        return None
    objections = frozen.get("objections") or ()
    pairs = [_read_objection(each) for each in objections]
    return {**_FIRST_CONTACT, "topics": [], **frozen, "objections": pairs}


def _read_objection(frozen: str | Mapping[str, str]) -> Mapping[str, str]:
    """Objections used to be kept as one text each."""
    if isinstance(frozen, str):
        objection = read_objection(frozen)
        return {"says": objection.says, "answer": objection.answer}
    return frozen


# --- The timeline, as it is read ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline: a visit with what was looked at in it, mails of one kind in a row, or a
    single thing. `moments` are in order of time."""

    kind: str
    at: str
    minutes: int
    moments: tuple[Content, ...]

    @property
    def is_visit(self) -> bool:
        return len(self.moments) > 1 and self.kind in ON_SITE

    @property
    def title(self) -> str:
        if self.is_visit:
            return "Visit"
        event, number = str(self.moments[0]["event"]), len(self.moments)
        return f"{event} ×{number}" if number > 1 else event

    @property
    def things(self) -> list[str]:
        """What was seen or done in it; the same thing twice is said once, with its number. Of many mails
        the latest few."""
        if self.is_visit:
            counted = Counter(_words_in_visit(moment) for moment in self.moments)
            return [words if count == 1 else f"{words} ×{count}" for words, count in counted.items()]
        details = dict.fromkeys(moment["detail"] for moment in reversed(self.moments) if moment["detail"])
        more = len(details) - MAILS_NAMED
        return [*list(details)[:MAILS_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _words_in_visit(moment: Content) -> str:
    """A page by its title alone, anything else by what was done with it."""
    event, detail = moment["event"], moment["detail"]
    if not detail:
        return str(event)
    return str(detail) if moment["kind"] == Kind.PAGE else f"{event}: {detail}"


def group_timeline(timeline: Sequence[Content]) -> list[Happening]:
    """What was done on the site within one visit is one line, and so are mails of one kind between visits;
    the rest is a line each. The latest first."""
    on_site = [moment for moment in timeline if moment["kind"] in ON_SITE]
    visits = [_visit(visit) for visit in _cut_into_visits(on_site)]
    others = [
        Happening(moment["kind"], moment["at"], 0, (moment,))
        for moment in timeline
        if moment["kind"] not in ON_SITE
    ]
    lines = sorted([*visits, *others], key=lambda line: datetime.fromisoformat(line.at), reverse=True)
    return list(_with_mails_joined(lines))


def _with_mails_joined(lines: Iterable[Happening]) -> Iterator[Happening]:
    def mail(line: Happening) -> str:
        return str(line.moments[0]["event"]) if line.kind == Kind.EMAIL else ""

    for event, group in groupby(lines, key=mail):
        if not event:
            yield from group
            continue
        mails = list(group)
        moments = tuple(moment for line in reversed(mails) for moment in line.moments)
        yield Happening(Kind.EMAIL, mails[0].at, 0, moments)


def _cut_into_visits(moments: Iterable[Content]) -> list[list[Content]]:
    ordered = sorted(moments, key=_at)
    rest = iter(ordered)
    return [[next(rest) for _ in visit] for visit in visits_of(map(_at, ordered))]


def _visit(moments: Sequence[Content]) -> Happening:
    minutes = (_at(moments[-1]) - _at(moments[0])) // timedelta(minutes=1)
    return Happening(_strongest(moments), moments[-1]["at"], minutes, tuple(moments))


def _strongest(moments: Iterable[Content]) -> str:
    """The kind that says most about a visit: whoever filled in a form did not just look at pages."""
    kinds = {moment["kind"] for moment in moments}
    return next(kind for kind in (Kind.FORM, Kind.CONTENT, Kind.PAGE) if kind in kinds)


def _at(moment: Content) -> datetime:
    return datetime.fromisoformat(moment["at"])
