"""The lead's facts: as they stand, as they were, or as imagined."""

from __future__ import annotations

from collections.abc import Callable

from scoring.compiling.scopes import AS_OF, POINTS, Scope
from scoring.language.attributes import ATTRIBUTES, Attribute, Kind, Owner
from scoring.language.rules import Model

# Sales returned the lead: only then, by the log, had it been returned at a past moment.
_RETURNED_AT = (
    "CASE WHEN lead.trips > 0 THEN (SELECT min(event.at) FROM leads_leadevent event"
    " WHERE event.lead_id = lead.id AND event.kind IN ('recycled', 'rejected')) END"
)
_ALWAYS = "CASE WHEN lead.trips > 0 THEN '-infinity'::timestamptz END"


def fact(key: str) -> str:
    return "fact_" + key.replace(".", "_")


def facts(model: Model, scope: Scope, *, historical: bool) -> str:
    """Columns lead_id, returned_at and one per attribute; `as_of` too for PAIRS, and for MOMENTS `first_at`
    and `last_at`, between which the row holds."""
    used = [ATTRIBUTES[key] for key in sorted({rule.attribute for rule in model.fit})]
    if scope is Scope.IMAGINED:
        return _imagined(used)
    if scope is Scope.PAIRS:
        return (
            f"SELECT lead.id AS lead_id, moments.as_of, {_past_columns(used, 'moments.as_of')}\n"
            f"FROM moments JOIN leads_lead lead ON lead.id = moments.lead_id"
            f" AND lead.created_at <= moments.as_of\n{_past_company('moments.as_of')}"
        )
    if scope is Scope.MOMENTS:
        return _over_time(used)
    if historical:
        return (
            f"SELECT lead.id AS lead_id, {_past_columns(used, AS_OF)}\nFROM leads_lead lead\n"
            f"{_past_company(AS_OF)}\nWHERE {scope.on('lead.id')} AND lead.created_at <= {AS_OF}"
        )
    return (
        f"SELECT lead.id AS lead_id, {_columns(used, _present, _ALWAYS)}\nFROM leads_lead lead\n"
        f"{_COMPANY}\nWHERE {scope.on('lead.id')}"
    )


_COMPANY = "LEFT JOIN leads_company company ON company.id = lead.company_id"


def _columns(used: list[Attribute], value: Callable[[Attribute], str], returned_at: str) -> str:
    columns = [f"{value(attribute)} AS {fact(attribute.key)}" for attribute in used]
    return ",\n  ".join([f"{returned_at} AS returned_at", *columns])


def _present(attribute: Attribute) -> str:
    column = f"{attribute.owner}.{attribute.field}"
    if attribute.kind is Kind.NUMBER:
        return f"{column}::bigint"
    return attribute.extract.format(f"coalesce({column}, '')")


def _over_time(used: list[Attribute]) -> str:
    """Few leads were edited since the first of the moments: only for them the history is asked, and what
    holds for the others is worked out once and not moment by moment."""
    return (
        f"SELECT lead.id AS lead_id, lead.created_at AS first_at, 'infinity'::timestamptz AS last_at,\n"
        f"  {_columns(used, _present, _RETURNED_AT)}\nFROM leads_lead lead\n{_COMPANY}\n"
        f"WHERE {Scope.MOMENTS.on('lead.id')} AND lead.id NOT IN (SELECT lead_id FROM edited)\n"
        "UNION ALL\n"
        "SELECT lead.id, point, point,\n"
        f"  {_past_columns(used, 'point')}\nFROM edited JOIN leads_lead lead ON lead.id = edited.lead_id\n"
        f"JOIN unnest({POINTS}) point ON lead.created_at <= point\n{_past_company('point')}"
    )


def edited(model: Model) -> str:
    """The leads of which a fact that the model asks for was another one at some of the moments."""
    owned: dict[Owner, set[str]] = {Owner.LEAD: set(), Owner.COMPANY: set()}
    for rule in model.fit:
        attribute = ATTRIBUTES[rule.attribute]
        owned[attribute.owner].add(attribute.field)
    if owned[Owner.COMPANY]:
        owned[Owner.LEAD].add("company")
    since = f"change.changed_at > (SELECT min(point) FROM unnest({POINTS}) point)"
    return (
        "SELECT change.lead_id FROM leads_attributechange change\n"
        f"WHERE {Scope.MOMENTS.on('change.lead_id')} AND {since} AND {_among(owned[Owner.LEAD])}\n"
        "UNION\n"
        "SELECT lead.id FROM leads_lead lead\n"
        "JOIN leads_attributechange change ON change.company_id = lead.company_id\n"
        f"WHERE {Scope.MOMENTS.on('lead.id')} AND {since} AND {_among(owned[Owner.COMPANY])}"
    )


def _among(fields: set[str]) -> str:
    return f"change.field = ANY('{{{','.join(sorted(fields))}}}'::text[])"


def _past_columns(used: list[Attribute], as_of: str) -> str:
    return _columns(used, lambda attribute: _past(attribute, as_of), _RETURNED_AT)


def _past(attribute: Attribute, as_of: str) -> str:
    """The value at that moment: what the earliest later change replaced, else what still stands there."""
    owner, name = attribute.owner, attribute.field
    text = f"coalesce(({_replaced(owner, name, as_of)}), {owner}.{name}::text, '')"
    if attribute.kind is Kind.NUMBER:
        return f"substring({text} from '^[0-9]{{1,18}}$')::bigint"
    return attribute.extract.format(text)


def _past_company(as_of: str) -> str:
    employer = f"nullif(coalesce(({_replaced('lead', 'company', as_of)}), lead.company_id::text), '')::bigint"
    return f"LEFT JOIN leads_company company ON company.id = {employer}"


def _replaced(owner: str, field: str, as_of: str) -> str:
    return (
        f"SELECT change.old_value FROM leads_attributechange change WHERE change.{owner}_id = {owner}.id"
        f" AND change.field = '{field}' AND change.changed_at > {as_of}"
        " ORDER BY change.changed_at, change.id LIMIT 1"
    )


def _imagined(used: list[Attribute]) -> str:
    """Facts come as JSON by the keys of attributes."""
    columns = ["CASE WHEN %(trips)s::int > 0 THEN '-infinity'::timestamptz END AS returned_at"]
    for attribute in used:
        text = f"%(facts)s::jsonb ->> '{attribute.key}'"
        value = f"({text})::bigint" if attribute.kind is Kind.NUMBER else f"coalesce({text}, '')"
        columns.append(f"{value} AS {fact(attribute.key)}")
    return f"SELECT 0::bigint AS lead_id, {', '.join(columns)}"
