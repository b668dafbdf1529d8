"""Run the Salesforce stand-in, for the demo and for trying things out."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from crm.standin.schema import GROUP
from crm.standin.server import StandIn
from handoffs.models import Pool


class Command(BaseCommand):
    help = "Run a local stand-in of Salesforce's REST API, with pages that show what it received."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8090, help="Port on the loopback address (8090).")
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on.")
        parser.add_argument("--state", type=Path, help="File that keeps the records; var/standin.sqlite3.")
        parser.add_argument(
            "--token-minutes", type=int, default=120, help="Access tokens expire after so many minutes (120)."
        )
        parser.add_argument(
            "--daily-limit", type=int, default=15_000, help="API calls that a day allows (15000)."
        )
        parser.add_argument(
            "--without-people",
            action="store_true",
            help="Do not add the portal's BDRs as Salesforce users, and its pools as queues.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        # So that `kill` ends it like Ctrl-C does, with the file closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        standin = set_up_standin(options)
        self.stdout.write(f"Salesforce stand-in at {standin.base_url}")
        try:
            standin.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            standin.close()


def set_up_standin(options: Mapping[str, Any]) -> StandIn:
    """An org that knows the portal's app as the settings name it, by secret or by key, and its people."""
    if not settings.SALESFORCE_CLIENT_ID or not (
        settings.SALESFORCE_CLIENT_SECRET or settings.SALESFORCE_PRIVATE_KEY
    ):
        raise CommandError(
            "Set SALESFORCE_CLIENT_ID, and SALESFORCE_CLIENT_SECRET or SALESFORCE_PRIVATE_KEY: "
            "the stand-in accepts just these."
        )
    standin = StandIn(
        client_id=settings.SALESFORCE_CLIENT_ID,
        client_secret=settings.SALESFORCE_CLIENT_SECRET,
        host=options["host"],
        port=options["port"],
        state=options["state"] or settings.BASE_DIR / "var" / "standin.sqlite3",
        token_lifetime=timedelta(minutes=options["token_minutes"]),
        daily_limit=options["daily_limit"],
    )
    if settings.SALESFORCE_PRIVATE_KEY:
        users = {settings.SALESFORCE_USERNAME: standin.org.integration_user_id}
        standin.tokens.trust(_public_half(settings.SALESFORCE_PRIVATE_KEY), users=users)
    if not options["without_people"]:
        add_people(standin)
    return standin


def add_people(standin: StandIn) -> None:
    """Add the BDRs of the portal as users and its pools as queues, those that are not there yet."""
    for user in User.objects.filter(role=User.Role.BDR, is_active=True).exclude(email=""):
        standin.org.add_user(user.first_name, user.last_name or user.username, user.email)
    for pool in Pool.objects.order_by("pk"):
        if not standin.store.find(GROUP.name, "Name", pool.name):
            standin.org.add_queue(pool.name)


def _public_half(private_key: str) -> str:
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (TypeError, ValueError):
        raise CommandError("SALESFORCE_PRIVATE_KEY must be an unencrypted private key in PEM.") from None
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
