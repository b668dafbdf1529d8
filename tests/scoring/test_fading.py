"""SCORE-4: how the points of one rule fade."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.language.rules import MAX_DAYS, PER_MILLE, RuleDecay, RuleRefused, Shape
from tests.scoring.reference import left_after

AGES = st.integers(0, 2 * MAX_DAYS)
unhurried = settings(deadline=None, database=None)


@st.composite
def any_decays(draw: st.DrawFn) -> RuleDecay:
    shape = draw(st.sampled_from(Shape))
    return RuleDecay(
        shape,
        days=draw(
            st.one_of(st.integers(1, 60), st.integers(1, 400 if shape is Shape.HALF_LIFE else MAX_DAYS))
        ),
        percent=draw(st.integers(1, 100)) if shape is Shape.STEP else 0,
        floor_percent=draw(st.one_of(st.just(0), st.integers(0, 99))),
    )


@pytest.mark.parametrize(
    ("decay", "kept"),
    [
        (RuleDecay(Shape.STEP, 30, percent=25), {0: 1000, 29: 1000, 30: 750, 59: 750, 60: 500, 120: 0}),
        (RuleDecay(Shape.STEP, 7, percent=40, floor_percent=10), {7: 600, 14: 200, 21: 100, 700: 100}),
        (RuleDecay(Shape.LINEAR, 60), {0: 1000, 1: 984, 30: 500, 59: 17, 60: 0, 61: 0}),
        (RuleDecay(Shape.LINEAR, 10, floor_percent=25), {5: 500, 7: 300, 8: 250, 100: 250}),
        (RuleDecay(Shape.HALF_LIFE, 30), {0: 1000, 15: 707, 30: 500, 60: 250, 90: 125, 120: 63, 330: 0}),
        (RuleDecay(Shape.HALF_LIFE, 1, floor_percent=5), {1: 500, 4: 63, 5: 50, 3650: 50}),
    ],
    ids=["step", "step to a floor", "linear", "linear to a floor", "half-life", "half-life to a floor"],
)
def test_points_fade_as_stated(decay: RuleDecay, kept: dict[int, int]) -> None:
    assert {age: decay.kept_after(age) for age in kept} == kept


@unhurried
@given(any_decays(), AGES)
def test_the_share_left_is_what_the_reference_says(decay: RuleDecay, age: int) -> None:
    assert decay.kept_after(age) == left_after(decay, age) * PER_MILLE


@unhurried
@given(any_decays(), AGES, AGES)
def test_points_never_come_back_with_time(decay: RuleDecay, age: int, more: int) -> None:
    assert decay.kept_after(age) >= decay.kept_after(age + more)


@unhurried
@given(any_decays(), AGES)
def test_fading_starts_whole_and_stops_at_its_floor(decay: RuleDecay, age: int) -> None:
    assert decay.kept_after(0) == PER_MILLE
    assert decay.floor_percent * 10 <= decay.kept_after(age) <= PER_MILLE


@unhurried
@given(any_decays(), AGES)
def test_the_steps_say_the_same_as_the_ages(decay: RuleDecay, age: int) -> None:
    by_steps = PER_MILLE
    for hours, kept in decay.steps():
        if age * 24 >= hours:
            by_steps = kept

    assert by_steps == decay.kept_after(age)


@unhurried
@given(any_decays())
def test_each_step_comes_later_and_keeps_less(decay: RuleDecay) -> None:
    hours = [step for step, _ in decay.steps()]
    kept = [share for _, share in decay.steps()]

    assert hours == sorted(set(hours))
    assert kept == sorted(set(kept), reverse=True)
    assert all(step % 24 == 0 and step > 0 for step in hours)


@pytest.mark.parametrize(
    ("decay", "words"),
    [
        ({"shape": Shape.LINEAR, "days": 0}, "fade over 1 to 3,660 days"),
        ({"shape": Shape.HALF_LIFE, "days": -30}, "fade over 1 to 3,660 days"),
        ({"shape": Shape.LINEAR, "days": 10**9}, "fade over 1 to 3,660 days"),
        ({"shape": Shape.STEP, "days": 30}, "take from 1 to 100 %"),
        ({"shape": Shape.STEP, "days": 30, "percent": 101}, "take from 1 to 100 %"),
        ({"shape": Shape.LINEAR, "days": 30, "percent": 25}, "Only fading in steps takes a percentage"),
        ({"shape": Shape.LINEAR, "days": 30, "floor_percent": 100}, "leave from 0 to 99 %"),
        ({"shape": Shape.LINEAR, "days": 30, "floor_percent": -1}, "leave from 0 to 99 %"),
    ],
)
def test_senseless_fading_is_refused(decay: dict[str, Any], words: str) -> None:
    with pytest.raises(RuleRefused, match=words):
        RuleDecay(**decay)
