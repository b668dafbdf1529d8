"""How far each object was read, by Salesforce's clock (CRM-3)."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Q

from crm.models import PullCursor
from crm.problems import Problem

LEADS, DEALS, REMOVALS, HISTORY = "Lead", "Opportunity", "Lead removals", "LeadHistory"
# How far pushes were followed up, by our own clock.
MEMBERS = "CampaignMember"


def cursor_of(name: str) -> PullCursor:
    return PullCursor.objects.get_or_create(object_name=name)[0]


def move_cursor(cursor: PullCursor, *, to: datetime | None, now: datetime) -> None:
    """The reading went through. Somebody who meanwhile set the cursor back, to have rows read again, keeps
    it there."""
    PullCursor.objects.filter(pk=cursor.pk).update(succeeded_at=now, error="")
    if to is not None:
        unmoved = Q(cursor=cursor.cursor) if cursor.cursor else Q(cursor=None)
        PullCursor.objects.filter(unmoved, pk=cursor.pk).update(cursor=to)


def note_trouble(cursor: PullCursor, problem: Problem, *, now: datetime) -> None:
    """The reading broke off, or could not read all: what is wrong, for the operators' page."""
    PullCursor.objects.filter(pk=cursor.pk).update(failed_at=now, error=problem.in_plain_words[:600])


def as_literal(moment: datetime) -> str:
    """A moment as SOQL wants it: UTC, and no quotes."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
