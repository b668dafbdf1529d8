"""Prove that every score adds up (SCORE-7)."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from scoring.models import ScoreCheck
from scoring.verification import CHUNK, MAX_CHUNK, check_next_chunk, sentence_of


class Command(BaseCommand):
    help = (
        "Score every lead again and compare: the ledger must sum to the total, and the score that is kept "
        "must be what the engine says. Exit status 1 if any lead differs."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--chunk", type=_chunk, default=CHUNK, help=f"Leads in one statement, up to {MAX_CHUNK:,}."
        )

    def handle(self, *, chunk: int, **options: Any) -> None:
        check = ScoreCheck.objects.create(started_at=timezone.now())
        while check_next_chunk(check, now=timezone.now(), chunk=chunk):
            pass
        check.refresh_from_db()
        self.stdout.write(sentence_of(check))
        if check.differing:
            self.stdout.write(f"For example: {', '.join(map(str, check.examples))}")
            sys.exit(1)


def _chunk(text: str) -> int:
    size = int(text)
    if not 1 <= size <= MAX_CHUNK:
        raise ValueError
    return size
