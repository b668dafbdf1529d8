"""Errors of the domain: what went wrong in words a person can act on.

Every verb that refuses raises a subclass. The API answers 409 (or `status`) with the sentence; a page shows
it.
"""

from __future__ import annotations


class DomainError(Exception):
    """A refusal that makes sense to the person who asked. The message is shown to them as it is."""

    status = 409
    code = "conflict"


class InvalidInput(DomainError):
    """What was given cannot be taken. `field` names the culprit in the caller's terms."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class NotAllowed(DomainError):
    """The person may not do this."""

    status = 403
    code = "not_allowed"
