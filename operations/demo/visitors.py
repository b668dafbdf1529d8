"""Plays what people do on the website and in their mail: through the verbs of intake and the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from handoffs.pipeline import advance_lead
from leads.facts import ActivityFacts, CompanyFacts, LeadFacts
from leads.intake import record_activities, record_lead
from leads.models import Lead
from operations.demo.clockwork import Clockwork
from operations.demo.people import Person
from operations.demo.stories import Story
from operations.demo.website import is_loud

# What they write to us in, where it is not English.
LANGUAGES = {"Germany": "German", "Austria": "German", "Switzerland": "German"}
# What a form asks after, by what the trades come for.
PRODUCT_LINES = {
    "Manufacturing": "Production planning",
    "Logistics": "Tour planning",
    "Wholesale": "Tour planning",
    "Energy": "Field service",
}
PRICE_A_HEAD = 95


@dataclass
class Visitors:
    """The people of the stories, and which lead each has become."""

    clockwork: Clockwork
    seed: int
    on_advanced: Callable[[Story, datetime], None]
    lead_ids: dict[int, int] = field(default_factory=dict)
    _leads: dict[int, Lead] = field(default_factory=dict)
    # Who has shown intent. Others cannot become MQLs (SCORE-5): the weekly sweep scores them, many at once.
    _in_earnest: set[int] = field(default_factory=set)

    def schedule(self, story: Story) -> None:
        """Have every visit of the story played when it was over."""
        for index, visit in enumerate(story.visits):
            ended_at = visit.at + timedelta(seconds=visit.deeds[-1].after_seconds + 2)
            self.clockwork.schedule(ended_at, partial(self._visit, story, index))

    def _visit(self, story: Story, index: int, now: datetime) -> None:
        visit = story.visits[index]
        # A short second visit may be over before a long first one is.
        if story.number not in self._leads or visit.answers_form:
            facts = facts_of(story, at=visit.at, with_answers=visit.answers_form)
            recorded = record_lead(facts, via="form", now=visit.at, nudge=False)
            self._leads[story.number] = recorded.lead
            self.lead_ids[story.number] = recorded.lead.pk
        lead = self._leads[story.number]
        activities = [
            (
                lead,
                ActivityFacts(
                    event=deed.event,
                    properties=deed.properties,
                    occurred_at=visit.at + timedelta(seconds=deed.after_seconds),
                    message_id=f"demo-{self.seed}-{story.number}-{index}-{position}",
                ),
            )
            for position, deed in enumerate(visit.deeds)
        ]
        record_activities(activities, via="segment", now=now, nudge=False)
        if any(map(is_loud, visit.deeds)):
            self._in_earnest.add(story.number)
        if story.number in self._in_earnest:
            advance_lead(lead.pk, now=now)
            self.on_advanced(story, now)


def facts_of(story: Story, *, at: datetime, with_answers: bool) -> LeadFacts:
    """What a form says about the person, with or without the qualification questions."""
    person, answers = story.person, story.answers
    return LeadFacts(
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        title=person.title,
        phone=person.phone,
        country=person.place.country,
        language=LANGUAGES.get(person.place.country, "English"),
        company=_company_of(person),
        source=story.source,
        campaign=story.campaign,
        budget=answers.budget if with_answers else "",
        timeline=answers.timeline if with_answers else "",
        current_solution=answers.current_solution if with_answers else "",
        pain_point=answers.pain_point if with_answers else "",
        product_line=_product_line(person) if with_answers else "",
        deal_size=_deal_size(person) if with_answers else None,
        consent_at=at if story.consents else None,
    )


def _product_line(person: Person) -> str:
    industry = person.employer.trade.industry if person.employer else ""
    return PRODUCT_LINES.get(industry, "Workforce planning")


def _deal_size(person: Person) -> int | None:
    """What a year would cost them by the price list: so much a head."""
    if person.employer is None:
        return None
    return round(person.employer.employee_count * PRICE_A_HEAD, -3)


def _company_of(person: Person) -> CompanyFacts | None:
    if person.employer is None:
        return None
    return CompanyFacts(
        name=person.employer.name,
        domain=person.employer.domain,
        employee_count=person.employer.employee_count,
        industry=person.employer.trade.industry,
        technologies=", ".join(person.employer.technologies),
        growth_signals=", ".join(person.employer.growth_signals),
        country=person.place.country,
    )
