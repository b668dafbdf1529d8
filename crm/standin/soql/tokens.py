"""The words of a query, and the values of its literals."""

import re
from datetime import UTC, datetime
from typing import Any

from crm.standin.errors import ApiError, malformed_query
from crm.standin.values import LARGEST_NUMBER, stamp

TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^'\\]|\\.)*')
      | (?P<datetime>\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d))
      | (?P<date>\d{4}-\d\d-\d\d)
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][\w.]*)
      | (?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}

Token = tuple[str, str]


class Tokens:
    """A query's words, taken one after the other. Everything unexpected is MALFORMED_QUERY."""

    def __init__(self, text: str) -> None:
        self._tokens = _split(text.rstrip())
        self._position = 0

    @property
    def is_at_end(self) -> bool:
        return self._position >= len(self._tokens)

    def peek(self) -> str:
        return "<EOF>" if self.is_at_end else self._tokens[self._position][1]

    def take(self) -> Token:
        if self.is_at_end:
            raise malformed_query("unexpected token: '<EOF>'")
        self._position += 1
        return self._tokens[self._position - 1]

    def accept(self, word: str) -> bool:
        """Take the next token if it is this one."""
        if self.peek().lower() != word:
            return False
        self._position += 1
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise malformed_query(f"unexpected token: '{self.peek()}', expected '{word}'")

    def word(self) -> str:
        kind, text = self.take()
        if kind != "word":
            raise malformed_query(f"unexpected token: '{text}'")
        return text

    def number(self) -> int:
        kind, text = self.take()
        if kind != "number" or not text.isdigit():
            raise malformed_query(f"unexpected token: '{text}'")
        return int(_number(text))


def _split(text: str) -> list[Token]:
    tokens, position = [], 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise malformed_query(f"unexpected token: '{text[position : position + 20].strip()}'")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def literal(token: Token) -> Any:
    """The value that a literal stands for, as the store holds it."""
    kind, text = token
    match kind:
        case "string":
            return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text[1:-1])
        case "datetime":
            try:
                return stamp(datetime.fromisoformat(text).astimezone(UTC))
            except ValueError:
                raise malformed_query(f"Invalid dateTime: {text}") from None
        case "date":
            return text
        case "number":
            return _number(text)
    match text.lower():
        case "true" | "false":
            return int(text.lower() == "true")
        case "null":
            return None
    raise malformed_query(f"unexpected token: '{text}'")


def _number(text: str) -> int | float:
    number = float(text) if "." in text else int(text)
    if abs(number) >= LARGEST_NUMBER:
        raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", f"The number is too large: {text[:30]}")
    return number
