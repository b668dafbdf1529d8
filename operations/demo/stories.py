"""The year as it happened out there: who came when, from where, to do what. Pure, the same for a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.demo import website
from operations.demo.people import DECIDERS, OWNERS, PRACTITIONERS, SENIOR_DECIDERS, Census, Person
from operations.demo.personas import HABITS, Diary, Persona, Visit
from operations.demo.places import GERMANY
from operations.demo.season import pick_day
from operations.demo.website import CAMPAIGNS, Campaign, Deed

YEAR = timedelta(days=365)

BUDGETS = {
    (1, 30): ("Under €5k", "None set aside"),
    (30, 200): ("€5–15k a year", "€10–20k a year", "Not fixed yet"),
    (200, 1_000): ("€20–40k a year", "€30–60k a year", "Approved, up to €50k"),
    (1_000, 1_000_000): ("€60–120k a year", "€100k and up", "Part of a €2m programme"),
}
TIMELINES = ("This quarter", "Within three months", "Within six months", "Before the season starts")
FAR_TIMELINES = ("Next year", "Not before next summer", "Just looking")
CURRENT_SOLUTIONS = (
    "Spreadsheets",
    "Spreadsheets and e-mail",
    "The planning module of our ERP",
    "A home-grown database from 2009",
    "Plannix, contract ends next spring",
    "Whiteboard and phone",
)
# People of the last hours before the end: the queue should open with something fresh, of every size.
FRESH_SHARE = 0.03
MEDIUM_SIZES, LARGE_SIZES = (60, 550), (620, 980)


@dataclass(frozen=True)
class Answers:
    """What somebody writes into the qualification questions of a form."""

    budget: str
    timeline: str
    current_solution: str
    pain_point: str


@dataclass(frozen=True)
class Story:
    """One person's dealings with us, visits in order of time; `same_person_as` points at an earlier story."""

    number: int
    persona: Persona
    person: Person
    source: str
    campaign: str
    answers: Answers
    consents: bool
    visits: tuple[Visit, ...]
    same_person_as: int | None = None


def write_stories(*, seed: int, size: int, until: datetime) -> list[Story]:
    """The stories of `size` people over the year before `until`, ordered by first visit."""
    rng = random.Random(f"stories {seed}")
    census = Census(rng)
    fresh = max(5, round(size * FRESH_SHARE))
    drafts = [_write_story(rng, census, until) for _ in range(size - fresh)]
    drafts += [_write_fresh_story(rng, census, until, place=n) for n in range(fresh)]
    told = [replace(one, visits=_before(one.visits, until)) for one in drafts]
    told = sorted((one for one in told if one.visits), key=lambda one: one.visits[0].at)
    numbered = [replace(one, number=number) for number, one in enumerate(told)]
    return [_unmask(rng, census, one, numbered) for one in numbered]


def write_newcomer(rng: random.Random, census: Census, *, at: datetime) -> Story:
    """Somebody who turns up now, fits, and asks for a demo in one sitting: for the live traffic."""
    person = census.invent_employee(SENIOR_DECIDERS, sizes=MEDIUM_SIZES)
    visit = Visit(at, (website.view(website.PRICING), website.request_demo(60)), answers_form=True)
    return _tell(rng, Persona.HAND_RAISER, person, [visit], source=_everyday_source(rng), campaign="")


def write_onlooker(rng: random.Random, census: Census, *, at: datetime) -> Story:
    """Somebody who turns up now and looks around."""
    persona = rng.choices(list(HABITS), [habit.weight for habit in HABITS.values()])[0]
    person = _invent_person(rng, census, persona)
    diary = Diary(rng, at, person.place.time_zone)
    HABITS[persona].behave(diary)
    visit = replace(diary.visits[0], at=at)
    return _tell(rng, persona, person, [visit], source=_everyday_source(rng), campaign="")


def _write_story(rng: random.Random, census: Census, until: datetime) -> Story:
    persona = rng.choices(list(HABITS), [habit.weight for habit in HABITS.values()])[0]
    person = _invent_person(rng, census, persona)
    campaign = _caught_by(rng, persona)
    if campaign:
        first_day = _day_in(rng, campaign, until)
        opening = [_campaign_visit(rng, campaign, first_day, person)]
        source = campaign.source
    else:
        first_day = pick_day(rng, until - YEAR, until - timedelta(hours=12))
        opening, source = [], _everyday_source(rng)
    diary = Diary(rng, first_day, person.place.time_zone)
    diary.visits += opening
    HABITS[persona].behave(diary)
    visits = sorted(diary.visits, key=lambda visit: visit.at)
    return _tell(rng, persona, person, visits, source=source, campaign=campaign.name if campaign else "")


def _write_fresh_story(rng: random.Random, census: Census, until: datetime, *, place: int) -> Story:
    """Somebody who asks for a demo in the last hours: out of the blue, or after a fortnight of reading."""
    persona = Persona.HAND_RAISER if place % 3 else Persona.CHAMPION
    if place % 3 == 1:
        person = census.invent_employee(SENIOR_DECIDERS, sizes=LARGE_SIZES, home=GERMANY)
    else:
        person = census.invent_employee(SENIOR_DECIDERS, sizes=MEDIUM_SIZES)
    at = until - timedelta(minutes=3 + place * 11 + rng.random() * 8)
    diary = Diary(rng, until - timedelta(days=rng.uniform(9, 16)), person.place.time_zone)
    if persona is Persona.CHAMPION:
        diary.visit(*diary.read(website.BLOG, 2), website.view(website.PRODUCT[0]))
        diary.wait(2, 5)
        diary.visit(*diary.study(2))
    deeds = (website.view(website.PRICING), website.request_demo(90))
    visits = [*diary.visits, Visit(at, deeds, answers_form=True)]
    return _tell(rng, persona, person, visits, source=_everyday_source(rng), campaign="")


def _tell(
    rng: random.Random, persona: Persona, person: Person, visits: list[Visit], *, source: str, campaign: str
) -> Story:
    return Story(
        number=0,
        persona=persona,
        person=person,
        source=source,
        campaign=campaign,
        answers=_answer(rng, persona, person),
        consents=rng.random() < 0.8,
        visits=tuple(visits),
    )


def _invent_person(rng: random.Random, census: Census, persona: Persona) -> Person:
    match persona:
        case Persona.STUDENT:
            return census.invent_student()
        case Persona.JOB_SEEKER:
            return census.invent_private_person()
        case Persona.RIVAL:
            return census.invent_rival()
        case Persona.TOO_SMALL:
            return census.invent_employee(OWNERS, sizes=(50, 300))
        case Persona.CHAMPION | Persona.HAND_RAISER | Persona.SECOND_ADDRESS:
            return census.invent_employee(
                DECIDERS if rng.random() < 0.7 else PRACTITIONERS, sizes=(60, 6_000)
            )
        case Persona.EVALUATOR | Persona.TOO_EARLY:
            return census.invent_employee(
                DECIDERS if rng.random() < 0.55 else PRACTITIONERS, sizes=(40, 20_000)
            )
        case _:
            return census.invent_employee(PRACTITIONERS if rng.random() < 0.7 else DECIDERS)


def _unmask(rng: random.Random, census: Census, story: Story, all_stories: list[Story]) -> Story:
    """A second address belongs to somebody who came before; the first comer of all has only one."""
    if story.persona is not Persona.SECOND_ADDRESS:
        return story
    known = [
        one
        for one in all_stories
        if one.persona in (Persona.CHAMPION, Persona.EVALUATOR) and one.visits[-1].at < story.visits[0].at
    ]
    if not known:
        return replace(story, persona=Persona.HAND_RAISER)
    first = known[-rng.randint(1, min(8, len(known)))]
    person = census.give_second_address(first.person)
    return replace(story, person=person, answers=first.answers, same_person_as=first.number)


def _answer(rng: random.Random, persona: Persona, person: Person) -> Answers:
    head_count = person.employer.employee_count if person.employer else 1
    budgets = next(texts for (low, high), texts in BUDGETS.items() if low <= head_count < high)
    pains = person.employer.trade.pains if person.employer else ("Looking around.",)
    return Answers(
        budget=rng.choice(budgets),
        timeline=rng.choice(FAR_TIMELINES if persona is Persona.TOO_EARLY else TIMELINES),
        current_solution=rng.choice(CURRENT_SOLUTIONS),
        pain_point=rng.choice(pains),
    )


def _caught_by(rng: random.Random, persona: Persona) -> Campaign | None:
    """The campaign that brought this person, if one did. Job seekers and rivals come by themselves."""
    if persona in (Persona.JOB_SEEKER, Persona.RIVAL, Persona.SECOND_ADDRESS):
        return None
    dice = rng.random()
    for campaign in CAMPAIGNS:
        dice -= campaign.people_share
        if dice < 0:
            return campaign
    return None


def _day_in(rng: random.Random, campaign: Campaign, until: datetime) -> datetime:
    start = until - timedelta(days=campaign.days_ago)
    return start + timedelta(days=rng.triangular(0, campaign.lasts_days, campaign.lasts_days / 4))


def _campaign_visit(rng: random.Random, campaign: Campaign, day: datetime, person: Person) -> Visit:
    if campaign.webinar:
        deeds: tuple[Deed, ...] = (website.land(campaign), website.register_for(campaign.webinar))
        if rng.random() < 0.6:
            deeds = (*deeds, website.attend(campaign.webinar))
    elif campaign.source == "Trade fair":
        deeds = (Deed("Form Submitted", {"form": "Business card at the fair"}),)
    else:
        paper = website.WHITEPAPERS[campaign.source == "LinkedIn"]
        deeds = (website.land(campaign), website.download(paper))
    diary = Diary(rng, day, person.place.time_zone)
    diary.visit(*deeds)
    return diary.visits[0]


def _everyday_source(rng: random.Random) -> str:
    names, weights = zip(*website.EVERYDAY_SOURCES, strict=True)
    return str(rng.choices(names, weights)[0])


def _before(visits: tuple[Visit, ...], until: datetime) -> tuple[Visit, ...]:
    """Visits that were over before the end. All deeds of a visit lie before `until`."""
    return tuple(
        visit for visit in visits if visit.at + timedelta(seconds=visit.deeds[-1].after_seconds) < until
    )
