"""How the org is set up: what an administrator of Salesforce would change."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from .fields import Field, SObject
from .schema import OBJECTS

DUPLICATE_RULES = ("off", "alert", "block")
# Salesforce tracks no more fields of one object.
MOST_TRACKED_FIELDS = 20


@dataclass(frozen=True)
class ValidationRule:
    """Refuses a record whose `field` does not match `pattern` as a whole; null is the empty text."""

    field: str
    pattern: str
    message: str

    def refuses(self, value: Any) -> bool:
        return re.fullmatch(self.pattern, "" if value is None else str(value)) is None


@dataclass(frozen=True)
class Setup:
    """The switches of an org. Fields are named with their object, as in `Lead.Industry`."""

    # Puts every lead that is written through the API into the queue, unless the call says not to.
    assignment_rule: bool = True
    # On leads with the e-mail address of another: not noticed, refused unless told to save, or refused.
    duplicate_rule: str = "off"
    # The key under which the matches are named. Salesforce has misspelt it for years.
    duplicate_key: str = "duplicateResut"
    # Lead's fields whose changes become LeadHistory. Without any, there is no such object.
    tracked_fields: tuple[str, ...] = ("Status", "OwnerId")
    # Fields and objects that the API's user may not see, or not write.
    hidden_fields: tuple[str, ...] = ()
    read_only_fields: tuple[str, ...] = ()
    read_only_objects: tuple[str, ...] = ()
    # The values of picklists, restricted to these.
    picklists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    validation_rules: tuple[ValidationRule, ...] = ()
    # "View and Edit Converted Leads": writing to one succeeds, and reaches nobody.
    edits_converted_leads: bool = False
    # Without "View Setup and Configuration" nobody reads /limits.
    shows_limits: bool = True
    # Which share of the transactions began so long before they commit: their rows appear with a stamp that
    # is older than what readers have seen already.
    late_commit_seconds: float = 0.0
    late_commit_share: float = 1.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def seen(self, sobject: SObject) -> SObject:
        """An object type as the API's user sees it."""
        name = sobject.name
        visible = tuple(
            replace(
                field,
                writable=field.writable and f"{name}.{field.name}" not in self.read_only_fields,
                values=self.picklists.get(f"{name}.{field.name}", field.values),
                restricted=field.restricted or f"{name}.{field.name}" in self.picklists,
            )
            for field in sobject.fields
            if f"{name}.{field.name}" not in self.hidden_fields
        )
        is_free = name not in self.read_only_objects
        return replace(
            sobject,
            fields=visible,
            createable=sobject.createable and is_free,
            updateable=sobject.updateable and is_free,
        )


def change_setup(setup: Setup, changes: Mapping[str, Any]) -> Setup:
    """The setup with some switches set, given as JSON. Raises ValueError naming what is wrong."""
    known = {field.name: field for field in fields(Setup)}
    unknown = sorted(set(changes) - set(known))
    if unknown:
        raise ValueError(f"There is no switch {unknown[0]}. There are: {', '.join(known)}.")
    return replace(setup, **{name: _parse(name, value) for name, value in changes.items()})


def _parse(name: str, value: Any) -> Any:
    default = getattr(Setup(), name)
    match default:
        case bool():
            return _expect(bool, name, value, "true or false")
        case float():
            number = float(_expect((int, float), name, value, "a number"))
            if not 0 <= number <= 86_400 or (name == "late_commit_share" and number > 1):
                raise ValueError(f"{name} is out of range.")
            return number
    match name:
        case "duplicate_rule":
            if value not in DUPLICATE_RULES:
                raise ValueError(f"duplicate_rule must be one of: {', '.join(DUPLICATE_RULES)}.")
            return value
        case "duplicate_key":
            return _expect(str, name, value, "a text")
        case "tracked_fields":
            tracked = _expect(list | tuple, name, value, "a list")
            if len(tracked) > MOST_TRACKED_FIELDS:
                raise ValueError(f"tracked_fields: no more than {MOST_TRACKED_FIELDS} can be tracked.")
            return tuple(_field_named("Lead", one).name for one in tracked)
        case "hidden_fields" | "read_only_fields":
            return tuple(_full_name(one) for one in _expect(list | tuple, name, value, "a list"))
        case "read_only_objects":
            return tuple(_object_named(one).name for one in _expect(list | tuple, name, value, "a list"))
        case "picklists":
            lists = _expect(Mapping, name, value, "an object of field and values")
            return {
                _full_name(one): tuple(str(each) for each in _expect(list | tuple, one, values, "a list"))
                for one, values in lists.items()
            }
        case _:
            rules = _expect(list | tuple, name, value, "a list")
            return tuple(_validation_rule(rule) for rule in rules)


def _validation_rule(rule: Any) -> ValidationRule:
    if isinstance(rule, ValidationRule):
        return rule
    if not isinstance(rule, Mapping) or set(rule) != {"field", "pattern", "message"}:
        raise ValueError("A validation rule has a field, a pattern and a message.")
    try:
        re.compile(str(rule["pattern"]))
    except re.error as error:
        raise ValueError(f"pattern: {error}.") from None
    return ValidationRule(_full_name(rule["field"]), str(rule["pattern"]), str(rule["message"]))


def _expect(kind: Any, name: str, value: Any, words: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{name} must be {words}.")
    return value


def _full_name(name: Any) -> str:
    object_name, _, field_name = str(name).partition(".")
    sobject = _object_named(object_name)
    return f"{sobject.name}.{_field_named(sobject.name, field_name).name}"


def _object_named(name: Any) -> SObject:
    try:
        return OBJECTS[str(name).lower()]
    except KeyError:
        raise ValueError(f"There is no object {name}.") from None


def _field_named(object_name: str, name: Any) -> Field:
    found = OBJECTS[object_name.lower()].by_name.get(str(name).lower())
    if found is None:
        raise ValueError(f"{object_name} has no field {name}.")
    return found
