"""Many leads at once, as a file brings them: a few statements for hundreds, the same rules as for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction

from leads.addresses import company_domain
from leads.attributes import ANSWERS_OF_LEAD, says_nothing_new
from leads.companies import company_of_new_lead
from leads.facts import CompanyFacts, LeadFacts
from leads.import_rows import Row
from leads.intake import record_lead
from leads.models import Company, Lead
from leads.services import FIRST_REVISION, log_created

Key = tuple[str, ...]


def record_rows(rows: Sequence[Row], *, via: str, now: datetime) -> tuple[int, int]:
    """Record cleaned rows; answer how many leads were created and how many changed.

    New leads go in together, marked but without a nudge each: the sweep takes them. Known leads are merged
    one by one where a row says anything new. If somebody records one of the new ones meanwhile, all go one
    by one.
    """
    known = _known_leads([row.facts for row in rows])
    fresh: dict[Key, Row] = {}
    rest = []
    for row in rows:
        keys = _keys_of(row.facts)
        found = {key: known[key] for key in keys if key in known}
        if not found:
            known.update(dict.fromkeys(keys))
            fresh[keys[0]] = row
        elif not all(lead and _knows(lead, row.facts) for lead in found.values()):
            rest.append(row)
    created = changed = 0
    try:
        created = _create_leads(list(fresh.values()), via=via, now=now)
    except IntegrityError:
        rest = [*fresh.values(), *rest]
    for row in rest:
        recorded = record_lead(row.facts, via=via, now=now, nudge=False)
        created += recorded.created
        changed += recorded.changed and not recorded.created
    return created, changed


def _keys_of(facts: LeadFacts) -> list[Key]:
    by_email = [("email", facts.email)] if facts.email else []
    by_id = [("external", facts.source_system, facts.external_id)] if facts.external_id else []
    return [*by_email, *by_id]


def _known_leads(all_facts: Sequence[LeadFacts]) -> dict[Key, Lead | None]:
    """The leads there are, by each key. None, later: one that this file is about to create."""
    leads = Lead.objects.select_related("company")
    emails = [facts.email for facts in all_facts if facts.email]
    known: dict[Key, Lead | None] = {("email", lead.email): lead for lead in leads.filter(email__in=emails)}
    for system in {facts.source_system for facts in all_facts if facts.external_id}:
        ids = [facts.external_id for facts in all_facts if facts.source_system == system]
        found = leads.filter(source_system=system, external_id__in=ids)
        known |= {("external", system, lead.external_id): lead for lead in found}
    return known


def _knows(lead: Lead, facts: LeadFacts) -> bool:
    """Whether merging the facts would change nothing: then there is nothing to lock. Errs towards no."""
    answers = {
        name: getattr(facts, name) for name in ("email", "source_system", "external_id", *ANSWERS_OF_LEAD)
    }
    if not says_nothing_new(lead, answers) or (facts.consent_at and not lead.consent_at):
        return False
    said = asdict(facts.company or CompanyFacts())
    if lead.company is None:
        return not any(said.values()) and not company_domain(lead.email)
    return says_nothing_new(lead.company, said)


@transaction.atomic
def _create_leads(rows: Sequence[Row], *, via: str, now: datetime) -> int:
    """Insert them together. Raises IntegrityError if one of them exists meanwhile: then none is."""
    companies: dict[str, Company | None] = {}
    leads = Lead.objects.bulk_create(
        Lead(
            email=row.facts.email,
            source_system=row.facts.source_system,
            external_id=row.facts.external_id,
            **{name: getattr(row.facts, name) for name in ANSWERS_OF_LEAD},
            company=_company_of(row.facts, companies, now=now, via=via),
            consent_at=row.facts.consent_at,
            created_at=row.created_at or now,
            advance_at=now,
            revision=FIRST_REVISION,
        )
        for row in rows
    )
    log_created(leads, via=via)
    return len(leads)


def _company_of(
    facts: LeadFacts, known: dict[str, Company | None], *, now: datetime, via: str
) -> Company | None:
    """The company, looked up once for all rows that say no more of it than its domain."""
    said = facts.company or CompanyFacts()
    domain = said.domain or company_domain(facts.email)
    if domain in known and said == CompanyFacts(domain=said.domain):
        return known[domain]
    company = company_of_new_lead(said, email=facts.email, now=now, via=via)
    if domain:
        known[domain] = company
    return company
