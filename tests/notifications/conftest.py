"""Receivers that speak the real protocols: a mail server and a web server on loopback."""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.test import override_settings

from accounts.models import User
from handoff_portal.embedded_postgres import free_port
from notifications.channels import add_channel
from notifications.models import Channel
from tests.factories import NOON


@dataclass
class MailServer:
    """Takes every message, except to addresses it was told to refuse."""

    port: int
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.taken += [(address, message) for address in envelope.rcpt_tos]
        return "250 OK"

    @property
    def subjects(self) -> list[str]:
        return [message["Subject"] for _, message in self.taken]


@contextmanager
def serving(server: MailServer) -> Iterator[None]:
    """Run the server on its port of loopback, and have the portal's mail go there."""
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    smtp = {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend", "EMAIL_HOST": "127.0.0.1"}
    with override_settings(**smtp, EMAIL_PORT=server.port, EMAIL_USE_TLS=False, EMAIL_USE_SSL=False):
        yield
    controller.stop()


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    server = MailServer(free_port())
    with serving(server):
        yield server


@dataclass
class Hook:
    """A web server that keeps what is posted to it, and answers with the status it was told."""

    url: str
    status: int = 200
    taken: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)

    @property
    def titles(self) -> list[str]:
        return [body["title"] for _, _, body in self.taken]


@pytest.fixture
def hook(settings) -> Iterator[Hook]:
    """Only an installation that allows private hosts posts to loopback."""
    settings.NOTIFICATION_PRIVATE_HOSTS = True

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.taken.append((self.path, dict(self.headers), json.loads(body)))
            self.send_response(kept.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok")  # which Slack's webhooks answer, and Apprise looks for

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Hook(f"json://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield kept
    server.shutdown()
    server.server_close()


@pytest.fixture
def channel(hook: Hook, bdr: User) -> Channel:
    """Mara's own, which posts to `hook`."""
    return add_channel(bdr, name="My webhook", address=f"{hook.url}/mara", by=bdr, now=NOON)
