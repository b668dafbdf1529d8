"""Moments written by others, as text."""

from __future__ import annotations

from datetime import UTC, datetime


def parse_instant(text: str) -> datetime:
    """An ISO 8601 time with its offset, in UTC. Raises ValueError.

    In UTC because Python takes offsets up to 23:59 and PostgreSQL only those that exist on Earth.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset may be any of many")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is outside the years 1 to 9999 in UTC") from error
