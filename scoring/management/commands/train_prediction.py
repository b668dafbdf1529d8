"""Train a prediction on our own outcomes, or run the same pipeline on a foreign table (SCORE-12).

Without a file the candidate is kept, to be looked at and promoted on /scoring/prediction/. With one nothing
is kept: the report is printed as JSON, to be held against published figures. Exits with 2 where nothing sound
can be learnt.
"""

from __future__ import annotations

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import DomainError
from scoring.prediction.candidates import train_candidate
from scoring.prediction.examples import Goal
from scoring.prediction.reading import Wanted, read_table


class Command(BaseCommand):
    help = "Train a prediction on our outcomes, or run the same pipeline on a CSV file and print its report."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--goal",
            choices=Goal.values,
            default=Goal.SQL.value,
            help="What counts as success at home (default: sql).",
        )
        parser.add_argument(
            "--from-csv", metavar="FILE", help="A foreign table, with the names of columns first."
        )
        parser.add_argument(
            "--target", metavar="COLUMN", help="The outcome: 0/1, yes/no, true/false or words."
        )
        parser.add_argument("--positive", metavar="VALUE", default="", help="The word that means success.")
        parser.add_argument(
            "--time",
            metavar="COLUMN",
            default="",
            help="When the row became known: the later rows are kept for the test.",
        )
        parser.add_argument(
            "--exclude",
            metavar="A,B",
            action="append",
            default=[],
            help="Columns to leave out, above all those known only after the outcome. May be repeated.",
        )

    def handle(self, **options: Any) -> None:
        try:
            report = self._foreign(options) if options["from_csv"] else self._own(options)
        except DomainError as refusal:
            raise CommandError(str(refusal), returncode=2) from refusal
        self.stdout.write(json.dumps(report, ensure_ascii=False, indent=2))

    def _own(self, options: dict[str, Any]) -> dict[str, Any]:
        if options["target"] or options["time"] or options["exclude"] or options["positive"]:
            raise CommandError("--target, --positive, --time and --exclude go with --from-csv.", returncode=2)
        candidate = train_candidate(Goal(options["goal"]), by=None, now=timezone.now())
        self.stderr.write(f"Kept as candidate {candidate.pk}; it is used once somebody promotes it.")
        report: dict[str, Any] = candidate.report
        return report

    def _foreign(self, options: dict[str, Any]) -> dict[str, Any]:
        if not options["target"]:
            raise CommandError("Name the column that holds the outcome with --target.", returncode=2)
        wanted = Wanted(
            target=options["target"],
            positive=options["positive"],
            time=options["time"],
            exclude=_names(options["exclude"]),
        )
        table = read_table(Path(options["from_csv"]), wanted)
        # Heavy libraries: not before the file turned out to be one.
        from scoring.prediction.training import train

        return train(table).report.as_json()


def _names(given: list[str]) -> tuple[str, ...]:
    """Names of columns; several are told apart by commas, and one with a comma in it stands in quotes."""
    return tuple(
        name.strip() for row in csv.reader(given, skipinitialspace=True) for name in row if name.strip()
    )
