#!/usr/bin/env python
"""Run a management command. PostgreSQL is started for the duration of the command, unless it runs already."""

import os
import sys

from handoff_portal import database, embedded_postgres

WITHOUT_DATABASE = {
    "check",
    "collectstatic",
    "compilemessages",
    "help",
    "makemessages",
    "spectacular",
    "version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "handoff_portal.settings")

    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in WITHOUT_DATABASE or "--help" in sys.argv:
        execute_from_command_line(sys.argv)
        return
    try:
        with database.available():
            execute_from_command_line(sys.argv)
    except embedded_postgres.EmbeddedPostgresError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
