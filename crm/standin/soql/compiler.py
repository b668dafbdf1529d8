"""From the text of a query to SQL."""

from dataclasses import dataclass, field
from typing import Any

from crm.standin.errors import ApiError, malformed_query
from crm.standin.fields import NUMERIC, SObject
from crm.standin.ids import full_id

from .columns import Column, Look, linked_column, own_column
from .tokens import Token, Tokens, literal

COMPARISONS = {"=": "IS", "!=": "IS NOT", "<>": "IS NOT", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
MOST_OFFSET = 2000


@dataclass
class Query:
    """A compiled query, ready to run: it reads documents, and after them what links lead to."""

    sobject: SObject
    columns: list[Column]
    sql: str
    params: list[Any] = field(default_factory=list)

    @property
    def counts(self) -> bool:
        return not self.columns


def compile_query(text: str, *, look: Look, with_deleted: bool = False) -> Query:
    """Raises MALFORMED_QUERY, INVALID_TYPE or INVALID_FIELD. `look` gives an object type by its name."""
    return _Compiler(Tokens(text), look, with_deleted=with_deleted).query()


class _Compiler:
    """Recursive descent over the words. What is refused is refused with Salesforce's code."""

    def __init__(self, tokens: Tokens, look: Look, *, with_deleted: bool, alias: str = "r") -> None:
        self.tokens = tokens
        self.look = look
        self.with_deleted = with_deleted
        self.alias = alias
        self.params: list[Any] = []
        self.sobject: SObject

    def query(self) -> Query:
        columns = self._selected()
        where = self._where()
        tail = self._order() + self._limits()
        if not self.tokens.is_at_end:
            raise malformed_query(f"unexpected token: '{self.tokens.peek()}'")
        linked = "".join(f", {column.sql}" for column in columns if column.field is None)
        selected = f"{self.alias}.doc{linked}" if columns else "count(*)"
        sql = f"SELECT {selected} FROM record {self.alias} WHERE {where}{tail}"
        return Query(self.sobject, columns, sql, self.params)

    def semi_join(self) -> tuple[str, list[Any]]:
        """The SQL of `SELECT OneField FROM … WHERE …` within brackets, and its values."""
        columns = self._selected()
        if len(columns) != 1:
            raise malformed_query("semi join sub-selects can only select one field")
        sql = f"SELECT {columns[0].sql} FROM record {self.alias} WHERE {self._where()}"
        return f"{sql} AND {columns[0].sql} IS NOT NULL", self.params

    def _selected(self) -> list[Column]:
        self.tokens.expect("select")
        names = [self.tokens.word()]
        counts = names[0].lower() == "count" and self.tokens.accept("(")
        if counts:
            self.tokens.expect(")")
        while not counts and self.tokens.accept(","):
            names.append(self.tokens.word())
        self.tokens.expect("from")
        self.sobject = self._object(self.tokens.word())
        return [] if counts else [self._column(name) for name in names]

    def _object(self, name: str) -> SObject:
        try:
            return self.look(name)
        except ApiError:
            words = f"sObject type '{name}' is not supported."
            raise ApiError(400, "INVALID_TYPE", words) from None

    def _column(self, name: str) -> Column:
        if "." in name:
            return linked_column(self.sobject, name, self.alias, self._object)
        return own_column(self.sobject, name, self.alias)

    # --- conditions ---

    def _where(self) -> str:
        where = f"{self.alias}.object = '{self.sobject.name}'"
        if not self.with_deleted:
            where += f" AND {self.alias}.is_deleted = 0"
        if self.tokens.accept("where"):
            where += f" AND ({self._either()})"
        return where

    def _either(self) -> str:
        parts = [self._both()]
        while self.tokens.accept("or"):
            parts.append(self._both())
        return " OR ".join(parts)

    def _both(self) -> str:
        parts = [self._condition()]
        while self.tokens.accept("and"):
            parts.append(self._condition())
        return " AND ".join(parts)

    def _condition(self) -> str:
        if self.tokens.accept("not"):
            return f"NOT ({self._condition()})"
        if self.tokens.accept("("):
            inner = self._either()
            self.tokens.expect(")")
            return f"({inner})"
        column = self._filter()
        if self.tokens.accept("like"):
            return f"{column.compared} LIKE {self._placeholder(column)}"
        if self.tokens.accept("in"):
            return self._in(column)
        if self.tokens.accept("not"):
            self.tokens.expect("in")
            return f"NOT {self._in(column)}"
        return self._comparison(column)

    def _filter(self) -> Column:
        column = self._column(self.tokens.word())
        if column.field is not None and column.field.is_long:
            words = f"field '{column.path[0]}' can not be filtered in a query call"
            raise ApiError(400, "INVALID_FIELD", words)
        return column

    def _comparison(self, column: Column) -> str:
        sign = self.tokens.take()[1]
        if sign not in COMPARISONS:
            raise malformed_query(f"unexpected token: '{sign}'")
        value = self._value(column)
        if sign == "=" and value is not None and _has_keys(column):
            return self._by_key(column, [value])
        self.params.append(value)
        # SQLite's IS compares null as SOQL's = does, and IS NOT finds nulls as != does.
        return f"{column.compared} {COMPARISONS[sign]} ?"

    def _in(self, column: Column) -> str:
        self.tokens.expect("(")
        if self.tokens.peek().lower() == "select":
            inner = _Compiler(self.tokens, self.look, with_deleted=self.with_deleted, alias=f"{self.alias}s")
            sql, params = inner.semi_join()
            self.tokens.expect(")")
            self.params += params
            return f"{column.sql} IN ({sql})"
        values = [self._value(column)]
        while self.tokens.accept(","):
            values.append(self._value(column))
        self.tokens.expect(")")
        if None not in values and _has_keys(column):
            return self._by_key(column, values)
        self.params += values
        return f"{column.compared} IN ({', '.join('?' * len(values))})"

    def _by_key(self, column: Column, values: list[Any]) -> str:
        """Whole values of a field that the store looks records up by: its own table of them is quicker."""
        self.params += [str(value).lower() for value in values]
        return (
            f"{self.alias}.id IN (SELECT id FROM record_key WHERE object = '{self.sobject.name}' "
            f"AND field = '{column.path[0]}' AND value IN ({', '.join('?' * len(values))}))"
        )

    def _placeholder(self, column: Column) -> str:
        self.params.append(self._value(column))
        return "?"

    def _value(self, column: Column) -> Any:
        token = self.tokens.take()
        value = literal(token)
        if value is not None:
            _require_kind(column, token)
        return full_id(value) if column.type in {"id", "reference"} and value else value

    # --- order and limits ---

    def _order(self) -> str:
        if not self.tokens.accept("order"):
            return ""
        self.tokens.expect("by")
        keys = [self._order_key()]
        while self.tokens.accept(","):
            keys.append(self._order_key())
        return " ORDER BY " + ", ".join(keys)

    def _order_key(self) -> str:
        key = self._column(self.tokens.word()).sql
        if self.tokens.accept("desc"):
            key += " DESC"
        else:
            self.tokens.accept("asc")
        if self.tokens.accept("nulls"):
            if self.tokens.accept("last"):
                return f"{key} NULLS LAST"
            self.tokens.expect("first")
        return f"{key} NULLS FIRST"

    def _limits(self) -> str:
        limit = self.tokens.number() if self.tokens.accept("limit") else -1
        offset = self.tokens.number() if self.tokens.accept("offset") else 0
        if offset > MOST_OFFSET:
            words = f"Maximum SOQL offset allowed is {MOST_OFFSET}"
            raise ApiError(400, "NUMBER_OUTSIDE_VALID_RANGE", words)
        self.params += [limit, offset]
        return " LIMIT ? OFFSET ?"


def _has_keys(column: Column) -> bool:
    return column.field is not None and column.field.is_looked_up


def _require_kind(column: Column, token: Token) -> None:
    """A literal must be of its field's type: a quoted time is the commonest mistake of all."""
    kind = token[0]
    if column.type in {"datetime", "date"}:
        fits, words = kind == column.type, "and should not be enclosed in quotes"
    elif column.type in NUMERIC:
        fits, words = kind == "number", "and should not be enclosed in quotes"
    elif column.type == "boolean":
        fits, words = kind == "word", "and should not be enclosed in quotes"
    else:
        fits, words = kind == "string", "and should be enclosed in quotes"
    if not fits:
        name = ".".join(column.path)
        wanted = "dateTime" if column.type == "datetime" else column.type
        raise ApiError(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{name}' must be of type {wanted} {words}",
        )
