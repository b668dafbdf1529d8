"""The mapping of fields as the admin keeps it, in the form that the push and the pull work by, and what
follows a change of it."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import transaction

from crm.changes import send_again
from crm.connection import connection_state
from crm.mapping import PORTAL_FIELDS, Direction, FieldRule, Precedence, Rules
from crm.models import Connection, FieldMapping, LeadSync
from crm.problems import Problem

# One statement; between two of them the push gets on with what is marked.
LEADS_AT_ONCE = 5000


def load_rules() -> Rules:
    """The rules as they stand, in one query: ask once per batch, so that all of it goes by the same."""
    mappings = FieldMapping.objects.filter(portal_field__in=PORTAL_FIELDS).order_by("pk")
    return Rules(tuple(as_rule(mapping) for mapping in mappings))


def as_rule(mapping: FieldMapping) -> FieldRule:
    """The rule that a row of the mapping stands for."""
    return FieldRule(
        mapping.object_name,
        mapping.portal_field,
        mapping.salesforce_field,
        Direction(mapping.direction),
        Precedence(mapping.rule),
        mapping.sends_blanks,
        mapping.max_length,
        mapping.remote_type,
    )


def compare_all_leads() -> None:
    """Have every lead compared with what Salesforce confirmed: the mapping changed. A mark; see
    `mark_next_leads`."""
    Connection.objects.filter(pk=connection_state().pk).update(compare_after=0)


@transaction.atomic
def mark_next_leads(*, now: datetime) -> bool:
    """Mark the next few thousand leads for comparison, if the mapping changed; False when none are left.

    A change in the meantime begins again at the first lead. Where nothing differs, no call is made.
    """
    state = Connection.objects.select_for_update(skip_locked=True).filter(compare_after__isnull=False).first()
    if state is None:
        return False
    after = LeadSync.objects.filter(pk__gt=state.compare_after).order_by("pk")
    ids = list(after.values_list("pk", flat=True)[:LEADS_AT_ONCE])
    if ids:
        send_again(LeadSync.objects.filter(pk__gt=state.compare_after, pk__lte=ids[-1]), now=now)
    state.compare_after = ids[-1] if ids else None
    state.save(update_fields=["compare_after"])
    return bool(ids)


def without_missing(rules: Rules, problem: Problem) -> Rules | None:
    """The mapping without the fields that Salesforce says it does not have; None if it names none of ours."""
    if problem.code != "INVALID_FIELD":
        return None
    named = {word.lower() for word in re.findall(r"\w+", problem.message)}
    kept = tuple(rule for rule in rules.fields if rule.salesforce_field.lower() not in named)
    return Rules(kept) if len(kept) < len(rules.fields) else None
