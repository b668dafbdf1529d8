"""What may come of trying to send a message."""

from __future__ import annotations

from common.errors import DomainError


class NotDelivered(DomainError):
    """It did not arrive. The words are for people and hold no secret.

    `is_final`: trying again would change nothing. `is_everywhere`: the way itself is down, so whatever else
    should take it now would fail as well.
    """

    status = 502
    code = "not_delivered"

    def __init__(self, reason: str, *, is_final: bool = False, is_everywhere: bool = False) -> None:
        super().__init__(reason[:200])
        self.reason = reason[:200]
        self.is_final = is_final
        self.is_everywhere = is_everywhere
