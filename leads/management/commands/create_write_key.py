"""Make a write key for a tracking stack."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.errors import InvalidInput
from leads.write_keys import create_write_key


class Command(BaseCommand):
    help = "Make a write key and print it: it is shown once and kept nowhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="What sends with it, such as “web site”.")
        parser.add_argument(
            "--secret-from",
            metavar="VARIABLE",
            help="Take the key from this environment variable instead of inventing one.",
        )

    def handle(self, *, name: str, secret_from: str | None, **options: Any) -> None:
        given = os.environ.get(secret_from, "") if secret_from else ""
        if secret_from and not given:
            raise CommandError(f"The environment has no {secret_from}.")
        try:
            _, secret = create_write_key(name, now=timezone.now(), secret=given)
        except InvalidInput as error:
            raise CommandError(str(error)) from error
        self.stdout.write(secret)
