"""What stands out in what sales refused: shares, lift against base and the guard (FEED-5, SCORE-15)."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.figures.cohorts import ACCEPTED, OVERTURNED, Group, Tally
from feedback.figures.patterns import find_patterns, group_figures, lift_of
from scoring.conversion import Share
from scoring.intervals import share_ratio


def tally(marks: dict[str, int], **groups: dict[str, int]) -> Tally:
    return Tally(Counter(marks), {key: Group(key, key.title(), Counter(of)) for key, of in groups.items()})


NOBODY = tally({})


def test_a_rule_that_fired_in_many_rejections_of_a_reason_stands_out() -> None:
    """ "Webinar +20 fired in 41 % of not-ICP rejections", and in 16 % of all decided handoffs."""
    decided = tally(
        {ACCEPTED: 140, "wrong-icp": 39, "premature": 21},
        webinar={ACCEPTED: 12, "wrong-icp": 16, "premature": 4},
    )

    (pattern,) = find_patterns(decided, least=10).found

    assert (pattern.key, pattern.reason) == ("webinar", "wrong-icp")
    assert (pattern.found.yes, pattern.found.n) == (16, 39)
    assert pattern.found.words.startswith("41 % (")
    assert (pattern.base.yes, pattern.base.n) == (32, 200)
    assert pattern.lift.times == pytest.approx((16 / 39) / (32 / 200))
    assert 1 < pattern.lift.low < pattern.lift.times < pattern.lift.high


def test_a_rule_that_fires_on_everybody_does_not_stand_out() -> None:
    decided = tally({ACCEPTED: 60, "wrong-icp": 40}, title={ACCEPTED: 60, "wrong-icp": 40})

    patterns = find_patterns(decided, least=10)
    (everybody,) = group_figures(decided, NOBODY, least=10)

    assert patterns.found == ()
    assert (patterns.looked_at, patterns.too_few) == (1, 0)
    assert everybody.rejected.yes == 40
    assert everybody.lift is None, "there is nobody else to hold it against"


@pytest.mark.parametrize(
    ("marks", "group"),
    [
        ({ACCEPTED: 90, "wrong-icp": 9}, {ACCEPTED: 3, "wrong-icp": 9}),
        ({ACCEPTED: 90, "wrong-icp": 20}, {"wrong-icp": 9}),
    ],
    ids=["reason given too seldom", "rule fired too seldom"],
)
def test_below_the_stated_number_of_decisions_there_is_no_pattern(
    marks: dict[str, int], group: dict[str, int]
) -> None:
    patterns = find_patterns(tally(marks, rule=group), least=10)

    assert (patterns.found, patterns.looked_at, patterns.too_few) == ((), 0, 1)


def test_an_overturned_rejection_is_no_evidence_of_its_reason_but_was_decided() -> None:
    decided = tally({ACCEPTED: 20, "wrong-icp": 10, OVERTURNED: 10}, rule={OVERTURNED: 10, "wrong-icp": 10})

    (pattern,) = find_patterns(decided, least=10).found

    assert pattern.reason == "wrong-icp"
    assert pattern.base.n == 40


def test_groups_tell_accepted_and_rejected_with_their_lift_the_most_refused_first() -> None:
    decided = tally(
        {ACCEPTED: 70, "wrong-icp": 30},
        few={ACCEPTED: 1, "wrong-icp": 3},
        many={ACCEPTED: 10, "wrong-icp": 20},
    )
    checked = tally({"yes": 3, "no": 1}, many={"yes": 3, "partly": 1})

    many, few = group_figures(decided, checked, least=10)

    assert (many.label, many.accepted, many.rejected.yes, many.decided) == ("Many", 10, 20, 30)
    assert many.lift is not None
    assert many.lift.times == pytest.approx((20 / 30) / (30 / 100))
    assert (many.good.yes, many.good.n) == (3, 4)
    assert few.lift is None
    assert few.rejected.words == "3 of 4, too few to say"


@given(
    part=st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda pair: Share(min(pair), pair[1])),
    others=st.tuples(st.integers(0, 60), st.integers(1, 60)).map(lambda pair: Share(min(pair), pair[1])),
)
def test_lift_is_the_ratio_to_the_whole_and_its_interval_agrees_with_that_to_the_others(
    part: Share, others: Share
) -> None:
    lift = lift_of(part, others)

    if part.yes + others.yes == 0:
        assert lift is None
        return
    assert lift is not None
    base = (part.yes + others.yes) / (part.n + others.n)
    assert lift.times == pytest.approx(part.yes / part.n / base)
    assert lift.low <= lift.times + 1e-9
    assert lift.times <= lift.high + 1e-9
    low, high = share_ratio(part.yes, part.n, others.yes, others.n)
    assert lift.is_above == (low > 1)
    assert lift.is_below == (high < 1)


def test_a_part_that_is_the_whole_is_held_against_nobody() -> None:
    assert lift_of(Share(5, 10), Share(0, 0)) is None
