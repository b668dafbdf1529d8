"""Facts from outside: a person is recorded or merged, what they did is appended. Every channel ends here.

Lock order: Lead (several: in id order), then Company. See ARCHITECTURE.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from common.errors import InvalidInput
from leads.activities import NewActivity, append_activities, mark_leads_of
from leads.attributes import ANSWERS_OF_LEAD, Merged, clean_answer, fill_blanks, keep_other_answers
from leads.companies import clean_company, domain_of, fill_company, merge_company, new_company
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.models import Activity, Lead, LeadEvent
from leads.newcomers import Known, insert_newcomer, look_for
from leads.services import (
    FIRST_REVISION,
    log_event,
    mark_facts_changed,
    nudge_lead,
)

# Each race lost shows the winner's row to the next try; a third loss needs two other writers in between.
TRIES = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RecordedLead:
    """`created`: the person was not known. `changed`: something was learnt."""

    lead: Lead
    created: bool
    changed: bool


def record_lead(
    facts: LeadFacts, *, via: str, now: datetime, by: User | None = None, nudge: bool = True
) -> RecordedLead:
    """Make the lead, or merge what is new into the one we have (INTAKE-1), and mark it as changed.

    Two at once for one person make one lead. Saying the same again changes nothing. `nudge=False` for a
    caller that advances the lead itself, right after. Raises InvalidInput(field=…).
    """
    clean = clean_lead(facts)
    return retry_lost_races(lambda: record_clean_lead(clean, via=via, now=now, by=by, nudge=nudge))


def retry_lost_races(work: Callable[[], T]) -> T:
    """Do the work in a transaction; again, if somebody was quicker with an address or an id that it wrote:
    the next look finds their row."""
    for _ in range(TRIES - 1):
        try:
            with transaction.atomic():
                return work()
        except IntegrityError:
            continue
    with transaction.atomic():
        return work()


def clean_lead(facts: LeadFacts) -> LeadFacts:
    """The facts as they are stored. Raises InvalidInput with the field in the API's terms."""
    names = ("email", "source_system", "external_id", *ANSWERS_OF_LEAD)
    values = {name: clean_answer(Lead, name, getattr(facts, name)) for name in names}
    if bool(values["source_system"]) != bool(values["external_id"]):
        missing = "external_id" if values["source_system"] else "source_system"
        raise InvalidInput("An external id and its source system go together.", field=missing)
    if not values["email"] and not values["external_id"]:
        raise InvalidInput("Give an e-mail address, or an external id with its source system.", field="email")
    try:
        company = clean_company(facts.company)
    except InvalidInput as error:
        raise InvalidInput(str(error), field=f"company.{error.field}") from error
    return replace(facts, company=company, **values)  # type: ignore[arg-type]


def record_clean_lead(
    facts: LeadFacts, *, via: str, now: datetime, by: User | None, nudge: bool, marks_new: bool = True
) -> RecordedLead:
    """record_lead for clean facts, in the transaction of a caller who retries lost races. Locks the lead.

    `marks_new=False` for a caller who advances new leads in this transaction: they get no mark.
    """
    domain = domain_of(facts.company or CompanyFacts(), email=facts.email)
    known = look_for(facts, domain=domain)
    lead = _find_lead(facts) if known.person else None
    if lead is None:
        lead = _new_lead(facts, known, domain=domain, via=via, now=now)
        lead.advance_at = now if marks_new else None
        insert_newcomer(lead, by=by, via=via)
        if nudge:
            nudge_lead(lead.pk)
        return RecordedLead(lead, created=True, changed=True)

    merged = _merge_lead(lead, facts, via=via, now=now)
    if merged:
        log_event(
            lead,
            LeadEvent.Kind.MERGED,
            at=now,
            by=by,
            via=via,
            filled=merged.filled,
            differing=merged.differing,
        )
    if merged.filled:
        mark_facts_changed(lead, fields=merged.filled, at=now, nudge=nudge)
    return RecordedLead(lead, created=False, changed=bool(merged))


def _find_lead(facts: LeadFacts) -> Lead | None:
    """The lead with this address, else with this external id, locked."""
    keys = Q(email=facts.email) if facts.email else Q()
    if facts.external_id:
        keys |= Q(source_system=facts.source_system, external_id=facts.external_id)
    found = list(
        Lead.objects.filter(keys)
        .select_related("company")
        .select_for_update(of=("self",), no_key=True)
        .order_by("id")
    )
    by_email = (lead for lead in found if facts.email and lead.email == facts.email)
    return next(by_email, found[0] if found else None)


def _new_lead(facts: LeadFacts, known: Known, *, domain: str, via: str, now: datetime) -> Lead:
    """The lead to insert, at its company, which is filled from the facts or is to be inserted too."""
    said, company = facts.company or CompanyFacts(), known.company
    if company:
        fill_company(company, said, kept=known.kept, now=now, via=via)
    elif domain or said.name:
        company = new_company(said, domain=domain, now=now)
    return Lead(
        email=facts.email,
        source_system=facts.source_system,
        external_id=facts.external_id,
        **{name: getattr(facts, name) for name in ANSWERS_OF_LEAD},
        company=company,
        consent_at=facts.consent_at,
        created_at=now,
        revision=FIRST_REVISION,
    )


def _merge_lead(lead: Lead, facts: LeadFacts, *, via: str, now: datetime) -> Merged:
    """Company first: a transaction that fills an address must not go on to wait for a company."""
    email = lead.email or facts.email
    merged = merge_company(lead, facts.company or CompanyFacts(), email=email, now=now, via=via)
    answers = {name: getattr(facts, name) for name in ("email", *ANSWERS_OF_LEAD)}
    of_lead = fill_blanks(lead, answers, now=now, via=via)
    _merge_external_id(lead, facts, of_lead, now=now, via=via)
    if facts.consent_at and not lead.consent_at:
        lead.consent_at = facts.consent_at
        lead.save(update_fields=["consent_at"])
        of_lead.filled.append("consent_at")
    return Merged(merged.filled + of_lead.filled, merged.differing + of_lead.differing)


def _merge_external_id(lead: Lead, facts: LeadFacts, merged: Merged, *, now: datetime, via: str) -> None:
    """The first external id stays the key; a further one is kept beside it."""
    said = (facts.source_system, facts.external_id)
    if not facts.external_id or said == (lead.source_system, lead.external_id):
        return
    taken = Lead.objects.filter(source_system=said[0], external_id=said[1]).exists()
    if lead.external_id or taken:
        other = {"external_id": f"{facts.source_system}:{facts.external_id}"}
        merged.differing += keep_other_answers(lead, other, now=now, via=via)
        return
    lead.source_system, lead.external_id = said
    lead.save(update_fields=["source_system", "external_id"])
    merged.filled.append("external_id")


# --- Activities ---------------------------------------------------------------------------------


def record_activity(
    lead: Lead, facts: ActivityFacts, *, via: str, now: datetime, nudge: bool = True
) -> Activity | None:
    """Append one event of the lead and mark it. None: the message id was seen before, nothing changed."""
    return record_activities([(lead, facts)], via=via, now=now, nudge=nudge)[0]


@transaction.atomic
def record_activities(
    items: Sequence[tuple[Lead, ActivityFacts]], *, via: str, now: datetime, nudge: bool = True
) -> list[Activity | None]:
    """Append many events in a few statements, and mark their leads. One answer for each item, in order:
    None where the message id was seen before. Locks the leads in id order."""
    lead_ids = sorted({lead.pk for lead, _ in items})
    locked = Lead.objects.filter(pk__in=lead_ids).select_for_update(of=("self",), no_key=True).order_by("id")
    list(locked.values_list("pk"))
    return append_activities(
        [NewActivity(facts, lead_id=lead.pk) for lead, facts in items], via=via, now=now, nudge=nudge
    )


@transaction.atomic
def adopt_activities(lead: Lead, visitor_ids: Iterable[int], *, now: datetime) -> None:
    """Give the lead what it did before anybody knew who it was: known as its own from `now` on.

    The caller holds the visitors' locks.
    """
    unclaimed = Activity.objects.filter(visitor__in=list(visitor_ids), lead=None)
    activity_ids = list(unclaimed.values_list("pk", flat=True))
    if not activity_ids:
        return
    lead.refresh_from_db(from_queryset=Lead.objects.select_for_update(of=("self",), no_key=True))
    Activity.objects.filter(pk__in=activity_ids).update(lead=lead, attributed_at=now)
    mark_leads_of(activity_ids, lead_ids=[lead.pk], now=now, nudge=True)
