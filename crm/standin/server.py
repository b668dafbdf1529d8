"""The HTTP server: sockets, faults, and the page that shows what was received."""

import json
import re
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from .api import Api
from .bulk import IngestDesk
from .errors import ApiError
from .faults import Fault, FaultBoard, parse_fault
from .messages import Reply, Request
from .oauth import TokenDesk
from .org import Org
from .page import CHANGE_PATH, STYLE_PATH, change_lead, page, stylesheet
from .store import Store
from .usage import UsageMeter

MAX_BODY = 160 * 1024 * 1024
TRAFFIC_KEPT = 200
HTML = "text/html; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
MAINTENANCE_PAGE = "<html><head><title>We are down for maintenance</title></head><body>Sorry.</body></html>"
# The page loads nothing but its own stylesheet.
CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"


@dataclass(frozen=True)
class Exchange:
    """One request as the traffic list shows it; bodies and tokens are not kept."""

    at: datetime
    method: str
    path: str
    operation: str
    status: int
    milliseconds: int
    note: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class CutConnection(Exception):
    """The connection is to be reset without an answer."""


class StandIn:
    """A Salesforce org on a local port. Use as a context manager, or `serve_forever()`."""

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        host: str = "127.0.0.1",
        port: int = 0,
        state: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        token_lifetime: timedelta = timedelta(hours=2),
        daily_limit: int = 15_000,
        page_size: int = 2_000,
        my_domain: str = "handoff-standin.my",
    ) -> None:
        self.store = Store(state)
        self.org = Org(self.store, clock=clock)
        self.tokens = TokenDesk(
            self.org, client_id=client_id, client_secret=client_secret, lifetime=token_lifetime
        )
        self.usage = UsageMeter(clock, daily_limit=daily_limit)
        instance_url = f"https://{my_domain}.salesforce.com"
        self.faults = FaultBoard()
        self.ingest = IngestDesk(self.org, self.faults)
        self.api = Api(
            self.org, self.tokens, self.usage, self.ingest, page_size=page_size, instance_url=instance_url
        )
        self.traffic: deque[Exchange] = deque(maxlen=TRAFFIC_KEPT)
        self._stopping = threading.Event()
        self._server = _Server((host, port), self)
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        if self._thread is not None:
            self._thread.join()
        self.close()

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def close(self) -> None:
        self._server.server_close()
        self.ingest.runner.close()
        self.store.close()

    def answer(self, request: Request) -> Reply:
        """Answer one request, with whatever fault is due. Raises CutConnection."""
        if not request.path.startswith("/services/"):
            return self._own_pages(request)
        began = time.perf_counter()
        operation = self.api.operation(request)
        fault = self.faults.draw(operation)
        note = fault.kind if fault else ""
        status = 0
        try:
            reply = self._strike(fault, request)
            status = reply.status
            if fault and fault.kind == "reset_after":
                raise CutConnection
        finally:
            took = round((time.perf_counter() - began) * 1000)
            self._note(request, operation, status, took, note)
        return reply

    def _strike(self, fault: Fault | None, request: Request) -> Reply:
        match fault.kind if fault else None:
            case "error":
                assert fault is not None
                headers = {"Sforce-Limit-Info": self.usage.header}
                return Reply(fault.status, fault.error().as_rest(), headers=headers)
            case "html":
                assert fault is not None
                return Reply(fault.status, MAINTENANCE_PAGE, HTML)
            case "reset":
                raise CutConnection
            case "expire":
                self.tokens.revoke()
            case "slow":
                assert fault is not None
                # Not sleep: stopping the server must not wait for a slow answer.
                self._stopping.wait(fault.seconds)
            case "row":
                return self.api.handle(replace(request, row_fault=fault))
        return self.api.handle(request)

    def _note(self, request: Request, operation: str, status: int, took: int, note: str) -> None:
        sforce = tuple((name, value) for name, value in request.headers.items() if name.startswith("sforce-"))
        at = self.org.clock()
        self.traffic.append(Exchange(at, request.method, request.path, operation, status, took, note, sforce))

    def _own_pages(self, request: Request) -> Reply:
        pages: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("GET", "/"): lambda asked: Reply(200, page(self, asked.query), HTML),
            ("GET", STYLE_PATH): lambda _: Reply(200, stylesheet(), "text/css; charset=utf-8"),
            ("GET", "/healthz"): lambda _: Reply(200, "ok\n", PLAIN),
            ("POST", CHANGE_PATH): self._change_lead,
            ("GET", "/faults"): lambda _: Reply(200, self.faults.waiting()),
            ("POST", "/faults"): self._add_fault,
            ("DELETE", "/faults"): self._clear_faults,
        }
        if request.method == "GET" and re.fullmatch(r"/00[QT]\w{15}", request.path):
            # Where Salesforce shows a record; here all are on one page.
            return Reply(303, headers={"Location": f"/#record-{request.path[1:]}"})
        serve = pages.get((request.method, request.path))
        return serve(request) if serve else Reply(404, "There is no such page.\n", PLAIN)

    def _change_lead(self, request: Request) -> Reply:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            return Reply(403, "Change leads from this server's own page.\n", PLAIN)
        try:
            location = change_lead(self, request.form())
        except ApiError as error:
            return Reply(error.status, page(self, request.query, refusal=error.message), HTML)
        return Reply(303, headers={"Location": location})

    def _clear_faults(self, request: Request) -> Reply:
        self.faults.clear()
        return Reply(204)

    def _add_fault(self, request: Request) -> Reply:
        try:
            self.faults.add(parse_fault(request.json(dict)))
        except ApiError as error:
            return Reply(error.status, error.as_rest())
        except ValueError as error:
            return Reply(400, {"error": str(error)})
        return Reply(201, self.faults.waiting())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # The default of 5 refuses connections when a test's threads all arrive at once.
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], standin: StandIn) -> None:
        self.standin = standin
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is everyday; http.server would print a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "SalesforceStandIn"
    sys_version = ""
    # Head and body leave in one packet; without both, each answer waits for a delayed acknowledgement.
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY:
            self.close_connection = True
            self._send(Reply(413, "The body is too large.\n", PLAIN))
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
            self._send(self.server.standin.answer(request))
        except CutConnection:
            self._reset()

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _send(self, reply: Reply) -> None:
        if reply.body is None:
            payload = b""
        elif isinstance(reply.body, str) and not reply.content_type.startswith("application/json"):
            payload = reply.body.encode()
        else:
            payload = json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if payload:
            self.send_header("Content-Type", reply.content_type)
        if reply.content_type == HTML:
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        if reply.status != 204:
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
