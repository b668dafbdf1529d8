from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from operations.cluster import Guard, run_cluster


class Command(BaseCommand):
    help = "Do background work and drive the schedule, until TERM or Ctrl-C. Any number may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--cluster", metavar="NAME", default="", help="Be the guarded cluster (used internally)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster"]:
            sys.exit(run_cluster(options["cluster"]))
        Guard().run()
