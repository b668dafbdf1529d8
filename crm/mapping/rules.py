"""Which field of ours is which of theirs, which way it travels, and who is right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from crm.mapping.catalogue import PORTAL_FIELDS, PortalField

LEAD_KEY = "Portal_Lead_Id__c"
TASK_KEY = "Portal_Task_Id__c"


class Direction(StrEnum):
    PUSH = "push"
    PULL = "pull"
    BOTH = "both"
    OFF = "off"


class Precedence(StrEnum):
    """Who is right when both sides changed a field."""

    OURS = "ours"
    THEIRS = "theirs"
    NEWEST = "newest"
    OURS_IF_BLANK = "ours_if_blank"


@dataclass(frozen=True)
class FieldRule:
    """How one field is exchanged. `max_length` and `remote_type` are what `describe` said of the field there;
    None and blank as long as nobody asked."""

    object_name: str
    portal_field: str
    salesforce_field: str
    direction: Direction = Direction.PUSH
    rule: Precedence = Precedence.OURS
    sends_blanks: bool = False
    max_length: int | None = None
    remote_type: str = ""

    @cached_property
    def portal(self) -> PortalField:
        """Our field. Raises KeyError for a name that the catalogue does not know."""
        return PORTAL_FIELDS[self.portal_field]

    @property
    def is_sent(self) -> bool:
        return self.direction in (Direction.PUSH, Direction.BOTH)

    @property
    def is_read(self) -> bool:
        return self.direction in (Direction.PULL, Direction.BOTH)


@dataclass(frozen=True)
class Rules:
    """The whole mapping, as it was at one moment."""

    fields: tuple[FieldRule, ...] = ()

    @cached_property
    def sent_of_lead(self) -> tuple[FieldRule, ...]:
        """The fields of the Lead that we write."""
        return tuple(rule for rule in self.fields if rule.object_name == "Lead" and rule.is_sent)

    @cached_property
    def sent_of_task(self) -> tuple[FieldRule, ...]:
        """The fields of the Task that we write, besides those that make it a task."""
        return tuple(rule for rule in self.fields if rule.object_name == "Task" and rule.is_sent)

    @cached_property
    def read_of_lead(self) -> tuple[FieldRule, ...]:
        """The fields of the Lead that we take over."""
        return tuple(rule for rule in self.fields if rule.object_name == "Lead" and rule.is_read)

    @cached_property
    def contested_of_lead(self) -> tuple[FieldRule, ...]:
        """Those of both sides where ours is not right in any case: what is there must be looked at before it
        is overwritten."""
        return tuple(
            rule
            for rule in self.read_of_lead
            if rule.direction is Direction.BOTH and rule.rule is not Precedence.OURS
        )

    @cached_property
    def by_salesforce_field(self) -> dict[tuple[str, str], FieldRule]:
        """Each rule by object and field there; also those that are off."""
        return {(rule.object_name, rule.salesforce_field): rule for rule in self.fields}
