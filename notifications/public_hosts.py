"""Keeps channels from reaching into one's own network: an address is somebody's wish, our server obeys it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from common.errors import InvalidInput

_only_public: ContextVar[bool] = ContextVar("only_public", default=False)
_is_guarded = False


class HostNotPublic(InvalidInput):
    """The host is, or turned out to be, in a private network."""

    def __init__(self) -> None:
        super().__init__(
            "Channels may not post into the portal’s own network. Use a public host, or ask an operator to "
            "set NOTIFICATION_PRIVATE_HOSTS.",
            field="address",
        )


def refuse_private_host(host: str) -> None:
    """Raise HostNotPublic if any of the host's addresses is private.

    A name that nobody knows just now is let through: what counts is checked when it is connected to.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return
    _refuse_private(str(where[4][0]) for where in found)


@contextmanager
def public_hosts_only() -> Iterator[None]:
    """Within it, HTTP connections of this thread to private addresses raise HostNotPublic.

    The check is made on the address that is then connected to: a name that answers differently the second
    time gains nothing, nor does a redirect.
    """
    _guard_connections()
    token = _only_public.set(True)
    try:
        yield
    finally:
        _only_public.reset(token)


def _guard_connections() -> None:
    """Wrap the one function by which urllib3 opens sockets, for requests and so for Apprise.

    Inert outside of the above. There is no other hook: Apprise makes its sessions itself.
    """
    global _is_guarded
    if _is_guarded:
        return
    from urllib3.util import connection

    connect = connection.create_connection

    def create_connection(address: tuple[str, int], *args: Any, **kwargs: Any) -> socket.socket:
        made = connect(address, *args, **kwargs)
        if _only_public.get():
            try:
                _refuse_private([str(made.getpeername()[0])])
            except HostNotPublic:
                made.close()  # before a byte was sent
                raise
        return made

    connection.create_connection = create_connection
    _is_guarded = True


def _refuse_private(addresses: Any) -> None:
    for address in addresses:
        ip = ipaddress.ip_address(address.partition("%")[0])
        mapped = getattr(ip, "ipv4_mapped", None)
        if not (mapped or ip).is_global or ip.is_multicast:
            raise HostNotPublic
