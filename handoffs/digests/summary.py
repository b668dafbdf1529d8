"""What a summary is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from notifications.wording import Fact


class Summary(NamedTuple):
    """`body` says it in one line, `facts` line by line with names."""

    title: str
    body: str
    url: str
    facts: Sequence[Fact]


def count(number: int, noun: str, *, several: str = "") -> str:
    """ "1 ticket", "1,204 tickets"."""
    return f"{number:,} {noun if number == 1 else several or f'{noun}s'}"
