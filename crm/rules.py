"""The mapping of fields as the admin keeps it, in the form that the push and the pull work by."""

from __future__ import annotations

from crm.mapping import Direction, FieldRule, Precedence, Rules
from crm.models import FieldMapping


def load_rules() -> Rules:
    """The rules as they stand, in one query: ask once per batch, so that all of it goes by the same."""
    return Rules(tuple(_rule(mapping) for mapping in FieldMapping.objects.order_by("pk")))


def _rule(mapping: FieldMapping) -> FieldRule:
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
