"""Reading an address that somebody gave for a channel: a service of the catalogue, safe to post to."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from common.errors import InvalidInput
from notifications.catalogue import TAKES_HEADERS, Service, service_of
from notifications.public_hosts import refuse_private_host

MAX_LENGTH = 1000
# So much is shown of an address, and only if it is a small part of it.
SHOWN = 4
_SHORTEST_TO_SHOW_OF = 24


def read_address(address: str) -> Service:
    """Say which service an address is of. Raises InvalidInput with what to do about it."""
    parts = _take_apart(address)
    service = service_of(str(parts["schema"]))
    if service is None:
        raise _refusal(f"The portal does not send to {parts['schema']}:// addresses. Choose a service below.")
    _refuse_parameters(parts, service)
    if not _can_be_used(address):
        raise _refusal(f"This is no complete address of {service.name}. It looks like {service.example}")
    if not settings.NOTIFICATION_PRIVATE_HOSTS:
        if parts["schema"] in service.plain_schemes:
            raise _refusal(
                f"What is sent names people, so it has to be encrypted on its way: use {parts['schema']}s://"
            )
        if service.is_hosted:
            refuse_private_host(str(parts.get("host") or "").strip("[]"))
    return service


def ending_of(address: str) -> str:
    """The last few characters, to recognise a long address by; nothing of a short one."""
    return address[-SHOWN:] if len(address) >= _SHORTEST_TO_SHOW_OF else ""


def _take_apart(address: str) -> dict[str, Any]:
    from apprise.plugins import url_to_dict

    if len(address) > MAX_LENGTH:
        raise _refusal(f"An address has at most {MAX_LENGTH} characters.")
    if re.search(r"[\x00-\x1f\x7f]", address):
        raise _refusal("An address is one line without control characters.")
    try:
        parts: dict[str, Any] | None = url_to_dict(address)  # type: ignore[no-untyped-call]
    except Exception as error:  # what Apprise's two hundred parsers raise for odd text is theirs to know
        raise _refusal("This address cannot be read.") from error
    if not parts:
        raise _refusal("This is no address the portal knows. Copy the example of a service and fill it in.")
    return parts


def _refuse_parameters(parts: dict[str, Any], service: Service) -> None:
    """Anything may be a parameter of some service: files to read, certificates not to check, redirects."""
    headers = set(parts.get("qsd+") or ()) if parts["schema"] in TAKES_HEADERS else set()
    known = service.parameters | {f"+{name.lower()}" for name in headers}
    unknown = sorted(set(parts.get("qsd") or ()) - known)
    if unknown:
        raise _refusal(f"Leave out “{unknown[0][:40]}”: the portal does not take it for {service.name}.")


def _can_be_used(address: str) -> bool:
    from notifications.by_apprise import open_service

    return open_service(address) is not None


def _refusal(words: str) -> InvalidInput:
    return InvalidInput(words, field="address")
