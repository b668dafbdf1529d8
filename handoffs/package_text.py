"""The context package as plain text, for messages and for Salesforce."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from handoffs.models import ContextPackage
from handoffs.package import Content

UTC = ZoneInfo("UTC")
# A message is skimmed: the whole timeline is a click away.
ACTIVITIES = 8

_ANSWERS = {
    "budget": "Budget",
    "timeline": "Timeline",
    "current_solution": "Present solution",
    "pain_point": "Pain point",
}


def package_as_text(package: ContextPackage, *, zone: ZoneInfo = UTC, limit: int | None = None) -> str:
    """The package in sections, times in `zone`, cut to `limit` characters at the end of a line."""
    content: Content = package.content
    sections = [
        list(_who(content)),
        list(_why(content, zone)),
        list(_first_contact(content)),
        list(_answers(content)),
        list(_timeline(content, zone)),
        list(_previous(content, zone)),
        [f"Missing: {', '.join(package.missing).replace('_', ' ')}"] if package.missing else [],
    ]
    text = "\n\n".join("\n".join(section) for section in sections if section)
    return text if limit is None else _cut(text, limit)


def _who(content: Content) -> Iterator[str]:
    contact, company = content["contact"], content["company"]
    yield _joined(contact["name"], contact["title"])
    yield from _filled(_joined(contact["email"], contact["phone"], contact["country"]))
    size = f"{company['employee_count']} employees" if company["employee_count"] is not None else ""
    yield from _filled(
        _joined(company["name"], company["domain"], size, company["industry"], company["country"])
    )
    # Packages frozen before these were known lack them.
    for label, name in (("Tech stack", "technologies"), ("Growth", "growth_signals")):
        if words := company.get(name):
            yield f"{label}: {words}"
    yield from _filled(_joined(content["source"]["source"], content["source"]["campaign"]))


def _why(content: Content, zone: ZoneInfo) -> Iterator[str]:
    score = content["score"]
    warmth = score["warmth"].replace("_", " ")
    yield f"{score['total']} points (fit {score['fit']}, engagement {score['engagement']})"
    yield f"Category {score['category']}, {warmth}"
    for line in score["lines"]:
        when = f", last {_when(line['last_at'], zone)}" if line["last_at"] else ""
        yield f"{line['points']:+d} {line['sentence']}{when}"
    yield from content["urgency"]


def _first_contact(content: Content) -> Iterator[str]:
    first = content["first_contact"]
    if first is None:
        return
    yield f"First contact: {first['channel']}. {first['timing']}"
    yield f"“{first['opening_line']}”"
    yield from (f"- {topic}" for topic in first["topics"])
    yield from (f"If {objection}" for objection in first["objections"])
    yield f"Next step: {first['next_step']}"


def _answers(content: Content) -> Iterator[str]:
    for name, label in _ANSWERS.items():
        if content["answers"][name]:
            yield f"{label}: {content['answers'][name]}"


def _timeline(content: Content, zone: ZoneInfo) -> Iterator[str]:
    for moment in content["timeline"][:ACTIVITIES]:
        yield _joined(_when(moment["at"], zone), moment["event"], moment["detail"])


def _previous(content: Content, zone: ZoneInfo) -> Iterator[str]:
    for handoff in content["previous"]:
        what = _joined(handoff["outcome"], handoff["reason"], handoff["owner"])
        yield f"Earlier handoff {_when(handoff['at'], zone)}: {what}"


def _when(moment: str, zone: ZoneInfo) -> str:
    local = datetime.fromisoformat(moment).astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _filled(line: str) -> Iterator[str]:
    if line:
        yield line


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept, _, _ = text[: limit - 1].rpartition("\n")
    return f"{kept or text[: limit - 2]}\n…"[:limit]
