"""Who comes to the website and how they behave: the champion who reads for weeks, the student with a thesis.

Each persona is a function from a first day to visits. A visit is one sitting; its deeds follow each
other within minutes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from operations.demo import website
from operations.demo.season import at_their_desk, off_the_weekend
from operations.demo.website import Deed, view


class Persona(StrEnum):
    CHAMPION = "champion"
    EVALUATOR = "evaluator"
    HAND_RAISER = "hand_raiser"
    TOO_EARLY = "too_early"
    TOO_SMALL = "too_small"
    TYRE_KICKER = "tyre_kicker"
    STUDENT = "student"
    JOB_SEEKER = "job_seeker"
    RIVAL = "rival"
    SECOND_ADDRESS = "second_address"
    QUIET = "quiet"


@dataclass(frozen=True)
class Visit:
    """One sitting. `answers_form`: the person fills in the qualification questions in it."""

    at: datetime
    deeds: tuple[Deed, ...]
    answers_form: bool = False


class Diary:
    """Collects the visits of one person, day by day, in their own time zone."""

    def __init__(self, rng: random.Random, first_day: datetime, zone: str) -> None:
        self.rng = rng
        self.day = first_day
        self._zone = zone
        self.visits: list[Visit] = []

    def wait(self, low: float, high: float) -> None:
        """Let so many days pass, give or take, and mostly not end up on a weekend."""
        self.day = off_the_weekend(self.rng, self.day + timedelta(days=self.rng.uniform(low, high)))

    def visit(self, *deeds: Deed, answers_form: bool = False) -> None:
        at = at_their_desk(self.rng, self.day, self._zone)
        if self.visits and at <= self.visits[-1].at:
            at = self.visits[-1].at + timedelta(minutes=self.rng.randint(90, 300))
        self.visits.append(Visit(at, self._spread(deeds), answers_form))

    def study(self, count: int) -> tuple[Deed, ...]:
        return tuple(website.study(case) for case in self.rng.sample(website.CASE_STUDIES, count))

    def read(self, pages: tuple[tuple[str, str], ...], count: int) -> tuple[Deed, ...]:
        return tuple(view(page) for page in self.rng.sample(pages, min(count, len(pages))))

    def _spread(self, deeds: tuple[Deed, ...]) -> tuple[Deed, ...]:
        seconds, spread = 0, []
        for deed in deeds:
            spread.append(Deed(deed.event, deed.properties, seconds))
            seconds += self.rng.randint(25, 240)
        return tuple(spread)


def research_like_a_champion(diary: Diary) -> None:
    """Weeks of reading, then pricing, then a demo request with all questions answered."""
    rng = diary.rng
    diary.visit(*diary.read(website.BLOG, 2), view(website.PRODUCT[0]))
    for _ in range(rng.randint(1, 3)):
        diary.wait(2, 9)
        diary.visit(open_any_mail(rng), *diary.read(website.PRODUCT, rng.randint(1, 3)))
    diary.wait(2, 8)
    diary.visit(
        *diary.study(rng.randint(1, 2)),
        website.download(rng.choice(website.WHITEPAPERS)),
    )
    diary.wait(1, 6)
    diary.visit(view(website.PRICING), view(website.SECURITY), *diary.study(1))
    diary.wait(1, 5)
    diary.visit(view(website.PRICING), view(website.PRODUCT[1]), website.request_demo(), answers_form=True)


def evaluate(diary: Diary) -> None:
    """A shortlist in the making: product, prices and one case study within days."""
    rng = diary.rng
    diary.visit(view(website.HOME), *diary.read(website.PRODUCT, 2))
    diary.wait(0.5, 4)
    diary.visit(view(website.PRODUCT[0]), view(website.PRICING))
    if rng.random() < 0.75:
        diary.wait(0.5, 3)
        diary.visit(*diary.study(rng.randint(1, 2)))
    if rng.random() < 0.5:
        diary.wait(1, 3)
        diary.visit(open_any_mail(rng), view(website.PRICING), view(website.SECURITY))
    if rng.random() < 0.25:
        diary.wait(1, 6)
        diary.visit(website.request_contact(), answers_form=True)


def raise_a_hand(diary: Diary) -> None:
    """Comes with a recommendation and asks at once."""
    diary.visit(
        view(website.HOME),
        view(website.PRICING),
        website.request_demo(),
        answers_form=diary.rng.random() < 0.8,
    )
    if diary.rng.random() < 0.3:
        diary.wait(1, 4)
        diary.visit(*diary.study(1))


def look_too_early_and_return(diary: Diary) -> None:
    """Likes what it sees, has budget next year; some come back after months and ask in earnest."""
    evaluate(diary)
    if diary.rng.random() < 0.55:
        diary.wait(75, 140)
        diary.visit(open_any_mail(diary.rng), *diary.study(1))
        diary.wait(2, 8)
        diary.visit(view(website.PRICING), website.request_demo(), answers_form=True)


def ask_from_a_small_firm(diary: Diary) -> None:
    diary.visit(view(website.HOME), view(website.PRODUCT[0]), view(website.PRICING))
    diary.wait(0, 3)
    diary.visit(view(website.PRICING), website.request_demo(), answers_form=True)


def only_open_mails(diary: Diary) -> None:
    """Opens every newsletter for months, reads a post now and then, never looks at prices."""
    rng = diary.rng
    diary.visit(*diary.read(website.BLOG, 1))
    for _ in range(rng.randint(4, 11)):
        diary.wait(6, 16)
        subject = rng.choice(website.NEWSLETTERS)
        page = rng.choice(website.BLOG)
        clicks = (website.click_mail(subject, page), view(page)) if rng.random() < 0.35 else ()
        diary.visit(website.open_mail(subject), *clicks)
    if rng.random() < 0.2:
        diary.wait(5, 20)
        diary.visit(Deed("Email Unsubscribed", {"campaign": "Newsletter"}))


def write_a_thesis(diary: Diary) -> None:
    rng = diary.rng
    diary.visit(*diary.read(website.BLOG, 3), website.download(website.WHITEPAPERS[1]))
    for _ in range(rng.randint(1, 3)):
        diary.wait(1, 9)
        diary.visit(*diary.read((*website.DOCS, *website.BLOG), rng.randint(2, 4)))


def look_for_a_job(diary: Diary) -> None:
    diary.visit(view(website.ABOUT), view(website.CAREERS[0]), view(diary.rng.choice(website.CAREERS[1:])))
    diary.wait(1, 6)
    diary.visit(
        view(diary.rng.choice(website.CAREERS[1:])),
        view(website.HOME),
        *diary.study(1),
    )


def spy_for_a_rival(diary: Diary) -> None:
    diary.visit(view(website.PRICING), *diary.read(website.PRODUCT, 4))
    for _ in range(diary.rng.randint(1, 3)):
        diary.wait(4, 30)
        diary.visit(view(website.PRICING), *diary.study(2))


def stay_quiet(diary: Diary) -> None:
    """A business card at a fair or one sign-up, an opened mail perhaps, then nothing."""
    diary.visit(Deed("Form Submitted", {"form": "Newsletter"}))
    if diary.rng.random() < 0.6:
        diary.wait(3, 12)
        diary.visit(open_any_mail(diary.rng))
    if diary.rng.random() < 0.25:
        diary.wait(3, 12)
        diary.visit(*diary.read(website.BLOG, 1))


def open_any_mail(rng: random.Random) -> Deed:
    return website.open_mail(rng.choice(website.NEWSLETTERS))


@dataclass(frozen=True)
class Habit:
    """How often a persona turns up, and what they do."""

    weight: int
    behave: Callable[[Diary], None]


HABITS: dict[Persona, Habit] = {
    Persona.CHAMPION: Habit(14, research_like_a_champion),
    Persona.EVALUATOR: Habit(22, evaluate),
    Persona.HAND_RAISER: Habit(10, raise_a_hand),
    Persona.TOO_EARLY: Habit(7, look_too_early_and_return),
    Persona.TOO_SMALL: Habit(8, ask_from_a_small_firm),
    Persona.TYRE_KICKER: Habit(15, only_open_mails),
    Persona.STUDENT: Habit(5, write_a_thesis),
    Persona.JOB_SEEKER: Habit(4, look_for_a_job),
    Persona.RIVAL: Habit(1, spy_for_a_rival),
    Persona.SECOND_ADDRESS: Habit(2, raise_a_hand),
    Persona.QUIET: Habit(14, stay_quiet),
}
