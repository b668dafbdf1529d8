"""One clock for several processes, which moves only when told to."""

from __future__ import annotations

import mmap
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

LAYOUT = struct.Struct("d")


class SharedClock:
    """The time that a file holds; whoever opens the file sees it move."""

    def __init__(self, path: Path, *, start: datetime | None = None) -> None:
        """With `start` the file is made, and shows that time."""
        if start is not None:
            path.write_bytes(LAYOUT.pack(start.timestamp()))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), LAYOUT.size)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(LAYOUT.unpack_from(self._map)[0], UTC)

    @property
    def now(self) -> datetime:
        return self()

    def forward(self, **by: float) -> datetime:
        LAYOUT.pack_into(self._map, 0, (self() + timedelta(**by)).timestamp())
        return self()
