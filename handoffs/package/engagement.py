"""What a lead did, as a rep reads it: of what kind, in which visits, and what brought the lead here. Pure.

What a tracking stack sends may hold anything: only texts of sensible length are taken over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit

DETAIL_LENGTH = 120
LOOKED_AT = 500  # of one person's activities: beyond that, counts say "at least"
# After so long a pause, web analytics counts another visit.
VISIT_ENDS_AFTER = timedelta(minutes=30)


class Kind(StrEnum):
    PAGE = "page"
    CONTENT = "content"
    FORM = "form"
    EMAIL = "email"
    OTHER = "other"


ON_SITE = (Kind.PAGE, Kind.CONTENT, Kind.FORM)

# Events are named "Object Past-tense verb" by custom, so a word tells the kind.
_WORDS_OF_KINDS = (
    (Kind.EMAIL, {"email", "mail", "newsletter"}),
    (Kind.FORM, {"form", "requested", "submitted", "registered", "booked"}),
    (Kind.PAGE, {"page", "screen"}),
    (Kind.CONTENT, {"viewed", "downloaded", "attended", "watched", "played", "read"}),
)
# Which property of an event tells most about it, best first.
_TELLING = ("title", "subject", "form", "path", "url", "name")
# Which property names the message or advertisement, best first.
_NAMES_MESSAGE = ("message", "utm_content", "campaign_content")
_MAX_QUERY_FIELDS = 40


@dataclass(frozen=True, slots=True)
class Deed:
    """One activity: what, when, and its properties as they came."""

    event: str
    at: datetime
    properties: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        return kind_of(self.event)

    @property
    def detail(self) -> str:
        """The most telling property; blank if none is a text."""
        return next(filter(None, (text_of(self.properties, name) for name in _TELLING)), "")

    @property
    def words(self) -> str:
        """What was done, as one says it: 'Demo requested' for 'Demo Requested' and 'demo_requested'."""
        first, *others = re.split(r"[\s_]+", self.event.strip())
        return " ".join([first[:1].upper() + first[1:], *(_uncapitalised(word) for word in others)])


def _uncapitalised(word: str) -> str:
    """Names such as CRM or iPad keep their letters."""
    return word.lower() if word.istitle() else word


def kind_of(event: str) -> Kind:
    """The kind of an event by its name: 'Case Study Downloaded' is content, 'Email Opened' an e-mail."""
    words = set(re.findall(r"[a-z]+", event.casefold().replace("e-mail", "email")))
    return next((kind for kind, telling in _WORDS_OF_KINDS if telling & words), Kind.OTHER)


def text_of(properties: Mapping[str, Any], name: str) -> str:
    """The property as one line of text; blank if it is none."""
    value = properties.get(name)
    return " ".join(value.split())[:DETAIL_LENGTH] if isinstance(value, str) else ""


# --- Counting -----------------------------------------------------------------------------------


def count_engagement(deeds: Sequence[Deed]) -> dict[str, int]:
    """How many activities, visits, pages, pieces of content, forms and e-mails there were."""
    kinds = Counter(deed.kind for deed in deeds)
    return {
        "activities": len(deeds),
        "visits": len(visits_of([deed.at for deed in deeds if deed.kind in ON_SITE])),
        "pages": kinds[Kind.PAGE],
        "content": kinds[Kind.CONTENT],
        "forms": kinds[Kind.FORM],
        "emails": kinds[Kind.EMAIL],
    }


def visits_of(moments: Iterable[datetime]) -> list[list[datetime]]:
    """The moments cut into visits, oldest first: a long pause begins another one."""
    ordered = sorted(moments)
    visits = [ordered[:1]] if ordered else []
    for before, after in pairwise(ordered):
        if after - before > VISIT_ENDS_AFTER:
            visits.append([])
        visits[-1].append(after)
    return visits


# --- What brought them --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirstTouch:
    """How the lead came, as far as its first visit tells. Blank means unknown."""

    medium: str = ""
    message: str = ""
    landing_page: str = ""
    referrer: str = ""


def read_first_touch(deeds: Sequence[Deed]) -> FirstTouch:
    """Read it off the first visit, `deeds` being the earliest known activities in any order."""
    ordered = sorted(deeds, key=lambda deed: deed.at)
    if not ordered:
        return FirstTouch()
    end = visits_of(deed.at for deed in ordered)[0][-1]
    visit = [deed for deed in ordered if deed.at <= end]
    landing = next((deed for deed in visit if deed.kind is Kind.PAGE), None)
    return FirstTouch(
        medium=next(filter(None, (_medium(deed) for deed in visit)), ""),
        message=next(filter(None, (_message(deed) for deed in visit)), ""),
        landing_page=text_of(landing.properties, "path") if landing else "",
        referrer=_referrer(landing) if landing else "",
    )


def _medium(deed: Deed) -> str:
    return text_of(deed.properties, "utm_medium") or _from_query(deed, "utm_medium")


def _message(deed: Deed) -> str:
    said = (text_of(deed.properties, name) for name in _NAMES_MESSAGE)
    subject = text_of(deed.properties, "subject") if deed.kind is Kind.EMAIL else ""
    return next(filter(None, said), "") or _from_query(deed, "utm_content") or subject


def _from_query(deed: Deed, name: str) -> str:
    """A campaign parameter of the page's address."""
    address = deed.properties.get("url") or deed.properties.get("search")
    if not isinstance(address, str):
        return ""
    try:
        values = parse_qs(urlsplit(address).query, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:  # an unfinished host, or far too many parameters
        return ""
    return text_of({name: values.get(name, [""])[0]}, name)


def _referrer(deed: Deed) -> str:
    """The site they came from; blank for our own."""
    host, own = (_host(text_of(deed.properties, name)) for name in ("referrer", "url"))
    return "" if host == own else host


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
