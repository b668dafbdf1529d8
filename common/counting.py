"""Counts that cost the same however large the tables grow."""

from __future__ import annotations

from dataclasses import dataclass

# Beyond this a page says "more than": nobody works with the exact figure, and it costs as much as the rows.
MOST_COUNTED = 1_000


@dataclass(frozen=True)
class BoundedCount:
    """A count that stopped at MOST_COUNTED. `shown` is "17", or "1,000+" when there are more."""

    value: int

    @property
    def is_exact(self) -> bool:
        return self.value <= MOST_COUNTED

    @property
    def shown(self) -> str:
        return str(self.value) if self.is_exact else f"{MOST_COUNTED:,}+"

    def __str__(self) -> str:
        return self.shown
