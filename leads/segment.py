"""Segment's messages in our terms: what was said, about whom, when. Pure: no database.

SEGMENT.md of the specification shows what real clients send; RudderStack's differ in the details.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from common.errors import InvalidInput
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.whole_numbers import read_count

# Segment's own limit for one message.
MAX_MESSAGE_BYTES = 32 * 1024
MAX_ID = 255

PAGE_VIEWED, SCREEN_VIEWED = "Page Viewed", "Screen Viewed"


class Kind(StrEnum):
    IDENTIFY = "identify"
    TRACK = "track"
    PAGE = "page"
    SCREEN = "screen"
    GROUP = "group"
    ALIAS = "alias"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. `activity` is what the person did, None for a message that only says who they are."""

    kind: Kind
    message_id: str
    user_id: str = ""
    anonymous_id: str = ""
    previous_id: str = ""
    traits: Mapping[str, Any] = field(default_factory=dict)
    activity: ActivityFacts | None = None


def read_message(raw: Any, *, kind: str = "", sent_at: Any = None, received_at: datetime) -> Message:
    """Read one message; `kind` for those whose address says it. Raises InvalidInput naming the field."""
    if not isinstance(raw, Mapping):
        raise InvalidInput("A message is a JSON object.")
    if len(json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace")) > MAX_MESSAGE_BYTES:
        raise InvalidInput(f"A message may take {MAX_MESSAGE_BYTES // 1024} kB; this one takes more.")
    kind_read = _read_kind(kind or raw.get("type"))
    message_id = _read_id(raw, "messageId") or uuid.uuid4().hex
    message = Message(
        kind=kind_read,
        message_id=message_id,
        user_id=_read_id(raw, "userId"),
        anonymous_id=_read_id(raw, "anonymousId"),
        previous_id=_read_id(raw, "previousId") if kind_read is Kind.ALIAS else "",
        traits=_read_traits(raw, kind_read),
        activity=_read_activity(
            raw,
            kind_read,
            message_id=message_id,
            occurred_at=happened_at(raw, sent_at=sent_at, received_at=received_at),
        ),
    )
    if kind_read is Kind.ALIAS and not (message.previous_id and message.user_id):
        raise InvalidInput("An alias needs previousId and userId.", field="previousId")
    if not (message.user_id or message.anonymous_id):
        raise InvalidInput("Say who it is about: userId or anonymousId.", field="userId")
    return message


def lead_facts(traits: Mapping[str, Any]) -> LeadFacts:
    """The reserved traits as facts about a lead; whatever else there is stays with the visitor.

    Raises InvalidInput with the field as "traits.title" and so on.
    """
    first, last = _names(traits)
    address = _object(traits, "address")
    campaign = _object(traits, "campaign")
    return LeadFacts(
        email=_text(traits, "email"),
        first_name=first,
        last_name=last,
        title=_text(traits, "title"),
        phone=_text(traits, "phone"),
        website=_text(traits, "website"),
        country=_text(address, "country"),
        company=_company_facts(traits),
        source=_text(campaign, "source"),
        campaign=_text(campaign, "name"),
        language=_text(traits, "language"),
        product_line=_text(traits, "product_line"),
        deal_size=_count(traits, "deal_size"),
    )


def happened_at(raw: Mapping[str, Any], *, sent_at: Any, received_at: datetime) -> datetime:
    """When it happened by our clock. The sender's clock may be wrong, but the span between happening and
    sending is right whatever the clock: it is counted back from now. Never in the future."""
    said = _read_time(raw.get("originalTimestamp") or raw.get("timestamp"), "timestamp")
    sent = _read_time(raw.get("sentAt") or sent_at, "sentAt")
    if said is None:
        return received_at
    if sent is None:
        return min(said, received_at)
    try:
        return min(received_at - (sent - said), received_at)
    except OverflowError:
        raise InvalidInput("timestamp and sentAt are too far apart.", field="timestamp") from None


# --- Reading ------------------------------------------------------------------------------------


def _read_kind(text: Any) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        known = ", ".join(Kind)
        raise InvalidInput(f"The type of a message is one of: {known}.", field="type") from None


def _read_id(raw: Mapping[str, Any], name: str) -> str:
    """Ids may be sent as numbers; null and absent are the same."""
    value = raw.get(name)
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > MAX_ID:
        raise InvalidInput(f"{name} is text of at most {MAX_ID} characters.", field=name)
    return str(value)


def _read_time(value: Any, name: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(value)
        # Without an offset it is UTC, as Segment takes it.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"{name} is a time such as 2026-03-03T14:05:00Z.", field=name) from None


def _read_traits(raw: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    """What is said about the person. RudderStack's Python client puts it in the context."""
    context = _object(raw, "context")
    said = _object(context, "traits") | _object(raw, "traits")
    if kind is Kind.GROUP:
        said = {"company": _company_of_group(_object(raw, "traits"))}
    elif kind is not Kind.IDENTIFY:
        said = _object(context, "traits")
    if campaign := _object(context, "campaign"):
        said.setdefault("campaign", campaign)
    return said


def _company_of_group(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Segment names the size of a group "employees"; of a person's company "employee_count"."""
    company = dict(traits)
    if "employees" in company:
        company.setdefault("employee_count", company.pop("employees"))
    return company


def _read_activity(
    raw: Mapping[str, Any], kind: Kind, *, message_id: str, occurred_at: datetime
) -> ActivityFacts | None:
    if kind not in (Kind.TRACK, Kind.PAGE, Kind.SCREEN):
        return None
    properties = _object(raw, "properties")
    if kind is Kind.TRACK:
        event = raw.get("event")
        if not isinstance(event, str) or not event.strip():
            raise InvalidInput("A track message needs the name of its event.", field="event")
    else:
        event = PAGE_VIEWED if kind is Kind.PAGE else SCREEN_VIEWED
        properties = _page_properties(raw, properties)
    return ActivityFacts(event=event, occurred_at=occurred_at, message_id=message_id, properties=properties)


def _page_properties(raw: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    """The page's own properties, then what the context knows of it, then its name; `path` in any case."""
    page = {name: value for name, value in _object(_object(raw, "context"), "page").items() if value}
    named = {name: raw[name] for name in ("name", "category") if raw.get(name)}
    merged = named | page | dict(properties)
    if not merged.get("path") and isinstance(merged.get("url"), str):
        merged["path"] = _path_of(merged["url"])
    if raw.get("name"):
        merged.setdefault("title", raw["name"])
    return merged


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path or "/"
    except ValueError:  # such as an unfinished IPv6 host
        return "/"


# --- Traits -------------------------------------------------------------------------------------


def _names(traits: Mapping[str, Any]) -> tuple[str, str]:
    """First and last name; a full name is split at its first space when neither is given."""
    first, last = _text(traits, "firstName"), _text(traits, "lastName")
    if not (first or last):
        first, _, last = _text(traits, "name").partition(" ")
    return first, last


def _company_facts(traits: Mapping[str, Any]) -> CompanyFacts:
    said = traits.get("company")
    if isinstance(said, str):
        return CompanyFacts(name=said)
    company = _object(traits, "company")
    return CompanyFacts(
        name=_text(company, "name", of="company"),
        domain=_text(company, "domain", of="company") or _text(company, "website", of="company"),
        employee_count=_count(company, "employee_count", of="company"),
        industry=_text(company, "industry", of="company"),
        technologies=_words(company, "technologies", of="company"),
        growth_signals=_words(company, "growth_signals", of="company"),
        country=_text(_object(company, "address"), "country", of="company"),
    )


def _object(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise InvalidInput(f"{name} is a JSON object.", field=name)
    return dict(value)


def _text(traits: Mapping[str, Any], name: str, *, of: str = "") -> str:
    value = traits.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InvalidInput(f"The trait {name} is text.", field=_path(name, of))
    return str(value)


def _words(traits: Mapping[str, Any], name: str, *, of: str) -> str:
    """A text as it is, a list of texts with commas between them."""
    value = traits.get(name)
    if not isinstance(value, list):
        return _text(traits, name, of=of)
    if not all(isinstance(word, str) for word in value):
        raise InvalidInput(f"The trait {name} is text, or a list of texts.", field=_path(name, of))
    return ", ".join(filter(None, map(str.strip, value)))


def _count(traits: Mapping[str, Any], name: str, *, of: str = "") -> int | None:
    """A whole number, as number or as text such as "1,200"."""
    value = traits.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return read_count(name, _text(traits, name, of=of), field=_path(name, of))


def _path(name: str, of: str) -> str:
    return ".".join(filter(None, ("traits", of, name)))
