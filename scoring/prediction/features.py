"""What was known of leads at given moments: one row of plain values per lead and moment, read in SQL.

Nothing later than the moment is seen: attributes as the history says they were, activities by when we
received them and knew whose they were, earlier handoffs by the log. Training asks for the moment of each
handoff, a prediction for now; the same statement answers both.

A column's name says where it comes from ("fact:title", "hits:pricing_visit:30"); `wording` turns it into
words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django.db import connection

from leads.addresses import is_free_mail
from scoring.language.attributes import ATTRIBUTES, Attribute, Kind, Owner
from scoring.models import Signal
from scoring.prediction.tables import Cell

WINDOWS = (7, 30, 90)
Moment = tuple[int, datetime]
Features = dict[str, list[Cell]]
# The place of the moment in the batch, and the values in the order of the columns.
Row = tuple[int, *tuple[object, ...]]

# They name the person or the company instead of describing them.
_NAMING = frozenset({"email_name", "email_domain", "company.domain"})
# Free text: that it was answered says more than its words.
_ANSWERED = ("phone", "website", "pain_point", "current_solution")

# Rows at a time: bounds the memory of the database and of the process.
BATCH = 5_000

_SQL = """
WITH wanted AS (
  SELECT place, lead_id, moment
  FROM unnest(%(leads)s::bigint[], %(moments)s::timestamptz[]) WITH ORDINALITY
    AS pair (lead_id, moment, place)
), persons AS (
  SELECT wanted.*, lead, coalesce(past.was, '{{}}') AS was,
    nullif(coalesce(past.was ->> 'company', lead.company_id::text), '')::bigint AS employer_id
  FROM wanted JOIN leads_lead lead ON lead.id = wanted.lead_id AND lead.created_at <= wanted.moment,
  LATERAL (
    SELECT jsonb_object_agg(field, old_value) AS was FROM (
      SELECT DISTINCT ON (field) field, old_value FROM leads_attributechange
      WHERE lead_id = wanted.lead_id AND changed_at > wanted.moment ORDER BY field, changed_at, id
    ) first_later
  ) past
)
SELECT person.place, {facts}, {answered},
  split_part({email}, '@', 2),
  seen.*, log.*, hits.counts::text
FROM persons person
LEFT JOIN leads_company company ON company.id = person.employer_id,
LATERAL (
  SELECT coalesce(jsonb_object_agg(field, old_value), '{{}}') AS was FROM (
    SELECT DISTINCT ON (field) field, old_value FROM leads_attributechange
    WHERE company_id = person.employer_id AND changed_at > person.moment ORDER BY field, changed_at, id
  ) first_later
) company_past,
LATERAL (
  SELECT {windows},
    count(DISTINCT occurred_at::date) FILTER (WHERE occurred_at > person.moment - interval '90 days'),
    floor(extract(epoch FROM person.moment - max(occurred_at)) / 86400)::int,
    floor(extract(epoch FROM person.moment - least(min(occurred_at), (person.lead).created_at)) / 86400)::int,
    (array_agg(event ORDER BY occurred_at, id))[1]
  FROM leads_activity
  WHERE lead_id = person.lead_id AND occurred_at <= person.moment
    AND greatest(received_at, attributed_at) <= person.moment
) seen,
LATERAL (
  SELECT count(*) FROM leads_leadevent
  WHERE lead_id = person.lead_id AND kind = 'handed_off' AND at < person.moment
) log,
LATERAL (
  SELECT jsonb_object_agg(key, counted) AS counts FROM (
    SELECT signal.key, jsonb_build_array({windows}) AS counted
    FROM scoring_signalhit hit JOIN scoring_signal signal ON signal.id = hit.signal_id
    WHERE hit.lead_id = person.lead_id AND hit.occurred_at <= person.moment
      AND hit.received_at <= person.moment AND signal.retired_at IS NULL
    GROUP BY signal.key
  ) counted_signals
) hits
ORDER BY person.place
"""


def read_features(moments: Sequence[Moment]) -> tuple[list[Moment], Features]:
    """What was known of each lead at its moment. Leads that we did not know then are left out: the first
    answer says which are there, in the given order."""
    signals = list(Signal.objects.current().values_list("key", flat=True))
    names = _names(signals)
    columns: Features = {name: [] for name in names}
    found: list[Moment] = []
    for start in range(0, len(moments), BATCH):
        batch = moments[start : start + BATCH]
        for place, *values in _rows(batch):
            found.append(batch[place - 1])
            for name, value in zip(names, _flat(values, signals), strict=True):
                columns[name].append(value)
    columns["email"] = [_kind_of_address(domain) for domain in columns["email"]]
    return found, columns


def _names(signals: Sequence[str]) -> list[str]:
    return [
        *(f"fact:{attribute.key}" for attribute in _facts()),
        *(f"answered:{name}" for name in _ANSWERED),
        "email",
        *(f"active:{days}" for days in WINDOWS),
        "active:days",
        "since:last",
        "since:first",
        "first_event",
        "handed_before",
        *(f"hits:{key}:{days}" for key in signals for days in WINDOWS),
    ]


def _flat(values: Sequence[object], signals: Sequence[str]) -> Iterable[Cell]:
    """The values of a row as cells: the counts of signals spread out, a blank text as not known."""
    *plain, counts = values
    for value in plain:
        if isinstance(value, str):
            yield value.strip() or None
        else:
            yield None if value is None else float(value)  # type: ignore[arg-type]
    hits: Mapping[str, Sequence[int]] = json.loads(str(counts or "{}"))
    for key in signals:
        yield from map(float, hits.get(key, (0,) * len(WINDOWS)))


def _kind_of_address(domain: Cell) -> Cell:
    return None if domain is None else "private" if is_free_mail(str(domain)) else "company"


def _rows(batch: Sequence[Moment]) -> list[Row]:
    parameters: dict[str, Any] = {
        "leads": [lead_id for lead_id, _ in batch],
        "moments": [moment for _, moment in batch],
    }
    with connection.cursor() as cursor:
        cursor.execute(_statement(), parameters)
        return cast("list[Row]", cursor.fetchall())


def _statement() -> str:
    return _SQL.format(
        facts=", ".join(_value(attribute) for attribute in _facts()),
        answered=", ".join(f"({_text(Owner.LEAD, name)} <> '')::int" for name in _ANSWERED),
        email=_text(Owner.LEAD, "email"),
        windows=", ".join(
            f"count(*) FILTER (WHERE occurred_at > person.moment - interval '{days} days')"
            for days in WINDOWS
        ),
    )


def _facts() -> list[Attribute]:
    return [
        attribute
        for attribute in ATTRIBUTES.values()
        if attribute.key not in _NAMING and attribute.field not in _ANSWERED
    ]


def _value(attribute: Attribute) -> str:
    text = _text(attribute.owner, attribute.field)
    if attribute.kind is Kind.NUMBER:
        return f"substring({text} from '^[0-9]{{1,18}}$')::bigint"
    return attribute.extract.format(text)


def _text(owner: Owner, field: str) -> str:
    """What the field held at the moment: what its first later change replaced, else what it holds now."""
    if owner is Owner.LEAD:
        return f"coalesce(person.was ->> '{field}', (person.lead).{field}::text, '')"
    return f"coalesce(company_past.was ->> '{field}', company.{field}::text, '')"
