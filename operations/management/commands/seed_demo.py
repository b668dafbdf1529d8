"""Fill an empty portal with an invented year that ends now."""

from __future__ import annotations

import os
import secrets
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from leads.models import Lead
from operations.demo.installation import Keys, install_demo
from operations.demo.staff import STAFF


class Command(BaseCommand):
    help = (
        "Fill an empty portal with an invented sales team and a year of its leads, ending now: all or "
        "nothing, and the same for a seed. Password and keys come from DEMO_PASSWORD, DEMO_API_TOKEN and "
        "DEMO_WRITE_KEY, or are made up and printed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=7)
        parser.add_argument("--size", type=_size, default=320, help="People in the story (20 to 20,000).")
        parser.add_argument(
            "--until", type=_moment, default=None, help="When the year ends; now if left out."
        )

    def handle(self, **options: Any) -> None:
        if Lead.objects.exists():
            raise CommandError("This portal holds leads already. The demo is only for an empty one.")
        keys = Keys(
            password=os.environ.get("DEMO_PASSWORD") or secrets.token_urlsafe(12),
            api_token=os.environ.get("DEMO_API_TOKEN") or f"hp_{secrets.token_urlsafe(32)}",
            write_key=os.environ.get("DEMO_WRITE_KEY") or secrets.token_urlsafe(24),
        )
        until = options["until"] or timezone.now()
        with _one_transaction():
            summary = install_demo(keys, seed=options["seed"], size=options["size"], until=until)
        self.stdout.write(
            f"{summary.leads} leads with {summary.activities} activities; {summary.handoffs} handoffs, "
            f"{summary.open_handoffs} of them open."
        )
        self.stdout.write("Users: " + ", ".join(f"{one.username} ({one.role.label})" for one in STAFF))
        if "DEMO_PASSWORD" not in os.environ:
            self.stdout.write(f"Password of all: {keys.password}")
            self.stdout.write(f"API token: {keys.api_token}\nWrite key: {keys.write_key}")


@contextmanager
def _one_transaction() -> Iterator[None]:
    """All or nothing, although some verbs insist on being outermost: so they become savepoints."""
    transaction.set_autocommit(False)
    try:
        with connection.cursor() as cursor:
            # A savepoint per verb makes many subtransactions; nothing else needs to see them before the end.
            cursor.execute("SET LOCAL synchronous_commit TO off")
        yield
        transaction.commit()
    finally:
        transaction.rollback()
        transaction.set_autocommit(True)


def _size(text: str) -> int:
    size = int(text)
    if not 20 <= size <= 20_000:
        raise ValueError
    return size


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        raise ValueError
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
