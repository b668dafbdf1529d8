"""Django's PostgreSQL backend with a health check that costs no round trip."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Differs from Django's in one thing: how it sees that a kept connection is still good."""

    def is_usable(self) -> bool:
        """Whether the connection is still open; asked before a request's first statement.

        On an idle connection there is nothing to read. If there is, the server has most likely ended it, and
        only then, or after an error, is it asked. Django asks each time, with a statement of its own.
        """
        if self.connection is None or self.connection.closed:
            return False
        if self.errors_occurred or _has_something_to_read(self.connection.fileno()):
            return super().is_usable()
        return True


def _has_something_to_read(descriptor: int) -> bool:
    # Not select(): it knows no descriptors from 1024 on.
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
