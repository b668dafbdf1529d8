"""Companies: found by domain, made once, filled like leads, and their leads told when a fact changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from accounts.models import User
from common.errors import InvalidInput
from common.prepared import columns_of, execute_prepared
from leads.addresses import company_domain, is_free_mail
from leads.attributes import (
    ANSWERS_OF_COMPANY,
    Merged,
    attach_company,
    clean_answer,
    fill_blanks,
    is_all_known,
    is_blank,
    keep_other_answers,
    replace_values,
    same_text,
)
from leads.facts import CompanyFacts
from leads.models import Company, Lead


def clean_company(facts: CompanyFacts | None) -> CompanyFacts:
    """The facts as they are stored; a free-mail domain is no domain of a company (INTAKE-1).

    Raises InvalidInput with the field as "company.domain" and so on.
    """
    given = facts or CompanyFacts()
    values = {name: clean_answer(Company, name, getattr(given, name)) for name in ANSWERS_OF_COMPANY}
    if is_free_mail(str(values["domain"])):
        values["domain"] = ""
    return CompanyFacts(**values)  # type: ignore[arg-type]


def domain_of(facts: CompanyFacts, *, email: str) -> str:
    """The domain of the company that the facts are about: as said, else the address's; blank: unknown."""
    return facts.domain or company_domain(email)


def company_of_new_lead(facts: CompanyFacts, *, email: str, now: datetime, via: str) -> Company | None:
    """The company a new lead works for, made or filled from the facts; None if nothing is known of it."""
    domain = domain_of(facts, email=email)
    if domain:
        company = _company_of_domain(domain, facts, now=now)
        fill_company(company, facts, now=now, via=via)
        return company
    if facts.name:
        return _make_company(facts, domain="", now=now)
    return None


def merge_company(lead: Lead, facts: CompanyFacts, *, email: str, now: datetime, via: str) -> Merged:
    """Take what a further source says about where the lead works. The caller holds the lead's lock."""
    held = lead.company
    domain = domain_of(facts, email=email)
    if held is None:
        company = company_of_new_lead(facts, email=email, now=now, via=via)
        if company is None:
            return Merged()
        attach_company(lead, company, now=now, via=via)
        return Merged(filled=["company"])
    if facts == CompanyFacts() and (held.domain or not domain):
        return Merged()
    if not _about_the_same(held, facts, domain):
        said = facts.name or facts.domain
        return Merged(differing=keep_other_answers(lead, {"company": said}, now=now, via=via))
    if domain and not held.domain:
        # Until now it was known by name alone; the domain says which company it is.
        company = _company_of_domain(domain, facts, now=now)
        fill_company(company, _facts_of(held), now=now, via=via)
        fill_company(company, facts, now=now, via=via)
        attach_company(lead, company, now=now, via=via)
        return Merged(filled=["company"])
    return fill_company(held, facts, now=now, via=via)


def fill_company(
    company: Company,
    facts: CompanyFacts,
    *,
    now: datetime,
    via: str,
    kept: Sequence[Sequence[str]] | None = None,
) -> Merged:
    """Fill the company's blanks, and mark its leads to be told. Locks the row only if there is news.

    Its key stays free: who inserted the same lead, for which we may wait next, must be able to commit. `kept`
    is for a caller who has read what is kept beside (attributes.is_all_known).
    """
    answers = {name: getattr(facts, name) for name in ANSWERS_OF_COMPANY if name != "domain"}
    if is_all_known(company, answers, kept=kept):
        return Merged()
    _lock_and_refresh(company)
    merged = fill_blanks(company, answers, now=now, via=via)
    if merged.filled:
        _mark_spread(company, now=now)
    return Merged(
        filled=[f"company.{name}" for name in merged.filled],
        differing=[f"company.{name}" for name in merged.differing],
    )


def _lock_and_refresh(company: Company) -> None:
    columns = columns_of(Company, "company")
    sql = f"SELECT {columns} FROM leads_company company WHERE id = %(id)s::bigint FOR NO KEY UPDATE"
    with connection.cursor() as cursor:
        execute_prepared(cursor, sql, {"id": company.pk})
        row = cursor.fetchone()
    if row is None:
        raise Company.DoesNotExist
    for field, value in zip(Company._meta.concrete_fields, row, strict=True):
        setattr(company, field.attname, value)


def correct_company(
    lead: Lead, values: Mapping[str, object], *, by: User | None, at: datetime, via: str
) -> list[str]:
    """Overwrite facts of the lead's company, making one if it has none; name what changed.

    Raises InvalidInput; a company needs a name.
    """
    if "name" in values and not str(values["name"] or "").strip():
        raise InvalidInput("A company needs a name.", field="name")
    company = lead.company
    if company is None:
        name, domain = str(values.get("name") or ""), str(values.get("domain") or "")
        facts = clean_company(CompanyFacts(name=name, domain=domain))
        company = company_of_new_lead(facts, email=lead.email, now=at, via=via)
        if company is None:
            raise InvalidInput("The lead has no company yet; say its name too.", field="name")
        attach_company(lead, company, by=by, now=at, via=via)
    company = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    changed = replace_values(company, values, by=by, at=at, via=via)
    if changed:
        _mark_spread(company, now=at)
    lead.company = company
    return changed


def _about_the_same(held: Company, facts: CompanyFacts, domain: str) -> bool:
    """Whether the facts are about the company held: a domain decides; without one, the name."""
    if facts.domain and held.domain:
        return facts.domain == held.domain
    if domain and domain == held.domain:
        return True
    return not facts.name or is_blank(held, "name") or same_text(held.name, facts.name)


def _company_of_domain(domain: str, facts: CompanyFacts, *, now: datetime) -> Company:
    """The one company of a domain. Two transactions that make it at once get the same row."""
    company = Company.objects.filter(domain=domain).first()
    return company or _make_company(facts, domain=domain, now=now)


def new_company(facts: CompanyFacts, *, domain: str, now: datetime) -> Company:
    """A company to be inserted. Without a domain, nothing says that two of one name are the same."""
    return Company(
        name=facts.name or domain,
        domain=domain,
        employee_count=facts.employee_count,
        industry=facts.industry,
        technologies=facts.technologies,
        growth_signals=facts.growth_signals,
        country=facts.country,
        created_at=now,
    )


def _make_company(facts: CompanyFacts, *, domain: str, now: datetime) -> Company:
    company = new_company(facts, domain=domain, now=now)
    if not domain:
        company.save(force_insert=True)
        return company
    # Waits for whoever is inserting the same domain, then leaves theirs alone.
    Company.objects.bulk_create([company], ignore_conflicts=True)
    return Company.objects.get(domain=domain)


def _facts_of(company: Company) -> CompanyFacts:
    return CompanyFacts(
        name=company.name,
        employee_count=company.employee_count,
        industry=company.industry,
        technologies=company.technologies,
        growth_signals=company.growth_signals,
        country=company.country,
    )


def _mark_spread(company: Company, *, now: datetime) -> None:
    """The latest news counts: the sweep clears the mark only if none came while it told the leads."""
    Company.objects.filter(pk=company.pk).update(spread_at=now, attempts=0, parked_at=None, error="")
