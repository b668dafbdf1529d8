"""Dates as people write them in tables: one way of writing in each column. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

Reader = Callable[[str], datetime | None]

# Cells looked at to find out how a column writes its dates.
SAMPLE = 500
_LOOKS_LIKE_DATE = re.compile(r"\d{1,4}[-/. ]\s?(\d{1,2}|[A-Za-z]{3,9})[-/. ,]|[A-Za-z]{3,9} \d{1,2}, \d{4}")
# Seconds of the epoch, or whatever else grows with time, such as the number of a row.
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,9})?")


def parse_dates(texts: Sequence[str | None]) -> list[datetime | None]:
    """The moments, in UTC where no zone is named; None where there is no date in the column's own way.

    Whether 3/4 is in March or April is told by the other cells; where they leave it open, the month is first.
    """
    known = [text for text in texts if text is not None]
    sample = known[:: max(1, len(known) // SAMPLE)]
    read = max(_READERS, key=lambda reader: sum(reader(text) is not None for text in sample))
    return [None if text is None else read(text) for text in texts]


def parse_moments(texts: Sequence[str | None]) -> list[float | None]:
    """Numbers that grow with time: seconds of the epoch for dates, and numbers as they are."""
    if all(text is None or _NUMBER.fullmatch(text) for text in texts):
        return [None if text is None else float(text) for text in texts]
    return [None if date is None else date.timestamp() for date in parse_dates(texts)]


def _read_iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if _LOOKS_LIKE_DATE.match(text) else None
    except ValueError:
        return None
    if moment is None or moment.tzinfo:
        return moment
    return moment.replace(tzinfo=UTC)


def _read_as(text: str, *, form: str) -> datetime | None:
    if not _LOOKS_LIKE_DATE.match(text):
        return None
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p"):
        try:
            return datetime.strptime(text, form + time).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


_READERS: tuple[Reader, ...] = (
    _read_iso,
    *(
        partial(_read_as, form=form)
        for form in (
            "%m/%d/%Y",
            "%d/%m/%Y",
            "%d.%m.%Y",
            "%d-%m-%Y",
            "%Y/%m/%d",
            "%d %b %Y",
            "%d %B %Y",
            "%b %d, %Y",
        )
    ),
)
