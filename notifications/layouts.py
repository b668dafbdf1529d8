"""Messages in the layout of Slack and of Microsoft Teams. Plain values in and out.

Everything that came from outside is text there, never markup: a company called <!channel> calls nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from notifications.wording import Fact

# Slack's limits: https://docs.slack.dev/reference/block-kit/blocks
_SLACK_HEADER, _SLACK_SECTION, _SLACK_FIELDS, _SLACK_FIELD = 150, 3000, 10, 2000
_OPEN = "Open in the portal"


def slack_blocks(subject: str, text: str, facts: Sequence[Fact], link: str) -> dict[str, Any]:
    """A header, the text, the facts in two columns, a button. `fallback` is what a phone's banner shows."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": subject[:_SLACK_HEADER], "emoji": False}}
    ]
    if text:
        blocks.append({"type": "section", "text": _mrkdwn(_slack_escape(text)[:_SLACK_SECTION])})
    fields = [_slack_field(fact) for fact in facts if fact.value]
    for start in range(0, len(fields), _SLACK_FIELDS):
        blocks.append({"type": "section", "fields": fields[start : start + _SLACK_FIELDS]})
    if link:
        button = {"type": "button", "text": {"type": "plain_text", "text": _OPEN}, "url": link}
        blocks.append({"type": "actions", "elements": [button]})
    return {"fallback": subject, "blocks": blocks}


def teams_card(subject: str, text: str, facts: Sequence[Fact], link: str) -> dict[str, Any]:
    """An Adaptive Card: heading, text, a set of facts, and a button."""
    body: list[dict[str, Any]] = [
        {
            "type": "TextBlock",
            "text": _teams_escape(subject),
            "size": "Large",
            "weight": "Bolder",
            "wrap": True,
        }
    ]
    if text:
        body.append({"type": "TextBlock", "text": _teams_escape(text), "wrap": True})
    shown = [{"title": fact.label, "value": _teams_escape(fact.value)} for fact in facts if fact.value]
    if shown:
        body.append({"type": "FactSet", "facts": shown})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "msteams": {"width": "full"},
    }
    if link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": _OPEN, "url": link}]
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _slack_field(fact: Fact) -> dict[str, str]:
    return _mrkdwn(f"*{_slack_escape(fact.label)}*\n{_slack_escape(fact.value)}"[:_SLACK_FIELD])


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": text}


def _slack_escape(text: str) -> str:
    """The three characters that Slack gives a meaning: mentions, links and entities begin with them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _teams_escape(text: str) -> str:
    """Cards read a little Markdown: links, emphasis and lists."""
    for character in ("\\", "[", "]", "*", "_", "`"):
        text = text.replace(character, f"\\{character}")
    # A card takes a single line break for a space.
    return text.replace("<", "&lt;").replace("\n", "\n\n")
