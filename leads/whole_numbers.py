"""Answers that are whole numbers: what they count, up to where, and how people write them. Pure."""

from __future__ import annotations

from common.errors import InvalidInput

# What PostgreSQL's integer holds.
MAX_EMPLOYEES = 2_147_483_647
# The largest whole number that every reader of JSON keeps exactly.
MAX_DEAL_SIZE = 9_007_199_254_740_991

WHOLE_NUMBERS = {
    "employee_count": ("number of employees", MAX_EMPLOYEES),
    "deal_size": ("size of the deal", MAX_DEAL_SIZE),
}


def clean_count(name: str, value: object) -> int | None:
    """The number as it is stored, None for a blank. Raises InvalidInput naming the field."""
    if value is None or value == "":
        return None
    noun, limit = WHOLE_NUMBERS[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
        raise InvalidInput(f"The {noun} must be a whole number from 0 to {limit}.", field=name)
    return value


def read_count(name: str, text: str, *, field: str) -> int | None:
    """The number in a text such as "1,200" or "1200.0"; None for a blank.

    Raises InvalidInput with `field`, the name by which the channel knows it.
    """
    digits = text.replace(",", "").replace(" ", "").removesuffix(".0")
    if not digits:
        return None
    # More digits than the largest of them has are no number to be read, but an attack on the reader.
    if not digits.isdecimal() or len(digits) > len(str(MAX_DEAL_SIZE)):
        noun, _ = WHOLE_NUMBERS[name]
        raise InvalidInput(f"The {noun} is a whole number.", field=field)
    return int(digits)
