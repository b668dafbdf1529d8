"""The verbs on a lead that every layer above uses. All but correct_lead are called under the lead's lock.

Facts from outside come in through leads.intake; this module moves leads along and keeps the log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Least
from psycopg.types.json import Jsonb

from accounts.models import Team, User
from common.bulk import insert_rows, update_rows
from common.errors import DomainError
from common.queue import enqueue
from leads.attributes import replace_values
from leads.companies import correct_company
from leads.fit import is_awaited
from leads.models import Lead, LeadEvent, OtherAnswer
from leads.whole_numbers import WHOLE_NUMBERS

# The revision of a lead whose log holds nothing but its creation.
FIRST_REVISION = 1
HOLD_FIELDS = ("hold", "held_until", "held_for")


class StageNotReachable(DomainError):
    """The protocol knows no such move."""

    def __init__(self, lead: Lead, to: Lead.Stage) -> None:
        super().__init__(f"A lead that is {Lead.Stage(lead.stage).label} cannot become {to.label}.")


# --- The log ------------------------------------------------------------------------------------

# Most verbs write an entry, some of them many: one statement, and nothing for Django to compose.
_LOG = """
    WITH entry AS (
        INSERT INTO leads_leadevent (lead_id, kind, at, by_id, handoff_id, detail)
        VALUES (%(lead)s, %(kind)s, %(at)s, %(by)s, %(handoff)s, %(detail)s)
    )
    UPDATE leads_lead SET revision = revision + 1 WHERE id = %(lead)s"""


def log_event(
    lead: Lead,
    kind: LeadEvent.Kind,
    *,
    at: datetime,
    by: User | None = None,
    handoff_id: int | None = None,
    **detail: object,
) -> None:
    """Append to the lead's log and bump its revision: the one place that does, under the lead's lock.

    `detail` must be JSON without personal data: the log cannot be edited, so nothing may have to be erased.
    """
    parameters: dict[str, Any] = {
        "lead": lead.pk,
        "kind": str(kind),
        "at": at,
        "by": by and by.pk,
        "handoff": handoff_id,
        "detail": Jsonb(detail),
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOG, parameters)
    lead.revision += 1


def log_created(leads: Sequence[Lead], *, by: User | None = None, via: str) -> None:
    """Begin the logs of leads just inserted. They come with FIRST_REVISION: this entry is what it counts."""
    LeadEvent.objects.bulk_create(event_of_creation(lead, by=by, via=via) for lead in leads)


def event_of_creation(lead: Lead, *, by: User | None, via: str) -> LeadEvent:
    """The first entry of a lead's log, to be inserted with the lead."""
    return LeadEvent(lead=lead, kind=LeadEvent.Kind.CREATED, at=lead.created_at, by=by, detail={"via": via})


class Entry(NamedTuple):
    """What is still to be written into the log of a lead."""

    lead_id: int
    kind: LeadEvent.Kind
    detail: Mapping[str, Any]
    handoff_id: int | None = None
    by_id: int | None = None
    at: datetime | None = None
    """When it happened, if not when it is written down."""


def log_events(details: Mapping[int, Mapping[str, object]], *, kind: LeadEvent.Kind, at: datetime) -> None:
    """log_event for many leads, named by id with the detail of each, in two statements.

    The caller holds their locks; lead objects it has in hand keep the old revision.
    """
    _insert_entries((Entry(lead_id, kind, detail) for lead_id, detail in details.items()), at=at)
    Lead.objects.filter(pk__in=details.keys()).update(revision=F("revision") + 1)


def log_entries(entries: Sequence[Entry], *, at: datetime) -> None:
    """log_event for many entries, any number of them for a lead, in two statements.

    The caller holds the leads' locks; lead objects it has in hand keep the old revision.
    """
    _insert_entries(entries, at=at)
    added = Counter(entry.lead_id for entry in entries)
    update_rows(Lead, [{"id": pk, "revision": n} for pk, n in added.items()], growing=("revision",))


def _insert_entries(entries: Iterable[Entry], *, at: datetime) -> None:
    insert_rows(LeadEvent, [entry._asdict() | {"at": entry.at or at} for entry in entries])


# --- Marks --------------------------------------------------------------------------------------


def mark_lead_changed(lead: Lead, *, now: datetime, nudge: bool = True) -> None:
    """Ask the layers above to look at the lead from `now` on, and give a parked one another chance.

    `nudge=False` for a caller that looks itself, right after the commit.
    """
    # PostgreSQL's LEAST passes over nulls.
    Lead.objects.filter(pk=lead.pk).update(
        advance_at=Least("advance_at", Value(now)),
        advance_attempts=0,
        advance_parked_at=None,
        advance_error="",
    )
    lead.advance_at = min(lead.advance_at or now, now)
    lead.advance_attempts, lead.advance_parked_at, lead.advance_error = 0, None, ""
    if nudge:
        nudge_lead(lead.pk)


def nudge_lead(lead_id: int) -> None:
    """Have the lead looked at soon. For latency only: the mark is what counts."""
    enqueue(settings.LEAD_CHANGED_TASK, lead_id)


# --- Where it stands ----------------------------------------------------------------------------


@transaction.atomic
def move_stage(
    lead: Lead, *, to: Lead.Stage, at: datetime, by: User | None = None, handoff_id: int | None = None
) -> None:
    """Move the lead along the lifecycle. To stay is no move. Raises StageNotReachable."""
    if lead.stage == to:
        return
    if to not in Lead.MOVES[lead.stage]:
        raise StageNotReachable(lead, to)
    came_from, lead.stage = lead.stage, to
    lead.save(update_fields=["stage"])
    log_event(
        lead,
        LeadEvent.Kind.STAGE_CHANGED,
        at=at,
        by=by,
        handoff_id=handoff_id,
        **{"from": came_from, "to": to.value},
    )


def assign_lead(lead: Lead, *, owner: User | None, team: Team | None) -> None:
    """Say whose lead it is: this is what visible_to() asks. The verb that assigns keeps the log."""
    if (lead.owner_id, lead.team_id) == (owner and owner.pk, team and team.pk):
        return
    lead.owner, lead.team = owner, team
    lead.save(update_fields=["owner", "team"])


def assign_leads(
    assignments: Mapping[int, tuple[User | None, Team | None]], entries: Sequence[Entry], *, at: datetime
) -> None:
    """assign_lead for many, named by id with owner and team of each, and the entries that go with it.

    The caller holds their locks; lead objects it has in hand keep the old revision. The row of a lead is
    written once, whatever the number of its entries: it has many indexes, and each version is in all of them.
    """
    added = Counter(entry.lead_id for entry in entries)
    update_rows(
        Lead,
        [
            {
                "id": lead_id,
                "owner_id": owner and owner.pk,
                "team_id": team and team.pk,
                "revision": added[lead_id],
            }
            for lead_id, (owner, team) in assignments.items()
        ],
        growing=("revision",),
    )
    _insert_entries(entries, at=at)


def hold_lead(
    lead: Lead, *, hold: Lead.Hold, until: datetime | None, at: datetime, awaited: Sequence[str] = ()
) -> None:
    """Keep a returned lead from qualifying again. `until` belongs to Hold.UNTIL_DATE alone, `awaited` to
    Hold.UNTIL_FIT_CHANGES: the fields of which one must change, else any fit attribute.

    That it was returned is a fact of its score (SCORE-8), so it is looked at again.
    """
    lead.hold, lead.held_until, lead.held_for = hold, until, list(awaited)
    lead.recycled_at = at
    lead.trips += 1
    lead.save(update_fields=["hold", "held_until", "held_for", "recycled_at", "trips"])
    mark_lead_changed(lead, now=at, nudge=False)


@transaction.atomic
def release_lead(lead: Lead, *, at: datetime, nudge: bool = True) -> None:
    """Let a held lead qualify again, and have it looked at. A lead that is not held stays as it is.

    What a lead held until its fit changes was waiting for *is* the new evidence that qualifying again asks
    for (FEED-2); after any other hold the evidence must still come.
    """
    if lead.hold == Lead.Hold.NONE:
        return
    was_held = _end_hold(lead)
    if was_held == Lead.Hold.UNTIL_FIT_CHANGES:
        lead.recycled_at = None
    lead.save(update_fields=[*HOLD_FIELDS, "recycled_at"])
    log_event(lead, LeadEvent.Kind.RELEASED, at=at, hold=was_held)
    mark_lead_changed(lead, now=at, nudge=nudge)


def void_return(lead: Lead, *, handoff_id: int, at: datetime) -> None:
    """Let a lead qualify again as if sales had not returned it: the return was wrong, or its cause is gone.

    The entry names the handoff, so that whoever looks for returns that count leaves it out. Nobody is nudged:
    the caller scores the lead.
    """
    was_held = _end_hold(lead)
    lead.recycled_at = None
    lead.trips = max(0, lead.trips - 1)
    lead.save(update_fields=[*HOLD_FIELDS, "recycled_at", "trips"])
    log_event(lead, LeadEvent.Kind.RELEASED, at=at, handoff_id=handoff_id, hold=was_held)
    mark_lead_changed(lead, now=at, nudge=False)


def undo_return(
    lead: Lead,
    *,
    stage: Lead.Stage,
    trips: int,
    recycled_at: datetime | None,
    at: datetime,
    by: User,
    handoff_id: int,
) -> None:
    """Put a lead back where it stood before sales returned it: not held, and without that trip.

    This goes against the order of the stages, so it is no move; the log keeps both.
    """
    came_from, lead.stage = lead.stage, stage
    _end_hold(lead)
    lead.trips, lead.recycled_at = trips, recycled_at
    lead.save(update_fields=["stage", *HOLD_FIELDS, "trips", "recycled_at"])
    if came_from != stage:
        log_event(
            lead,
            LeadEvent.Kind.STAGE_CHANGED,
            at=at,
            by=by,
            handoff_id=handoff_id,
            **{"from": came_from, "to": stage.value},
        )
    mark_lead_changed(lead, now=at, nudge=False)


def _end_hold(lead: Lead) -> str:
    """Take the hold off the row in hand, unsaved (HOLD_FIELDS); return what it was."""
    was_held, lead.hold = lead.hold, Lead.Hold.NONE
    lead.held_until, lead.held_for = None, []
    return was_held


# --- Corrections --------------------------------------------------------------------------------


@transaction.atomic
def correct_lead(
    lead: Lead, *, changes: Mapping[str, object], by: User | None, at: datetime, via: str
) -> list[str]:
    """Overwrite answers on the word of a person or of Salesforce, and return the fields that changed.

    Fields of the company are named "company.industry" and so on. The replaced values stay in the history.
    Values equal to those held change nothing, so repeating it is harmless. Raises InvalidInput(field=…).
    """
    lead.refresh_from_db(from_queryset=Lead.objects.select_for_update(of=("self",), no_key=True))
    of_lead = {name: value for name, value in changes.items() if not name.startswith("company.")}
    of_company = {
        name.removeprefix("company."): value for name, value in changes.items() if name.startswith("company.")
    }
    changed = []
    if of_company:
        # Before the lead's own values: who fills an address must not wait for a company (lock order).
        changed += [f"company.{name}" for name in correct_company(lead, of_company, by=by, at=at, via=via)]
    changed += replace_values(lead, of_lead, by=by, at=at, via=via)
    if changed:
        log_event(lead, LeadEvent.Kind.ATTRIBUTES_CHANGED, at=at, by=by, fields=changed, via=via)
        mark_facts_changed(lead, fields=changed, at=at)
    return changed


@transaction.atomic
def take_answer(lead: Lead, answer: OtherAnswer, *, by: User, at: datetime) -> None:
    """Hold from now on what a further source said; what was held goes to the history.

    Raises InvalidInput if the value cannot be held, such as an address that another lead has.
    """
    name = f"company.{answer.field}" if answer.company_id else answer.field
    value: object = int(answer.value) if answer.field in WHOLE_NUMBERS else answer.value
    correct_lead(lead, changes={name: value}, by=by, at=at, via="portal")
    OtherAnswer.objects.filter(pk=answer.pk).delete()


def mark_facts_changed(lead: Lead, *, fields: list[str], at: datetime, nudge: bool = True) -> None:
    """Mark the lead as changed; one held until its fit changes is released if one of the attributes that it
    waits for did (FEED-2)."""
    if lead.hold == Lead.Hold.UNTIL_FIT_CHANGES and is_awaited(fields, awaited=lead.held_for):
        release_lead(lead, at=at, nudge=nudge)
    else:
        mark_lead_changed(lead, now=at, nudge=nudge)
