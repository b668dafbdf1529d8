"""What of ours is what of theirs, as plain values: no database, no server."""

from crm.mapping.attempts import AttemptFacts, attempt_public_id, map_attempt
from crm.mapping.catalogue import NOT_PROVIDED, PORTAL_FIELDS, Kind, PortalField, Target
from crm.mapping.facts import HandoffFacts, LeadFacts, ScoreFacts
from crm.mapping.leads import changed_fields, map_lead, means_rejection
from crm.mapping.rules import LEAD_KEY, TASK_KEY, Direction, FieldRule, Precedence, Rules
from crm.mapping.settling import Settlement, settle
from crm.mapping.tasks import describe_package, map_task
from crm.mapping.values import Fields, as_kept, as_sent, as_stored

__all__ = [
    "LEAD_KEY",
    "NOT_PROVIDED",
    "PORTAL_FIELDS",
    "TASK_KEY",
    "AttemptFacts",
    "Direction",
    "FieldRule",
    "Fields",
    "HandoffFacts",
    "Kind",
    "LeadFacts",
    "PortalField",
    "Precedence",
    "Rules",
    "ScoreFacts",
    "Settlement",
    "Target",
    "as_kept",
    "as_sent",
    "as_stored",
    "attempt_public_id",
    "changed_fields",
    "describe_package",
    "map_attempt",
    "map_lead",
    "map_task",
    "means_rejection",
    "settle",
]
