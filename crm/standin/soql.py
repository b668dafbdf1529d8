"""A small SOQL: one object, its own fields and its owner's, conditions, order, limit. Compiled to SQLite.

SELECT Id, Owner.Name FROM Lead
WHERE SystemModstamp >= 2026-11-21T09:00:00Z AND Status IN ('A', 'B') ORDER BY SystemModstamp, Id LIMIT 50
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import ApiError, malformed_query
from .schema import OBJECTS, TEXTUAL, SObject, stamp

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
COMPARISONS = {"=": "=", "!=": "<>", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
# Relations that lead to a person or a queue, and the field that holds the link.
PEOPLE = {"owner": "OwnerId", "lastmodifiedby": "LastModifiedById", "createdby": "CreatedById"}


@dataclass(frozen=True)
class Column:
    """One selected field: the keys under which it appears in the answer, and the SQL that reads it."""

    path: tuple[str, ...]
    sql: str
    type: str = "string"

    @property
    def compared(self) -> str:
        """The SQL to compare with: SOQL ignores the case of text; dates keep their index this way."""
        return f"{self.sql} COLLATE NOCASE" if self.type in TEXTUAL else self.sql


@dataclass
class Query:
    """A compiled query, ready to run."""

    sobject: SObject
    columns: list[Column]
    sql: str
    params: list[Any] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        return not self.columns


def compile_query(text: str, *, with_deleted: bool = False) -> Query:
    """The SQL of a SOQL text. Raises MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD."""
    return _Parser(text).query(with_deleted=with_deleted)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.position = 0
        self.params: list[Any] = []
        self.sobject: SObject

    def query(self, *, with_deleted: bool) -> Query:
        names = self._selected_names()
        self._expect("from")
        self.sobject = self._object(self._word())
        columns = [self._column(name) for name in names]

        where = "object = ?"
        self.params.append(self.sobject.name)
        if not with_deleted:
            where += " AND json_extract(doc, '$.IsDeleted') = 0"
        if self._accept("where"):
            where += f" AND ({self._either()})"
        tail = self._order() + self._limits()
        if self.position < len(self.tokens):
            raise malformed_query(f"unexpected token: '{self._peek()}'")

        selected = ", ".join(column.sql for column in columns) or "count(*)"
        return Query(
            self.sobject, columns, f"SELECT {selected} FROM record r WHERE {where}{tail}", self.params
        )

    def _selected_names(self) -> list[str]:
        self._expect("select")
        names = [self._word()]
        if names[0].lower() == "count" and self._accept("("):
            self._expect(")")
            return []
        while self._accept(","):
            names.append(self._word())
        return names

    def _object(self, name: str) -> SObject:
        if name.lower() not in OBJECTS:
            raise ApiError(400, "INVALID_TYPE", f"sObject type '{name}' is not supported.")
        return OBJECTS[name.lower()]

    def _column(self, name: str) -> Column:
        if "." not in name:
            found = self.sobject.field(name)
            return Column((found.name,), f"json_extract(doc, '$.{found.name}')", found.type)
        relation, _, attribute = name.partition(".")
        if relation.lower() not in PEOPLE or attribute.lower() not in {"id", "name", "type", "email"}:
            words = f"No such column '{name}' on entity '{self.sobject.name}'"
            raise ApiError(400, "INVALID_FIELD", words)
        link = self.sobject.field(PEOPLE[relation.lower()]).name
        attribute = attribute.title()
        # A user has no Type of its own; a queue's is 'Queue'.
        wanted = f"json_extract(o.doc, '$.{attribute}')"
        value = f"coalesce({wanted}, 'User')" if attribute == "Type" else wanted
        sql = f"(SELECT {value} FROM record o WHERE o.id = json_extract(r.doc, '$.{link}'))"
        return Column((link.removesuffix("Id"), attribute), sql)

    # --- conditions ---

    def _either(self) -> str:
        parts = [self._both()]
        while self._accept("or"):
            parts.append(self._both())
        return " OR ".join(parts)

    def _both(self) -> str:
        parts = [self._condition()]
        while self._accept("and"):
            parts.append(self._condition())
        return " AND ".join(parts)

    def _condition(self) -> str:
        if self._accept("not"):
            return f"NOT ({self._condition()})"
        if self._accept("("):
            inner = self._either()
            self._expect(")")
            return f"({inner})"
        column = self._column(self._word()).compared
        if self._accept("like"):
            return f"{column} LIKE {self._value()}"
        if self._accept("in"):
            return f"{column} IN {self._list()}"
        if self._accept("not"):
            self._expect("in")
            return f"{column} NOT IN {self._list()}"
        sign = self._take()[1]
        if sign not in COMPARISONS:
            raise malformed_query(f"unexpected token: '{sign}'")
        # SQLite's IS compares null as SOQL's = does, and IS NOT finds nulls as != does.
        operator = {"=": "IS", "<>": "IS NOT"}.get(COMPARISONS[sign], COMPARISONS[sign])
        return f"{column} {operator} {self._value()}"

    def _list(self) -> str:
        self._expect("(")
        values = [self._value()]
        while self._accept(","):
            values.append(self._value())
        self._expect(")")
        return f"({', '.join(values)})"

    def _value(self) -> str:
        kind, text = self._take()
        self.params.append(_literal(kind, text))
        return "?"

    # --- order and limits ---

    def _order(self) -> str:
        if not self._accept("order"):
            return ""
        self._expect("by")
        keys = [self._order_key()]
        while self._accept(","):
            keys.append(self._order_key())
        return " ORDER BY " + ", ".join(keys)

    def _order_key(self) -> str:
        key = self._column(self._word()).sql
        if self._accept("desc"):
            key += " DESC"
        else:
            self._accept("asc")
        if self._accept("nulls"):
            if self._accept("last"):
                return f"{key} NULLS LAST"
            self._expect("first")
        return key

    def _limits(self) -> str:
        limit = self._number() if self._accept("limit") else -1
        offset = self._number() if self._accept("offset") else 0
        if offset > 2000:
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        self.params += [limit, offset]
        return " LIMIT ? OFFSET ?"

    def _number(self) -> int:
        kind, text = self._take()
        if kind != "number" or not text.isdigit():
            raise malformed_query(f"unexpected token: '{text}'")
        return int(text)

    # --- tokens ---

    def _peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else "<EOF>"

    def _take(self) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise malformed_query("unexpected token: '<EOF>'")
        self.position += 1
        return self.tokens[self.position - 1]

    def _accept(self, word: str) -> bool:
        if self._peek().lower() != word:
            return False
        self.position += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise malformed_query(f"unexpected token: '{self._peek()}', expected '{word}'")

    def _word(self) -> str:
        kind, text = self._take()
        if kind != "word":
            raise malformed_query(f"unexpected token: '{text}'")
        return text


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position, text = [], 0, text.rstrip()
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise malformed_query(f"unexpected token: '{text[position : position + 20].strip()}'")
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def _literal(kind: str, text: str) -> Any:
    if kind == "string":
        return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[1]), text[1:-1])
    if kind == "datetime":
        try:
            return stamp(datetime.fromisoformat(text).astimezone(UTC))
        except ValueError:
            raise malformed_query(f"Invalid dateTime: {text}") from None
    if kind == "date":
        return text
    if kind == "number":
        return float(text) if "." in text else int(text)
    if text.lower() in {"true", "false"}:
        return int(text.lower() == "true")
    if text.lower() == "null":
        return None
    raise malformed_query(f"unexpected token: '{text}'")
