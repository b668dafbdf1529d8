"""HTTP: requests off the wire, replies onto it, and connections that are cut."""

from __future__ import annotations

import logging
import socket
import struct
import sys
from datetime import UTC
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from .errors import ApiError
from .messages import Reply, Request

if TYPE_CHECKING:
    from .server import StandIn

log = logging.getLogger("salesforce.standin")

MAX_BODY = 160 * 1024 * 1024
# A query this long belongs into several.
MAX_ADDRESS = 16_384
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
# The pages load nothing but their own stylesheet.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"


class CutConnection(Exception):
    """The connection is to be reset without an answer."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when a test's threads all arrive at once.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], standin: StandIn) -> None:
        self.standin = standin
        super().__init__(address, Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is everyday; http.server would print a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            log.exception("The stand-in could not serve %s", client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "SalesforceStandIn"
    sys_version = ""
    # Head and body leave in one packet; without both, each answer waits for a delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def _answer(self) -> None:
        announced = self.headers.get("Content-Length") or "0"
        length = int(announced) if announced.isdecimal() else MAX_BODY + 1
        if length > MAX_BODY:
            self.close_connection = True
            self._send(Reply(413, "The body is too large.\n", PLAIN))
            return
        if len(self.path) > MAX_ADDRESS:
            self._send(Reply(414, "<html><h1>URI Too Long</h1></html>", HTML))
            return
        parts = urlsplit(self.path)
        request = Request(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        try:
            reply = self._answer_to(request)
        except CutConnection:
            self._reset()
        else:
            self._send(reply)

    def _answer_to(self, request: Request) -> Reply:
        standin = self.server.standin
        try:
            return standin.answer(request)
        except CutConnection:
            raise
        except Exception as error:
            if standin.is_stopping:
                raise CutConnection from error
            # A mistake of the stand-in's own must not pass for a fault of the network.
            log.exception("The stand-in failed at %s %s", request.method, request.path)
            return Reply(500, ApiError(500, "UNKNOWN_EXCEPTION", "The stand-in itself has failed").as_rest())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _send(self, reply: Reply) -> None:
        payload = reply.payload
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if payload:
            self.send_header("Content-Type", reply.content_type)
        if reply.content_type == HTML:
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if reply.status not in (204, 304):
            self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _reset(self) -> None:
        # Linger 0 makes close() send RST: the client sees "connection reset", not an orderly end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header, by the org's clock: clients take the upper end of a poll from it."""
        return format_datetime(self.server.standin.org.clock().astimezone(UTC), usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: the page shows the traffic."""
