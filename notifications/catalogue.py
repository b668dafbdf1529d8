"""The services a channel may use. Plain values.

Apprise knows some two hundred. Some run programs, write files or speak to the machine itself, and parameters
of others name files to be read; so only these are open, with these parameters.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

_TO = frozenset({"to"})
_FROM_TO = frozenset({"from", "to"})


@dataclass(frozen=True)
class Service:
    """One service: the schemes of its addresses, what else an address may say, and an example to copy."""

    name: str
    schemes: Collection[str]
    example: str
    hint: str = ""
    parameters: frozenset[str] = frozenset()
    # The address names the host that is posted to, so it could be one of our own network.
    is_hosted: bool = False
    # Without TLS: for one's own network only.
    plain_schemes: frozenset[str] = frozenset()


SERVICES = (
    Service(
        "Slack",
        ("slack",),
        "https://hooks.slack.com/services/T0000/B0000/xxxxxxxx",
        "In Slack, add an incoming webhook to the channel and paste its address here.",
        _TO,
    ),
    Service(
        "Microsoft Teams",
        ("workflow", "workflows"),
        "https://….logic.azure.com/workflows/…/triggers/manual/paths/invoke?…",
        "In Teams, add the workflow “Post to a channel when a webhook request is received” and paste its "
        "address here.",
        frozenset({"api-version", "sp", "sv", "sig", "id", "pa", "route"}),
        is_hosted=True,
    ),
    Service("Google Chat", ("gchat",), "gchat://workspace/key/token", parameters=frozenset({"key", "token"})),
    Service("Discord", ("discord",), "https://discord.com/api/webhooks/…/…"),
    Service("Telegram", ("tgram",), "tgram://bot-token/chat-id", parameters=_TO),
    Service("Webex", ("webex", "wxteams"), "wxteams://token", parameters=_TO),
    Service("Zulip", ("zulip",), "zulip://bot@organisation/token/channel", parameters=_TO),
    Service(
        "Mattermost",
        ("mmosts", "mmost"),
        "mmosts://chat.company.example/token",
        parameters=frozenset({"channel", "channels", "to"}),
        is_hosted=True,
        plain_schemes=frozenset({"mmost"}),
    ),
    Service(
        "Rocket.Chat",
        ("rockets", "rocket"),
        "rockets://token-a/token-b@chat.company.example/#channel",
        parameters=frozenset({"to", "mode"}),
        is_hosted=True,
        plain_schemes=frozenset({"rocket"}),
    ),
    Service(
        "ntfy",
        ("ntfys", "ntfy"),
        "ntfys://ntfy.company.example/topic",
        parameters=frozenset({"to", "token", "priority", "mode"}),
        is_hosted=True,
        plain_schemes=frozenset({"ntfy"}),
    ),
    Service(
        "Gotify",
        ("gotifys", "gotify"),
        "gotifys://push.company.example/token",
        parameters=frozenset({"priority"}),
        is_hosted=True,
        plain_schemes=frozenset({"gotify"}),
    ),
    Service("Pushover", ("pover",), "pover://user-key@token", parameters=frozenset({"to", "priority"})),
    Service(
        "SMS by Twilio",
        ("twilio",),
        "twilio://account-sid:auth-token@+491700000000/+491711111111",
        "Sender’s number first, then the number to be reached.",
        _FROM_TO,
    ),
    Service("SMS by Vonage", ("vonage", "nexmo"), "vonage://key:secret@sender/+491711111111", "", _FROM_TO),
    Service("SMS by Bird", ("msgbird",), "msgbird://key/+491700000000/+491711111111", "", _FROM_TO),
    Service("SMS by ClickSend", ("clicksend",), "clicksend://user:key@+491711111111", "", _TO),
    Service(
        "SMS by Sinch",
        ("sinch",),
        "sinch://plan:token@+491700000000/+491711111111",
        "",
        _FROM_TO | {"region"},
    ),
    Service("SMS by BulkSMS", ("bulksms",), "bulksms://id:secret@+491711111111", "", _FROM_TO),
    Service("PagerDuty", ("pagerduty",), "pagerduty://integration-key@api-key", "", frozenset({"region"})),
    Service("Opsgenie", ("opsgenie",), "opsgenie://api-key", "", frozenset({"region", "priority"})),
    Service(
        "Webhook (JSON)",
        ("jsons", "json"),
        "jsons://hooks.company.example/path",
        "Posts title and message as JSON. “?+Authorization=…” sends a header along.",
        is_hosted=True,
        plain_schemes=frozenset({"json"}),
    ),
    Service(
        "Webhook (form)",
        ("forms", "form"),
        "forms://hooks.company.example/path",
        "Posts title and message as a form.",
        is_hosted=True,
        plain_schemes=frozenset({"form"}),
    ),
)
_BY_SCHEME = {scheme: service for service in SERVICES for scheme in service.schemes}
# Only these take headers from their address; for others the same marks fill in templates of files.
TAKES_HEADERS = frozenset({"json", "jsons", "form", "forms"})


def service_of(scheme: str) -> Service | None:
    return _BY_SCHEME.get(scheme)
