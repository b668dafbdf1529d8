"""Record ids of Salesforce: 15 characters that mean their case, or 18 that can do without it. Pure."""

from __future__ import annotations

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def full_id(record_id: str) -> str:
    """The 18-character form, which is the one to store and to compare; anything else comes back as it is."""
    if len(record_id) != 15:
        return record_id
    return record_id + "".join(_check_letter(record_id[start : start + 5]) for start in (0, 5, 10))


def _check_letter(part: str) -> str:
    return LETTERS[sum(1 << place for place, letter in enumerate(part) if "A" <= letter <= "Z")]
