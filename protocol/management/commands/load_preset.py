"""Load a protocol preset: scoring, service levels, rejection reasons, playbooks and the gate to SQL."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import DomainError
from protocol.presets import PRESETS
from protocol.services import load_preset


class Command(BaseCommand):
    help = "Load a protocol preset and say what it changes. Loading it again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=sorted(PRESETS))
        parser.add_argument("--dry-run", action="store_true", help="Only say what would change.")

    def handle(self, **options: Any) -> None:
        name: str = options["name"]
        try:
            plan = load_preset(name, by=None, now=timezone.now(), dry_run=options["dry_run"])
        except DomainError as error:
            raise CommandError(str(error)) from error
        if not plan:
            self.stdout.write(f"The protocol is as the preset “{name}” says. Nothing to change.")
            return
        self.stdout.write(f"{PRESETS[name].summary}\n")
        for sentence in plan:
            self.stdout.write(f"- {sentence}")
        self.stdout.write("\nNothing was changed: dry run." if options["dry_run"] else "\nLoaded.")
