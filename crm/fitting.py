"""Whether the mapping fits the org: each of its fields compared with what `describe` said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.urls import reverse

from accounts.models import User
from crm.client import SalesforceClient
from crm.describing import Description, describe_org, read_descriptions
from crm.mapping import PORTAL_FIELDS
from crm.mapping.checking import RemoteField, find_problem
from crm.models import FieldMapping
from crm.owners import map_queues_by_name
from crm.rules import as_rule
from handoffs.models import Handoff
from leads.models import Company, Lead
from notifications.models import Notification
from notifications.services import notify_users
from scoring.models import LeadScore

# More values than anybody would add to a picklist by hand.
MOST_VALUES = 200
FIELDS_NAMED = 5

_VOCABULARY: Mapping[str, Collection[str]] = {
    "stage": Lead.Stage.values,
    "handoff_status": Handoff.Status.values,
    "category": LeadScore.Category.values,
    "warmth": LeadScore.Warmth.values,
}


def check_against_org(client: SalesforceClient, *, now: datetime) -> list[FieldMapping]:
    """Ask Salesforce anew what its fields are like, and compare the mapping; pools find their queues by the
    way. Raises SalesforceError."""
    describe_org(client, now=now)
    map_queues_by_name(now=now)
    return check_mapping(now=now)


def check_mapping(*, now: datetime) -> list[FieldMapping]:
    """Note on each field of the mapping what is wrong with it, as far as the org was described; those with a
    problem come back."""
    descriptions = read_descriptions()
    mappings = [one for one in FieldMapping.objects.order_by("pk") if one.object_name in descriptions]
    for mapping in mappings:
        compare(mapping, descriptions[mapping.object_name], now=now)
    FieldMapping.objects.bulk_update(mappings, ["remote_type", "max_length", "problem", "checked_at"])
    return [mapping for mapping in mappings if mapping.problem]


def report_misfits(wrong: Sequence[FieldMapping], *, now: datetime) -> None:
    """Tell the operators which fields do not fit, once a day as long as it is so."""
    if not wrong:
        return
    named = ", ".join(str(mapping) for mapping in wrong[:FIELDS_NAMED])
    more = len(wrong) - FIELDS_NAMED
    notify_users(
        User.objects.filter(role=User.Role.OPERATOR, is_active=True),
        kind=Notification.Kind.CRM,
        dedupe_key=f"crm-mapping-{now:%Y-%m-%d}",
        title="Salesforce: fields of the mapping do not fit",
        body=f"{named}{f' and {more} more' if more > 0 else ''}. What is wrong with each stands beside it.",
        url=reverse("admin:crm_fieldmapping_changelist"),
        now=now,
    )


def compare(mapping: FieldMapping, described: Description, *, now: datetime) -> None:
    """Set on the row, unsaved, what describe says of its field, and what is wrong."""
    remote = described.field(mapping.salesforce_field)
    if remote is not None:
        mapping.remote_type, mapping.max_length = remote.type, remote.max_length
    mapping.checked_at = now
    if mapping.portal_field not in PORTAL_FIELDS:
        mapping.problem = "The portal has no such field any more. Remove this line."
        return
    mapping.problem = find_problem(as_rule(mapping), remote, said=_values_said(mapping, remote))


def _values_said(mapping: FieldMapping, remote: RemoteField | None) -> Collection[str]:
    """What the portal would send to a restricted picklist. Only for one: it looks through all leads."""
    if remote is None or remote.values is None:
        return ()
    if mapping.portal_field in _VOCABULARY:
        return _VOCABULARY[mapping.portal_field]
    target = PORTAL_FIELDS[mapping.portal_field].target
    if target is None:
        return ()
    records = Company.objects.all() if target.record == "company" else Lead.objects.all()
    said = records.exclude(**{target.attribute: ""}).order_by().values_list(target.attribute, flat=True)
    return list(said.distinct()[:MOST_VALUES])
