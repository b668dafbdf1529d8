"""What the rows of the queue and of the list of leads have in common."""

from __future__ import annotations


def name_of(first_name: str | None, last_name: str | None, *otherwise: str | None) -> str:
    """What a person is called: as Lead.name and User.__str__ say it, for rows that hold columns only."""
    full = f"{first_name or ''} {last_name or ''}".strip()
    return full or next(filter(None, otherwise), "")
