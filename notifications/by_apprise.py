"""Posts one message to one address through Apprise, which knows the services.

Apprise is loaded when the first message is sent: it takes half a second, which the web server seldom needs.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.conf import settings

from notifications.layouts import slack_blocks, teams_card
from notifications.outcomes import NotDelivered
from notifications.public_hosts import HostNotPublic, public_hosts_only
from notifications.wording import Fact, Words

if TYPE_CHECKING:
    from apprise import NotifyBase

_STATUS = re.compile(r"error=(\d{3})")
# Answers that another try will not change: the address is wrong, revoked or gone.
_FINAL = frozenset({400, 401, 403, 404, 405, 410})


def post_to_address(
    address: str, words: Words, *, lead: str, facts: Sequence[Fact], link: str, reference: str
) -> None:
    """Post a message; `words` as plain text, `lead`, facts and link where the service has a layout.

    `reference` is the same whenever this message is tried again; webhooks get it as their Idempotency-Key.
    Raises NotDelivered.
    """
    from apprise.logger import LogCapture

    service = open_service(address)
    if service is None:
        raise NotDelivered("The address is no longer understood. Enter it again.", is_final=True)
    _prepare(service, words, lead=lead, facts=facts, link=link, reference=reference)
    guard = nullcontext() if settings.NOTIFICATION_PRIVATE_HOSTS else public_hosts_only()
    capture = LogCapture(level=logging.WARNING, fmt="%(message)s")  # type: ignore[no-untyped-call]
    with capture as said, guard:
        try:
            arrived = service.notify(title=words.subject, body=words.text, body_format="text")
        except HostNotPublic as error:
            raise NotDelivered(str(error), is_final=True) from error
        except Exception as error:  # a plug-in that stumbles over an odd answer is an answer too
            raise NotDelivered(f"The service could not be reached ({type(error).__name__}).") from error
    if not arrived:
        raise _failure(said.getvalue())


def open_service(address: str) -> NotifyBase | None:
    """The sender of an address; None if Apprise cannot make one of it."""
    from apprise import Apprise, AppriseAsset

    # Nothing is stored, no picture is fetched from elsewhere, and no redirect leads to another host.
    asset = AppriseAsset(
        app_id="Handoff Portal",
        app_desc="Handoff Portal",
        app_url=settings.PORTAL_URL,
        image_url_mask="",
        image_url_logo="",
        http_redirects=False,
        storage_mode="memory",
    )
    return Apprise.instantiate(address, asset=asset, suppress_exceptions=True)


def _prepare(
    service: NotifyBase, words: Words, *, lead: str, facts: Sequence[Fact], link: str, reference: str
) -> None:
    """Give Slack and Teams their own layout: Apprise asks `gen_payload` for it where there is a template."""
    from apprise.plugins.custom_json import NotifyJSON
    from apprise.plugins.slack import NotifySlack
    from apprise.plugins.workflows import NotifyWorkflows

    sender: Any = service
    if isinstance(service, NotifySlack):
        sender.use_blocks = sender.template = True
        sender.gen_payload = lambda *args, **kwargs: slack_blocks(words.subject, lead, facts, link)
    elif isinstance(service, NotifyWorkflows):
        sender.gen_payload = lambda *args, **kwargs: teams_card(words.subject, lead, facts, link)
    elif isinstance(service, NotifyJSON):
        sender.headers["Idempotency-Key"] = reference


def _failure(said: str) -> NotDelivered:
    """What went wrong, in our words: Apprise's own name hosts and may hold more."""
    status = _STATUS.search(said)
    if status is None:
        return NotDelivered("The service could not be reached.")
    code = int(status[1])
    if code in _FINAL:
        return NotDelivered(
            f"The service refused it (status {code}). Is the address still right?", is_final=True
        )
    return NotDelivered(f"The service answered with status {code}.")
