"""The context package as plain text, for messages, for Salesforce and to copy from. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from handoffs.package.reading import Content, Happening, group_timeline, read_content

# A message is skimmed: the whole timeline is a click away.
HAPPENINGS = 8

_ANSWERS = {
    "pain_point": "Problem",
    "current_solution": "Uses today",
    "budget": "Budget",
    "timeline": "Timeline",
    "product_line": "Product line",
    "deal_size": "Deal size",
}
_IN_PLACE_OF_POINTS = {
    "instant_mql": "Instant MQL:",
    "disqualifies": "Disqualifies:",
    "multiplies": "Multiplies:",
}
_COUNTED = {
    "visits": ("visit", "visits"),
    "pages": ("page", "pages"),
    "content": ("piece of content", "pieces of content"),
    "forms": ("form", "forms"),
    "emails": ("e-mail", "e-mails"),
}


def write_text(
    frozen: Mapping[str, Any],
    *,
    missing: Sequence[str] = (),
    zone: tzinfo = UTC,
    limit: int | None = None,
) -> str:
    """The content in sections, times in `zone`, cut to `limit` characters at the end of a line.

    `missing` are the labels of facts that nobody knew.
    """
    content = read_content(frozen)
    sections = [
        list(_who(content)),
        list(_why(content, zone)),
        list(_first_contact(content)),
        list(_answers(content)),
        list(_timeline(content, zone)),
        list(_previous(content, zone)),
        [f"Not known: {', '.join(missing)}"] if missing else [],
    ]
    text = "\n\n".join("\n".join(section) for section in sections if section)
    return text if limit is None else _cut(text, limit)


def engagement_words(engagement: Mapping[str, Any]) -> list[str]:
    """'3 visits', '8 pages', '1 form': what there was any of."""
    at_least = "at least " if engagement["may_be_more"] else ""
    return [
        f"{at_least}{number} {many if number > 1 else one}"
        for name, (one, many) in _COUNTED.items()
        if (number := engagement[name])
    ]


# --- Sections -----------------------------------------------------------------------------------


def _who(content: Content) -> Iterator[str]:
    contact, company, source = content["contact"], content["company"], content["source"]
    yield from _line(contact["name"], contact["title"])
    yield from _line(contact["email"], contact["phone"], contact["country"], contact["language"])
    size = f"{company['employee_count']} employees" if company["employee_count"] is not None else ""
    yield from _line(company["name"], company["domain"], size, company["industry"], company["country"])
    yield from _named("Tech stack", company["technologies"])
    yield from _named("Growth", company["growth_signals"])
    yield from _named("Came by", _joined(source["source"], source["campaign"], source["medium"]))
    yield from _named("Message", source["message"])
    yield from _named("First seen on", _joined(source["landing_page"], source["referrer"]))


def _why(content: Content, zone: tzinfo) -> Iterator[str]:
    score = content["score"]
    if content["urgency"]:
        yield f"Why now: {'; '.join(content['urgency'])}"
    if score["category"]:
        warmth = score["warmth"].replace("_", " ")
        yield f"{score['total']} points (fit {score['fit']}, engagement {score['engagement']})"
        yield f"Category {score['category']}, {warmth}"
    for line in score["lines"]:
        times = f" ×{line['count']}" if (line.get("count") or 0) > 1 else ""
        when = f", last {_when(line['last_at'], zone)}" if line.get("last_at") else ""
        yield f"{_weight(line)} {line['name']}{times}{when}"
    for item in score["checklist"]:
        yield f"{item['label']}: {'yes' if item['holds'] else 'no'} ({item['evidence']})"


def _weight(line: Content) -> str:
    """The points of a rule, or what it does in place of points."""
    return _IN_PLACE_OF_POINTS.get(line.get("kind", ""), f"{line['points']:+d}")


def _first_contact(content: Content) -> Iterator[str]:
    first = content["first_contact"]
    if first is None:
        return
    yield f"First contact: {'. '.join(filter(None, (first['channel'], first['timing'])))}"
    if first["opening_line"]:
        yield f"“{first['opening_line']}”"
    yield from (f"- {topic}" for topic in first["topics"])
    for objection in first["objections"]:
        answer = f": {objection['answer']}" if objection["answer"] else ""
        yield f"If they say “{objection['says']}”{answer}"
    yield from _named("Next step", first["next_step"])


def _answers(content: Content) -> Iterator[str]:
    for name, label in _ANSWERS.items():
        if answer := content["answers"][name]:
            yield f"{label}: {answer:,}" if isinstance(answer, int) else f"{label}: {answer}"


def _timeline(content: Content, zone: tzinfo) -> Iterator[str]:
    engagement = content["engagement"]
    if engagement and engagement["since"]:
        counts = ", ".join(engagement_words(engagement))
        yield f"What they did since {_when(engagement['since'], zone)}" + (f": {counts}" if counts else "")
    for happening in group_timeline(content["timeline"])[:HAPPENINGS]:
        yield f"{_when(happening.at, zone)}, {_happening(happening)}"


def _happening(happening: Happening) -> str:
    if not happening.is_visit:
        return _joined(happening.title, *happening.things)
    length = f" of {happening.minutes} min" if happening.minutes else ""
    return f"Visit{length}: {', '.join(happening.things)}"


def _previous(content: Content, zone: tzinfo) -> Iterator[str]:
    for handoff in content["previous"]:
        number = handoff["attempts"]
        attempts = f"{number} {'attempt' if number == 1 else 'attempts'}" if number else ""
        what = _joined(
            handoff["outcome"],
            handoff["reason"],
            handoff["owner"],
            attempts,
            handoff["last_attempt"],
            *handoff["learnt"],
        )
        yield f"Earlier handoff {_when(handoff['at'], zone)}: {what}"


# --- Words --------------------------------------------------------------------------------------


def _when(moment: str, zone: tzinfo) -> str:
    local = datetime.fromisoformat(moment).astimezone(zone)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)


def _line(*parts: str) -> Iterator[str]:
    if line := _joined(*parts):
        yield line


def _named(label: str, value: str) -> Iterator[str]:
    if value:
        yield f"{label}: {value}"


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    kept, _, _ = text[: limit - 1].rpartition("\n")
    return f"{kept or text[: limit - 2]}\n…"[:limit]
