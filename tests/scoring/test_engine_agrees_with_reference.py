"""SCORE-9: the SQL and a plain reference evaluator agree on generated models and histories.

SCORING_EXAMPLES sets the number of generated models; each is tried on a crowd, as known now and then.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from scoring.language.rules import Model
from tests.scoring.crowds import lines_of, outcome_of, run, stored
from tests.scoring.reference import evaluate, first_change
from tests.scoring.strategies import MOMENTS, models, people

EXAMPLES = int(os.environ.get("SCORING_EXAMPLES", "210"))
CROWD = 10
ENOUGH_PAIRS = 2_000

generated = settings(
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
zones = st.sampled_from(("UTC", "Europe/Berlin", "America/New_York"))
pytestmark = pytest.mark.django_db


def test_engine_and_reference_give_the_same_scores_and_ledgers() -> None:
    """On 2,000 pairs of a model and a history and more, each as known now and as known then."""
    pairs = 0

    @settings(generated, max_examples=EXAMPLES)
    @given(st.data(), models(), st.sampled_from(MOMENTS), zones)
    def agree(data: st.DataObject, model: Model, moment, zone: str) -> None:
        nonlocal pairs
        crowd = data.draw(st.lists(people(moment), min_size=CROWD, max_size=CROWD))

        with stored(crowd, zone=zone) as lead_ids:
            now_rows = run(model, lead_ids, moment)
            past_rows = run(model, lead_ids, moment, historical=True)

        for person, now_row, past_row in zip(crowd, now_rows, past_rows, strict=True):
            note(f"{person}")
            as_known_then = person.as_known_at(moment)
            assert (outcome_of(now_row), lines_of(now_row)) == evaluate(model, person, moment)
            assert (outcome_of(past_row), lines_of(past_row)) == evaluate(model, as_known_then, moment)
            for row in (now_row, past_row):
                assert sum(line.after_decay for line in lines_of(row)) + row["adjustment"] == row["total"]
        pairs += len(crowd)

    agree()

    assert pairs >= min(ENOUGH_PAIRS, EXAMPLES * CROWD)


@settings(generated, max_examples=EXAMPLES // 3)
@given(st.data(), models(), st.sampled_from(MOMENTS))
def test_nothing_changes_before_next_change_at(db: None, data: st.DataObject, model: Model, moment) -> None:
    """SCORE-4: early is allowed, late never."""
    crowd = data.draw(st.lists(people(moment), min_size=3, max_size=3))

    with stored(crowd) as lead_ids:
        rows = run(model, lead_ids, moment)

    for person, row in zip(crowd, rows, strict=True):
        note(f"{person}")
        foretold, truly = row["next_change_at"], first_change(model, person, moment)
        assert foretold is None or foretold > moment
        assert truly is None or (foretold is not None and foretold <= truly)
