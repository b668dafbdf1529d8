"""The invented people: the same for a seed, plausible, and nobody real."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from leads.addresses import normalise_email
from operations.demo.personas import Persona
from operations.demo.stories import YEAR, Story, write_stories

UNTIL = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return write_stories(seed=7, size=300, until=UNTIL)


def test_a_seed_and_an_end_always_give_the_same_year(stories: list[Story]) -> None:
    assert write_stories(seed=7, size=300, until=UNTIL) == stories
    assert write_stories(seed=8, size=300, until=UNTIL) != stories


def test_everybody_came_within_the_year_and_nothing_lies_ahead(stories: list[Story]) -> None:
    for story in stories:
        assert UNTIL - YEAR - timedelta(days=2) < story.visits[0].at
        last = story.visits[-1]
        assert last.at + timedelta(seconds=last.deeds[-1].after_seconds) < UNTIL


def test_visits_of_a_person_follow_each_other(stories: list[Story]) -> None:
    for story in stories:
        times = [visit.at for visit in story.visits]
        assert times == sorted(set(times))


def test_no_address_could_belong_to_anybody(stories: list[Story]) -> None:
    addresses = [story.person.email for story in stories]

    assert len(set(addresses)) == len(addresses)
    assert all(address.endswith(".example") for address in addresses)
    assert all(normalise_email(address) == address for address in addresses)


def test_weekends_and_august_are_quiet(stories: list[Story]) -> None:
    visits = [visit.at for story in stories for visit in story.visits]

    by_weekday = Counter(at.weekday() for at in visits)
    assert by_weekday[5] + by_weekday[6] < 0.15 * len(visits)
    by_month = Counter(at.month for at in visits)
    assert by_month[7] < by_month[9]


def test_every_persona_turns_up(stories: list[Story]) -> None:
    assert {story.persona for story in stories} == set(Persona)


def test_a_second_address_is_of_somebody_who_came_before(stories: list[Story]) -> None:
    seconds = [story for story in stories if story.same_person_as is not None]

    assert seconds
    for story in seconds:
        first = stories[story.same_person_as or 0]
        assert first.visits[-1].at < story.visits[0].at
        assert first.person.last_name == story.person.last_name
        assert first.person.email != story.person.email


def test_somebody_asks_for_a_demo_in_the_last_minutes(stories: list[Story]) -> None:
    late = [story for story in stories if story.visits[-1].at > UNTIL - timedelta(minutes=45)]

    assert any(deed.event == "Demo Requested" for story in late for deed in story.visits[-1].deeds)


def test_of_some_companies_their_technologies_and_their_growth_are_known(stories: list[Story]) -> None:
    employers = {
        story.person.employer.domain: story.person.employer for story in stories if story.person.employer
    }

    growing = sum(one.is_growing for one in employers.values()) / len(employers)
    told = sum(bool(one.technologies) for one in employers.values()) / len(employers)
    assert 0.15 < growing < 0.4
    assert 0.4 < told < 0.8
