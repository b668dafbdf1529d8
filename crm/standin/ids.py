"""Record ids: 15 characters whose case matters, or 18 that survive a spreadsheet. Stored are always 18."""

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUMS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT = 15


def make_id(prefix: str, number: int) -> str:
    """The id of the so-manieth record of a type."""
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return full_id(f"{prefix}Hp{digits.rjust(10, '0')}")


def full_id(record_id: str) -> str:
    """The 18-character form of an id: three letters more say which of its letters are capital."""
    if len(record_id) != SHORT:
        return record_id
    suffix = ""
    for start in range(0, SHORT, 5):
        part = record_id[start : start + 5]
        suffix += CHECKSUMS[sum(1 << place for place, char in enumerate(part) if char.isupper())]
    return record_id + suffix
