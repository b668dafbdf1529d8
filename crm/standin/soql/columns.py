"""What a name in a query stands for, as SQL over the store's table `record`."""

from collections.abc import Callable
from dataclasses import dataclass

from crm.standin.describing import relation_of
from crm.standin.errors import ApiError
from crm.standin.fields import TEXTUAL, Field, SObject

# What can be asked of a link that may lead to several types.
COMMON_ATTRIBUTES = {"id": "Id", "name": "Name", "type": "Type", "email": "Email"}
# Kept beside the documents, where an index finds them.
STORED = {"Id": "id", "SystemModstamp": "stamp", "IsDeleted": "is_deleted"}

Look = Callable[[str], SObject]


@dataclass(frozen=True)
class Column:
    """One field: the keys under which it appears in an answer, and the SQL that reads it."""

    path: tuple[str, ...]
    sql: str
    type: str = "string"
    # Of the queried object itself, by this name; nothing for what a link leads to.
    field: Field | None = None
    # For what links lead to: the first link, and the types of the records that the path goes through.
    link: str = ""
    through: tuple[str, ...] = ()

    @property
    def compared(self) -> str:
        """The SQL to compare with: SOQL ignores the case of text; dates keep their index this way."""
        return f"{self.sql} COLLATE NOCASE" if self.type in TEXTUAL else self.sql


def own_column(sobject: SObject, name: str, alias: str) -> Column:
    field = sobject.field(name)
    return Column((field.name,), _value(alias, field.name), field.type, field)


def linked_column(sobject: SObject, name: str, alias: str, look: Look) -> Column:
    """What one or more links lead to: Owner.Name, Lead.Owner.Name. `look` finds the type of a link's end."""
    *relations, attribute = name.split(".")
    path: list[str] = []
    through: list[str] = []
    first = _link(sobject, relations[0], name).name
    sql, link_alias, target = "{}", alias, sobject
    for depth, relation in enumerate(relations):
        link = _link(target, relation, name)
        path.append(relation_of(link) or relation)
        inner = f"{alias}_{depth}"
        step = f"(SELECT {{}} FROM record {inner} WHERE {inner}.id = {_value(link_alias, link.name)})"
        sql, link_alias = sql.format(step), inner
        if len(link.refers_to) > 1:
            known, value = _common(name, attribute, inner)
            return Column((*path, known), sql.format(value), link=first, through=(*through, "Name"))
        target = look(link.refers_to[0])
        through.append(target.name)
    field = target.field(attribute)
    return Column(
        (*path, field.name),
        sql.format(_value(link_alias, field.name)),
        field.type,
        link=first,
        through=tuple(through),
    )


def _link(sobject: SObject, relation: str, name: str) -> Field:
    for field in sobject.fields:
        if field.refers_to and (relation_of(field) or "").lower() == relation.lower():
            return field
    raise _no_column(name, sobject)


def _common(name: str, attribute: str, alias: str) -> tuple[str, str]:
    """The name of an attribute that every owner has, and its SQL."""
    known = COMMON_ATTRIBUTES.get(attribute.lower())
    if known is None:
        raise ApiError(400, "INVALID_FIELD", f"No such column '{name}' on entity 'Name'")
    value = _value(alias, known)
    if known == "Type":
        # A queue is a Group whose own type says 'Queue'; of a person or a lead the type is its object's name.
        value = f"CASE {alias}.object WHEN 'Group' THEN {value} ELSE {alias}.object END"
    return known, value


def _no_column(name: str, sobject: SObject) -> ApiError:
    return ApiError(400, "INVALID_FIELD", f"No such column '{name}' on entity '{sobject.name}'")


def _value(alias: str, field: str) -> str:
    return f"{alias}.{STORED[field]}" if field in STORED else f"json_extract({alias}.doc, '$.{field}')"
