"""Send living traffic to a portal over its public HTTP API, until stopped."""

from __future__ import annotations

import os
import random
import signal
import threading
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.demo.portal_client import PortalClient, PortalRefused
from operations.demo.traffic import Pace, Traffic


class Command(BaseCommand):
    help = (
        "Play visitors of the demo website against a running portal: every few seconds somebody does "
        "something, every minute or two somebody asks for a demo. Waits while the portal is away; "
        "stops on TERM or Ctrl-C."
    )
    # It only speaks HTTP: the database need not be there.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", default=os.environ.get("PORTAL_URL", "http://localhost:8000"))
        parser.add_argument("--token", default=os.environ.get("DEMO_API_TOKEN", ""))
        parser.add_argument("--write-key", default=os.environ.get("DEMO_WRITE_KEY", ""))
        parser.add_argument("--every", type=_seconds, default=4.0, help="Seconds between two acts (mean).")
        parser.add_argument(
            "--newcomer-every", type=_seconds, default=80.0, help="Seconds between two demo requests."
        )
        parser.add_argument("--most-newcomers", type=int, default=150, help="Then nobody new asks any more.")
        parser.add_argument("--most-acts", type=int, default=20_000, help="Then it ends by itself.")

    def handle(self, **options: Any) -> None:
        if not options["token"] or not options["write_key"]:
            raise CommandError("Give --token and --write-key, or set DEMO_API_TOKEN and DEMO_WRITE_KEY.")
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        portal = PortalClient(
            options["url"],
            token=options["token"],
            write_key=options["write_key"],
            wait=stop.wait,
            say=self._say,
        )
        pace = Pace(
            act_every=options["every"],
            newcomer_every=options["newcomer_every"],
            most_newcomers=options["most_newcomers"],
            most_acts=options["most_acts"],
        )
        try:
            acts = Traffic(portal, rng=random.Random(), pace=pace, wait=stop.wait, say=self._say).run()
        except PortalRefused as refusal:
            raise CommandError(f"The portal does not take these keys: {refusal}") from refusal
        self._say(f"Stopped after {acts} acts.")

    def _say(self, words: str) -> None:
        self.stdout.write(f"{datetime.now():%H:%M:%S} {words}")
        self.stdout.flush()


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0.01 <= seconds <= 86_400:
        raise ValueError
    return seconds
