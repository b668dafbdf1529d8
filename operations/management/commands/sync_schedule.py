from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.module_loading import import_string

from operations.schedule import sync_schedule


class Command(BaseCommand):
    help = "Make the periodic tasks equal handoff_portal/schedule.py. Run it at every deploy, after migrate."

    def handle(self, *args: Any, **options: Any) -> None:
        entries = import_string(settings.SCHEDULE)
        sync_schedule(entries, now=timezone.now())
        self.stdout.write(f"{len(entries)} periodic tasks.")
