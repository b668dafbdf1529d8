"""Templates, placeholders and the layouts of Slack and Teams; plain values."""

from __future__ import annotations

import json

import pytest

from notifications.layouts import slack_blocks, teams_card
from notifications.models import Notification
from notifications.wording import (
    KINDS_ABOUT_A_LEAD,
    SHIPPED,
    Fact,
    Letter,
    Words,
    lead_text,
    placeholders_of,
    sample_letter,
    unknown_placeholders,
    word_message,
)

FACTS = (Fact("company", "Company", "Nordwind"), Fact("score", "Score", "78"), Fact("trigger", "Why", ""))
LETTER = Letter("New lead", "Category A", "https://portal.example/handoffs/7/", FACTS, "Mara")


def test_the_shipped_words_say_all_there_is() -> None:
    assert word_message(SHIPPED, LETTER) == Words(
        "New lead", "Category A\n\nCompany: Nordwind\nScore: 78\n\nhttps://portal.example/handoffs/7/"
    )


def test_what_is_missing_leaves_no_hole() -> None:
    assert word_message(SHIPPED, Letter("New lead", link="https://x.example/")).text == "https://x.example/"
    assert word_message(Words("{lead} of {company}", "{message}"), LETTER).subject == "– of Nordwind"


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("Hello {recipient}: {company}, {score}", "Hello Mara: Nordwind, 78"),
        ("{ company } {Company} {} {{company}}", "{ company } {Company} {} {Nordwind}"),
        ("{nonsense}", "{nonsense}"),
        ("a\r\n\r\n\r\n\r\nb", "a\n\nb"),
    ],
)
def test_only_known_names_are_filled_in(template: str, filled: str) -> None:
    assert word_message(Words("x", template), LETTER).text == filled


def test_what_is_filled_in_is_never_read_as_a_placeholder() -> None:
    letter = Letter(
        "{score}", facts=[Fact("company", "Company", "{recipient}"), *FACTS[1:]], recipient="Mara"
    )

    assert word_message(Words("{title}", "{company}"), letter) == Words("{score}", "{recipient}")


def test_a_subject_is_one_line() -> None:
    words = word_message(SHIPPED, Letter("New lead\r\nBcc: all@portal.example"))

    assert words.subject == "New lead Bcc: all@portal.example"


def test_placeholders_that_nothing_fills_in_are_named() -> None:
    assert unknown_placeholders("{company} {compny} {title} {compny}", "handoff") == ["{compny}"]
    assert unknown_placeholders("{company}", "scoring") == ["{company}"]


def test_every_placeholder_of_a_sample_is_filled_in() -> None:
    assert set(Notification.Kind.values) >= KINDS_ABOUT_A_LEAD
    for kind in Notification.Kind.values:
        text = "\n".join(f"{{{name}}}" for name in placeholders_of(kind))

        filled = word_message(Words("x", text), sample_letter(kind, "Mara", "https://portal.example/")).text

        assert "{" not in filled
        assert "–" not in filled


# --- Layouts ------------------------------------------------------------------------------------


def test_slack_gets_a_header_facts_in_columns_and_a_button() -> None:
    content = slack_blocks("New lead", lead_text(SHIPPED, LETTER), FACTS, LETTER.link)

    header, text, facts, actions = content["blocks"]
    assert content["fallback"] == header["text"]["text"] == "New lead"
    assert text["text"] == {"type": "mrkdwn", "text": "Category A"}
    assert [field["text"] for field in facts["fields"]] == ["*Company*\nNordwind", "*Score*\n78"]
    assert actions["elements"][0]["url"] == LETTER.link


def test_slack_keeps_its_limits_and_mentions_nobody() -> None:
    facts = [Fact(f"f{n}", "Company", "<!channel> & <@U1>" * 200) for n in range(23)]

    blocks = slack_blocks("s" * 300, "t" * 9000, facts, "")["blocks"]

    assert len(blocks[0]["text"]["text"]) == 150
    assert len(blocks[1]["text"]["text"]) == 3000
    assert [len(block["fields"]) for block in blocks[2:]] == [10, 10, 3]
    assert "<" not in json.dumps(blocks)
    assert max(len(field["text"]) for field in blocks[2]["fields"]) == 2000


def test_teams_gets_a_card_with_facts_and_a_button() -> None:
    card = teams_card("New lead", lead_text(SHIPPED, LETTER), FACTS, LETTER.link)

    content = card["attachments"][0]["content"]
    heading, text, facts = content["body"]
    assert (heading["text"], text["text"]) == ("New lead", "Category A")
    assert facts["facts"] == [{"title": "Company", "value": "Nordwind"}, {"title": "Score", "value": "78"}]
    assert content["actions"][0]["url"] == LETTER.link


def test_markup_in_a_name_stays_a_name_on_teams() -> None:
    card = teams_card("[x](https://evil.example)", "", [Fact("company", "Company", "*<at>all</at>*")], "")

    body = card["attachments"][0]["content"]["body"]
    assert body[0]["text"] == "\\[x\\](https://evil.example)"
    assert body[1]["facts"][0]["value"] == "\\*&lt;at>all&lt;/at>\\*"
