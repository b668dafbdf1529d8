"""Live traffic for the demo: people look around all the time, and now and then somebody asks for a demo.

Tracking goes in as Segment batches with anonymous ids that an identify joins later; forms go in over REST.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.demo import website
from operations.demo.people import Census, Person
from operations.demo.personas import open_any_mail
from operations.demo.portal_client import PortalClient, PortalRefused, Stopped
from operations.demo.stories import Story, write_newcomer, write_onlooker
from operations.demo.website import Deed

# So many people are on the website at once.
VISITORS_AT_ONCE = 6
SHARE_OF_RETURNING = 0.5


@dataclass
class Guest:
    """Somebody on the website now, with what they are still going to do."""

    name: str
    anonymous_id: str
    traits: Mapping[str, Any]
    deeds: list[Deed]
    is_identified: bool = False


@dataclass(frozen=True)
class Pace:
    """Mean seconds between two acts, and between two people who ask for a demo; and when it is enough."""

    act_every: float
    newcomer_every: float
    most_newcomers: int
    most_acts: int


class Traffic:
    """Plays people against a portal until told to stop or until the pace says it is enough."""

    def __init__(
        self,
        portal: PortalClient,
        *,
        rng: random.Random,
        pace: Pace,
        wait: Callable[[float], bool],
        say: Callable[[str], None],
    ) -> None:
        self._portal = portal
        self._rng = rng
        self._pace = pace
        self._wait = wait
        self._say = say
        self._census = Census(rng)
        self._guests: list[Guest] = []
        self._known: list[dict[str, Any]] = []
        self._newcomers = 0

    def run(self) -> int:
        """Go on until stopped or done; say how many acts there were."""
        acts = 0
        until_newcomer = self._rng.uniform(0.1, 0.4) * self._pace.newcomer_every
        try:
            self._known = self._portal.known_people()
            while acts < self._pace.most_acts:
                pause = self._rng.expovariate(1 / self._pace.act_every)
                if self._wait(pause):
                    break
                until_newcomer -= pause
                if until_newcomer <= 0 and self._newcomers < self._pace.most_newcomers:
                    self._try(self._ask_for_a_demo)
                    until_newcomer = self._rng.uniform(0.7, 1.3) * self._pace.newcomer_every
                else:
                    self._try(self._do_something)
                acts += 1
        except Stopped:
            pass
        return acts

    def _try(self, act: Callable[[], None]) -> None:
        """A refused message is shown and passed over; a refused key makes going on pointless."""
        try:
            act()
        except PortalRefused as refusal:
            if refusal.status_code in (401, 403):
                raise
            self._say(f"Refused: {refusal}")

    # --- People looking around ------------------------------------------------------------------

    def _do_something(self) -> None:
        while len(self._guests) < VISITORS_AT_ONCE:
            self._guests.append(self._let_in())
        guest = self._rng.choice(self._guests)
        deed = guest.deeds.pop(0)
        messages = [_message(guest, deed)]
        if not guest.is_identified and (not guest.deeds or deed.event != "Page Viewed"):
            # A form, a click in a mail, or the end of the visit: now the website knows who it is.
            messages.append(_identify(guest))
            guest.is_identified = True
        self._portal.send_events(messages)
        self._say(f"{guest.name}: {_in_words(deed)}")
        if not guest.deeds:
            self._guests.remove(guest)

    def _let_in(self) -> Guest:
        if self._known and self._rng.random() < SHARE_OF_RETURNING:
            return self._welcome_back(self._rng.choice(self._known))
        story = write_onlooker(self._rng, self._census, at=_now())
        return Guest(
            name=_name(story.person),
            anonymous_id=_new_id(),
            traits=_traits(story.person),
            deeds=list(story.visits[0].deeds),
        )

    def _welcome_back(self, lead: Mapping[str, Any]) -> Guest:
        pages = self._rng.sample((*website.BLOG, *website.PRODUCT), 2)
        return Guest(
            name=str(lead["name"]),
            anonymous_id=_new_id(),
            traits={"email": lead["email"]},
            deeds=[open_any_mail(self._rng), *(website.view(page) for page in pages)],
        )

    # --- People who ask -------------------------------------------------------------------------

    def _ask_for_a_demo(self) -> None:
        story = write_newcomer(self._rng, self._census, at=_now())
        self._newcomers += 1
        answer = self._portal.submit_form(_form_of(story), key=_new_id())
        self._portal.record_activities(
            [
                {
                    "email": story.person.email,
                    "event": deed.event,
                    "properties": deed.properties,
                    "occurred_at": _now().isoformat(),
                    "message_id": _new_id(),
                }
                for deed in story.visits[0].deeds
            ]
        )
        employer = story.person.employer
        self._say(
            f"{_name(story.person)}, {story.person.title} at {employer.name if employer else 'home'}, "
            f"asks for a demo (lead {answer['id']})"
        )


def _message(guest: Guest, deed: Deed) -> dict[str, Any]:
    message: dict[str, Any] = {
        "anonymousId": guest.anonymous_id,
        "messageId": _new_id(),
        "timestamp": _now().isoformat(),
        "properties": deed.properties,
    }
    if deed.event == "Page Viewed":
        return {**message, "type": "page", "name": deed.properties["title"]}
    return {**message, "type": "track", "event": deed.event}


def _identify(guest: Guest) -> dict[str, Any]:
    return {
        "type": "identify",
        "anonymousId": guest.anonymous_id,
        "messageId": _new_id(),
        "timestamp": _now().isoformat(),
        "traits": dict(guest.traits),
    }


def _traits(person: Person) -> dict[str, Any]:
    """Segment's reserved traits."""
    traits: dict[str, Any] = {
        "email": person.email,
        "firstName": person.first_name,
        "lastName": person.last_name,
        "title": person.title,
        "address": {"country": person.place.country},
    }
    if person.phone:
        traits["phone"] = person.phone
    if person.employer:
        traits["company"] = {
            "name": person.employer.name,
            "employee_count": person.employer.employee_count,
            "industry": person.employer.trade.industry,
            "technologies": list(person.employer.technologies),
            "growth_signals": list(person.employer.growth_signals),
        }
    return traits


def _form_of(story: Story) -> dict[str, Any]:
    """The body of POST /api/v1/leads/."""
    person, answers = story.person, story.answers
    form: dict[str, Any] = {
        "email": person.email,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "title": person.title,
        "phone": person.phone,
        "country": person.place.country,
        "source": story.source,
        "campaign": story.campaign,
        "answers": {
            "budget": answers.budget,
            "timeline": answers.timeline,
            "current_solution": answers.current_solution,
            "pain_point": answers.pain_point,
        },
        "consent": story.consents,
    }
    if person.employer:
        form["company"] = {
            "name": person.employer.name,
            "domain": person.employer.domain,
            "employee_count": person.employer.employee_count,
            "industry": person.employer.trade.industry,
            "technologies": ", ".join(person.employer.technologies),
            "growth_signals": ", ".join(person.employer.growth_signals),
            "country": person.place.country,
        }
    return form


def _in_words(deed: Deed) -> str:
    about = next(
        (deed.properties[key] for key in ("path", "subject", "title", "form") if key in deed.properties), ""
    )
    return f"{deed.event.lower()} {about}".strip()


def _name(person: Person) -> str:
    return f"{person.first_name} {person.last_name}"


def _new_id() -> str:
    return uuid.uuid4().hex


def _now() -> datetime:
    return datetime.now(UTC)
