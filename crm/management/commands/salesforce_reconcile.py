"""Compare the portal with Salesforce, record by record (CRM-9)."""

from __future__ import annotations

import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from crm.budget import may_spend
from crm.client import connected_client
from crm.connection import is_paused
from crm.models import Drift, Lane, Reconciliation
from crm.reconciling import begin_comparison, compare_next_page
from notifications.sealing import CannotUnseal

EXAMPLES = 20
# A worker may have taken the next page: its result is waited for.
SECONDS_BETWEEN = 1.0


class Command(BaseCommand):
    help = (
        "Compare every lead and task with its record in Salesforce, and report what differs and why. Exit "
        "status 1 if a difference is left that nothing explains."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Mend what differs, by the rules of the mapping: send it again, or take it over. Nothing is "
            "deleted.",
        )

    def handle(self, *, repair: bool, **options: Any) -> None:
        try:
            client = connected_client()
        except CannotUnseal as error:
            raise CommandError(str(error)) from None
        if client is None:
            raise CommandError("No Salesforce is connected. Set SALESFORCE_URL, or use the connection page.")
        run = begin_comparison(repairs=repair, by=None, now=timezone.now())
        while run.look_at is not None:
            now = timezone.now()
            if not compare_next_page(client, now=now):
                _say_why_it_waits(run)
                time.sleep(SECONDS_BETWEEN)
            run.refresh_from_db()
        if run.parked_at is not None:
            raise CommandError(f"The comparison stopped: {run.error}")
        self._report(run)
        if run.left:
            sys.exit(1)

    def _report(self, run: Reconciliation) -> None:
        self.stdout.write(
            f"{run.compared:,} records compared, {run.differing:,} differences, {run.mended:,} mended."
        )
        for words, number in run.explained_in_words:
            self.stdout.write(f"  {words}: {number:,}")
        left = Drift.objects.filter(reconciliation=run, is_mended=False).order_by("pk")
        for drift in left[:EXAMPLES]:
            who = f"lead {drift.lead_id}" if drift.lead_id else "no lead"
            what = drift.field or drift.salesforce_id
            self.stdout.write(f"{drift.get_kind_display()}: {who}, {what}. {drift.explanation}")
        if run.left > EXAMPLES:
            self.stdout.write(f"and {run.left - EXAMPLES:,} more; see the page of Salesforce.")


def _say_why_it_waits(run: Reconciliation) -> None:
    """Raises CommandError where waiting would be of no use: the comparison goes on by the clock later."""
    now = timezone.now()
    run.refresh_from_db()
    if run.look_at is None:
        return
    if is_paused(now):
        raise CommandError("Salesforce does not let us in just now. The comparison goes on by itself later.")
    if run.error:
        raise CommandError(f"A page could not be compared ({run.error}). It is tried again by itself.")
    if not may_spend(Lane.LATER, now=now):
        raise CommandError("Our share of the day's calls is used up. The comparison goes on by itself later.")
