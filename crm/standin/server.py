"""The stand-in as a whole: the org, the calls, the faults that strike them, and the pages that show it."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from .administration import PREFIX as ADMINISTRATION
from .administration import administer
from .api import Api
from .bulk import IngestDesk
from .faults import Fault, FaultBoard
from .messages import Reply, Request
from .oauth import TokenDesk
from .org import Org
from .pages.site import Site
from .sockets import HTML, PLAIN, CutConnection, Server
from .store import Store
from .traffic import TrafficLog
from .usage import UsageMeter

MAINTENANCE_PAGE = "<html><head><title>We are down for maintenance</title></head><body>Sorry.</body></html>"


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
        faults: FaultBoard | None = None,
    ) -> None:
        """`state` is the file that a restart goes on from; a board of `faults` may outlive one, too."""
        self.store = Store(state)
        self.org = Org(self.store, clock=clock)
        self.tokens = TokenDesk(
            self.org, client_id=client_id, client_secret=client_secret, lifetime=token_lifetime
        )
        self.usage = UsageMeter(self.store, clock, daily_limit=daily_limit)
        instance_url = f"https://{my_domain}.salesforce.com"
        self.faults = faults or FaultBoard()
        self.ingest = IngestDesk(self.org, self.faults)
        self.api = Api(
            self.org,
            self.tokens,
            self.usage,
            self.ingest,
            self.faults,
            page_size=page_size,
            instance_url=instance_url,
        )
        self.traffic = TrafficLog()
        self.site = Site(self)
        self._stopping = threading.Event()
        self._server = Server((host, port), self)
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

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def close(self) -> None:
        self._stopping.set()
        self._server.server_close()
        self.ingest.runner.close()
        self.store.close()

    def reset(self, *, seed: int = 0) -> None:
        """As if just set up: no record, job or fault, nothing used, everybody logged out."""
        self.ingest.runner.close()
        self.org.reset(seed=seed)
        self.ingest = IngestDesk(self.org, self.faults)
        self.api.reset(self.ingest)
        self.tokens.trust("", users={})
        self.faults.reset(seed=seed)
        self.usage.reset()
        self.traffic.clear()

    def answer(self, request: Request) -> Reply:
        """Answer one request, with whatever fault is due. Raises CutConnection."""
        if request.path.startswith(ADMINISTRATION):
            return administer(self, request) if _is_from_here(request) else _from_elsewhere()
        if not request.path.startswith("/services/"):
            return self._own_pages(request)
        began = time.perf_counter()
        operation = self.api.operation(request)
        fault = self.faults.draw(operation)
        reply, was_cut = None, True
        try:
            reply = self._strike(fault, request)
            was_cut = fault is not None and fault.kind == "reset_after"
        finally:
            self.traffic.note(
                request,
                reply,
                operation=operation,
                at=self.org.clock(),
                milliseconds=round((time.perf_counter() - began) * 1000),
                fault=fault.kind if fault else "",
                was_cut=was_cut,
            )
        if was_cut:
            raise CutConnection
        return reply

    def _strike(self, fault: Fault | None, request: Request) -> Reply:
        if fault is None:
            return self.api.handle(request)
        match fault.kind:
            case "error":
                headers = {"Sforce-Limit-Info": self.usage.header}
                return Reply(fault.status, fault.error().as_rest(), headers=headers)
            case "html":
                return Reply(fault.status, MAINTENANCE_PAGE, HTML)
            case "empty":
                return Reply(fault.status)
            case "reset":
                raise CutConnection
            case "expire":
                self.tokens.revoke()
            case "slow":
                # Not sleep: stopping the server must not wait for a slow answer.
                self._stopping.wait(fault.seconds)
            case "row":
                return self.api.handle(replace(request, row_fault=fault))
        return self.api.handle(request)

    def _own_pages(self, request: Request) -> Reply:
        if request.path == "/healthz":
            return Reply(200, "ok\n", PLAIN)
        if request.method == "POST" and not _is_from_here(request):
            return _from_elsewhere()
        return self.site.answer(request)


def _is_from_here(request: Request) -> bool:
    """Whether no other site sent the visitor's browser."""
    origin = request.headers.get("origin")
    return not origin or urlsplit(origin).netloc == request.headers.get("host")


def _from_elsewhere() -> Reply:
    return Reply(403, "Change records from this server's own page.\n", PLAIN)
