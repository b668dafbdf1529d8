"""Answers of leads and companies: cleaned on the way in, filled where blank, replaced only with a trace."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from django.db import connection

from accounts.models import User
from common.errors import InvalidInput
from common.prepared import execute_prepared
from leads.addresses import normalise_domain, normalise_email
from leads.models import AttributeChange, Company, Lead
from leads.whole_numbers import WHOLE_NUMBERS, clean_count

Value = str | int | None

ANSWERS_OF_LEAD = (
    "first_name",
    "last_name",
    "title",
    "phone",
    "website",
    "country",
    "source",
    "campaign",
    "language",
    "product_line",
    "deal_size",
    "budget",
    "timeline",
    "current_solution",
    "pain_point",
)
ANSWERS_OF_COMPANY = (
    "name",
    "domain",
    "employee_count",
    "industry",
    "technologies",
    "growth_signals",
    "country",
)


@dataclass(slots=True)
class Merged:
    """What a merge did: the fields it filled, and those where the other value was only kept beside."""

    filled: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.filled or self.differing)


def clean_answer(kind: type[Lead | Company], name: str, value: object) -> Value:
    """The value as it is stored. Raises InvalidInput naming the field if it cannot be."""
    if name in WHOLE_NUMBERS:
        return clean_count(name, value)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidInput("This must be text.", field=name)
    text = value.strip()
    if "\x00" in text:
        raise InvalidInput("This holds a NUL character; remove it.", field=name)
    if kind is Lead and name == "email":
        return normalise_email(text) if text else ""
    if kind is Company and name == "domain":
        return normalise_domain(text)
    limit = _limits(kind)[name]
    if limit is not None and len(text) > limit:
        raise InvalidInput(f"This is longer than {limit} characters.", field=name)
    return text


@cache
def _limits(kind: type[Lead | Company]) -> dict[str, int | None]:
    return {field.name: getattr(field, "max_length", None) for field in kind._meta.concrete_fields}


def fill_blanks(record: Lead | Company, answers: Mapping[str, Value], *, now: datetime, via: str) -> Merged:
    """Fill what is blank; keep a contradicting answer beside the one held (INTAKE-1). The answers are clean.

    The caller holds the row's lock. Saying the same again changes nothing.
    """
    merged = Merged()
    for name, value in answers.items():
        if value in ("", None):
            continue
        if is_blank(record, name):
            _note_change(record, name, value, by=None, at=now, via=via)
            setattr(record, name, value)
            merged.filled.append(name)
        elif not _same(getattr(record, name), value):
            merged.differing.append(name)
    if merged.filled:
        record.save(update_fields=merged.filled)
    if merged.differing:
        merged.differing = keep_other_answers(
            record, {name: answers[name] for name in merged.differing}, now=now, via=via
        )
    return merged


# Prepared: sources contradict each other all day, and composing them takes longer than running them.
_KEPT = "SELECT field, value FROM leads_otheranswer WHERE {about} = %(id)s::bigint"
_KEEP = """
INSERT INTO leads_otheranswer ({about}, field, value, source, said_at)
SELECT %(id)s::bigint, said.key, said.value, %(source)s::text, %(said_at)s::timestamptz
FROM json_each_text(%(answers)s::json) said
ON CONFLICT DO NOTHING
"""


def keep_other_answers(
    record: Lead | Company, answers: Mapping[str, Value], *, now: datetime, via: str
) -> list[str]:
    """Keep what a further source said beside what is held; name the fields where that was new."""
    fresh = _not_kept_yet(record, answers)
    if fresh:
        parameters = {"id": record.pk, "answers": json.dumps(fresh), "source": via, "said_at": now}
        with connection.cursor() as cursor:
            execute_prepared(cursor, _KEEP.format(about=_about(record)), parameters)
    return list(fresh)


def _not_kept_yet(
    record: Lead | Company, answers: Mapping[str, Value], kept: Sequence[Sequence[str]] | None = None
) -> dict[str, str]:
    if kept is None:
        with connection.cursor() as cursor:
            execute_prepared(cursor, _KEPT.format(about=_about(record)), {"id": record.pk})
            kept = cursor.fetchall()
    return {
        name: str(value)
        for name, value in answers.items()
        if not any(name == field and same_text(text, str(value)) for field, text in kept)
    }


def is_all_known(
    record: Lead | Company, answers: Mapping[str, Value], *, kept: Sequence[Sequence[str]] | None = None
) -> bool:
    """Whether fill_blanks would change nothing: each answer is held, or kept beside. Needs no lock.

    `kept`: field and value of the other answers, for a caller who has read them.
    """
    said = {name: value for name, value in answers.items() if value not in ("", None)}
    other = {name: value for name, value in said.items() if not _same(getattr(record, name), value)}
    if any(is_blank(record, name) for name in other):
        return False
    return not other or not _not_kept_yet(record, other, kept)


def replace_values(
    record: Lead | Company, values: Mapping[str, object], *, by: User | None, at: datetime, via: str
) -> list[str]:
    """Overwrite answers, keeping the replaced ones in the history; name the fields that changed.

    The caller holds the row's lock. Raises InvalidInput for a field that is no answer or a value that
    cannot be.
    """
    known = (*ANSWERS_OF_LEAD, "email") if isinstance(record, Lead) else ANSWERS_OF_COMPANY
    changed = []
    for name, given in values.items():
        if name not in known:
            raise InvalidInput(f"There is no answer named {name!r}.", field=name)
        value = clean_answer(type(record), name, given)
        if value == getattr(record, name):
            continue
        _check_key(record, name, value)
        _note_change(record, name, value, by=by, at=at, via=via)
        setattr(record, name, value)
        changed.append(name)
    if changed:
        record.save(update_fields=changed)
    return changed


def attach_company(lead: Lead, company: Company, *, by: User | None = None, now: datetime, via: str) -> None:
    """Say where the lead works, keeping what was said before in the history."""
    _note_change(lead, "company", company.pk, by=by, at=now, via=via)
    lead.company = company
    lead.save(update_fields=["company"])


def is_blank(record: Lead | Company, name: str) -> bool:
    """A company that is named after its domain has no name yet."""
    value = getattr(record, name)
    if isinstance(record, Company) and name == "name" and value == record.domain:
        return True
    return value in ("", None)


def same_text(one: str, other: str) -> bool:
    """Whether two answers say the same but for case and spacing."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


def says_nothing_new(record: Lead | Company, answers: Mapping[str, Value]) -> bool:
    """Whether filling in these clean answers would change nothing and keep nothing beside."""
    return all(value in ("", None) or _same(getattr(record, name), value) for name, value in answers.items())


def _same(held: Value, said: Value) -> bool:
    if isinstance(held, str) and isinstance(said, str):
        return same_text(held, said)
    return held == said


def _check_key(record: Lead | Company, name: str, value: Value) -> None:
    """An address or a domain belongs to one row, and a lead is known by one; say so before the database."""
    if isinstance(record, Lead) and name == "email" and not (value or record.external_id):
        raise InvalidInput("Without an e-mail address this lead could not be known again.", field="email")
    if name not in ("email", "domain") or not value:
        return
    if type(record)._default_manager.filter(**{name: value}).exists():
        noun = "lead" if name == "email" else "company"
        raise InvalidInput(f"Another {noun} has {value} already.", field=name)


def _note_change(
    record: Lead | Company, name: str, value: Value, *, by: User | None, at: datetime, via: str
) -> None:
    held = record.company_id if isinstance(record, Lead) and name == "company" else getattr(record, name)
    AttributeChange.objects.create(
        **_of(record),
        field=name,
        old_value="" if held is None else str(held),
        new_value="" if value is None else str(value),
        changed_at=at,
        source=via,
        by=by,
    )


def _about(record: Lead | Company) -> str:
    return "lead_id" if isinstance(record, Lead) else "company_id"


def _of(record: Lead | Company) -> dict[str, Lead | Company]:
    return {"lead" if isinstance(record, Lead) else "company": record}
