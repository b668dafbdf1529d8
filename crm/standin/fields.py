"""What a field and an object type are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .errors import ApiError, no_such_column, not_found

NUMERIC = {"int", "double", "currency", "percent"}
# Beyond that a text area is a long one.
LONG_TEXT = 255
TEXTUAL = {"string", "textarea", "email", "phone", "url", "picklist", "multipicklist"}


@dataclass(frozen=True)
class Field:
    """One field; `type` is the word that `describe` uses."""

    name: str
    type: str = "string"
    length: int = 0
    required: bool = False
    writable: bool = True
    # Set when the record is made, and never again.
    create_only: bool = False
    unique: bool = False
    # May stand in an upsert's URL. Email may, without being unique: the classic source of a 300.
    upsert_key: bool = False
    # Records are looked up by it.
    indexed: bool = False
    values: tuple[str, ...] = ()
    # A picklist that takes no other value than its own.
    restricted: bool = True
    refers_to: tuple[str, ...] = ()

    @property
    def is_custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def is_long(self) -> bool:
        """A long text area, by which no query filters."""
        return self.type == "textarea" and self.length > LONG_TEXT

    @property
    def is_looked_up(self) -> bool:
        return self.indexed or self.unique or self.upsert_key


@dataclass(frozen=True)
class SObject:
    """One object type; `prefix` begins the id of each of its records."""

    name: str
    prefix: str
    fields: tuple[Field, ...]
    createable: bool = True
    updateable: bool = True

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """The fields by their name in lower case."""
        return {field.name.lower(): field for field in self.fields}

    @cached_property
    def looked_up(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields if field.is_looked_up)

    @cached_property
    def empty(self) -> Mapping[str, bool | None]:
        """Every field of a record of which nothing is known yet."""
        return {field.name: False if field.type == "boolean" else None for field in self.fields}

    def field(self, name: str) -> Field:
        """The field of that name in any case. Raises INVALID_FIELD."""
        try:
            return self.by_name[name.lower()]
        except KeyError:
            raise no_such_column(name, self.name) from None

    def upsert_field(self, name: str) -> Field:
        """The field that an upsert names in its URL. Raises NOT_FOUND when it cannot be a key."""
        found = self.by_name.get(name.lower())
        if found is None or not found.upsert_key:
            raise not_found()
        return found


def no_access(words: str) -> ApiError:
    return ApiError(403, "INSUFFICIENT_ACCESS_OR_READONLY", words)
