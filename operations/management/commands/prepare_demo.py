from __future__ import annotations

import os
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from leads.models import Lead


class Command(BaseCommand):
    help = "Migrate, collect static files and, into an empty database, load the preset and the demo data."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("sync_schedule")
        call_command("collectstatic", verbosity=0, interactive=False)
        if Lead.objects.exists():
            self.stdout.write("There are leads already: going on with them.")
            return
        # It loads the protocol itself, as of a year ago: scores of the past need a version in force then.
        size = os.environ.get("DEMO_SIZE")
        call_command("seed_demo", *(["--size", size] if size else []))
