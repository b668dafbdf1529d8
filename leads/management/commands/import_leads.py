"""Import leads from a CSV file."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import InvalidInput
from leads.import_rows import FIELDS, columns_of, read_lines, read_text
from leads.importing import Summary, import_lines

SHOWN_ERRORS = 20


class Command(BaseCommand):
    help = (
        "Import leads from a CSV file. Can be run again at any time: known leads are merged, and the same "
        "file twice changes nothing. Rows that cannot be taken are told and put in quarantine."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=COLUMN",
            help=f"Which column holds which field. Absent: columns named like fields: {', '.join(FIELDS)}.",
        )
        parser.add_argument(
            "--set",
            nargs="+",
            action="extend",
            default=[],
            metavar="FIELD=VALUE",
            help="A value for every row that has none of its own, such as source_system=olist.",
        )
        parser.add_argument("--dry-run", action="store_true", help="Check every row and write nothing.")

    def handle(self, *, file: Path, dry_run: bool, **options: Any) -> None:
        try:
            text, encoding = read_text(file)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        self.stdout.write(f"Reading {file.name} as {encoding}.")
        mapping = _pairs(options["map"]) or {name: name for name in columns_of(text) if name in FIELDS}
        if not mapping:
            raise CommandError("No column is named like a field; say which is which with --map FIELD=COLUMN.")
        try:
            lines = read_lines(text, mapping=mapping, fixed=_pairs(options["set"]))
            summary = import_lines(
                lines, origin=file.name, now=timezone.now(), dry_run=dry_run, progress=self._tell
            )
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        self._sum_up(summary, dry_run=dry_run)

    def _tell(self, summary: Summary) -> None:
        self.stdout.write(f"{summary.rows} rows …", ending="\r")
        self.stdout.flush()

    def _sum_up(self, summary: Summary, *, dry_run: bool) -> None:
        for refusal in summary.refusals[:SHOWN_ERRORS]:
            where = f"{refusal.field}: " if refusal.field else ""
            self.stderr.write(f"Line {refusal.index}: {where}{refusal.reason}")
        if (more := len(summary.refusals) - SHOWN_ERRORS) > 0:
            self.stderr.write(f"… and {more} more.")
        if dry_run:
            good = summary.rows - len(summary.refusals)
            self.stdout.write(f"{summary.rows} rows: {good} can be taken, {len(summary.refusals)} cannot.")
            return
        self.stdout.write(
            f"{summary.rows} rows: {summary.created} created, {summary.changed} changed, "
            f"{summary.unchanged} known already, {len(summary.refusals)} in quarantine."
        )


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, sign, value = pair.partition("=")
        if not sign or name not in FIELDS:
            raise CommandError(f"{pair!r} is not FIELD=…; the fields are: {', '.join(FIELDS)}.")
        pairs[name] = value
    return pairs
