"""What a column is good for, decided on the training rows alone (SCORE-12)."""

from __future__ import annotations

import numpy as np
import pytest

from scoring.prediction.columns import Encoder, learn_encoder

ROWS = range(200)


def learn(cells, *, name="column", rows=ROWS):
    return learn_encoder({name: list(cells)}, rows)


@pytest.mark.parametrize(
    ("name", "cells", "reason"),
    [
        ("notes", [None] * 200, "blank throughout"),
        ("magazine", ["No"] * 200, "same in every row"),
        ("version", [1.0] * 200, "same in every row"),
        ("Lead Number", [660_000.0 + (row * 7919) % 6_007 for row in ROWS], "numbers the rows"),
        ("row", [float(row) for row in ROWS], "numbers the rows"),
        ("name", [f"Person {row}" for row in ROWS], "name the rows"),
        ("misc", [f"word {row % 60}" for row in ROWS], "none of its words is frequent enough"),
    ],
    ids=["blank", "constant word", "constant number", "number by name", "count", "names", "rare words"],
)
def test_useless_columns_are_left_out_with_the_reason(name, cells, reason):
    encoder, excluded = learn(cells, name=name)

    assert not encoder.features
    assert [each.column for each in excluded] == [name]
    assert reason in excluded[0].reason


def test_a_measure_that_happens_to_differ_everywhere_stays():
    rng = np.random.default_rng(1)
    encoder, excluded = learn(rng.normal(size=200).tolist(), name="minutes")

    assert not excluded
    assert encoder.numbers == [0]


def test_rare_words_go_together_and_unknown_ones_with_them():
    encoder, _ = learn(["Google"] * 120 + ["Chat"] * 60 + ["Fax", "Pigeon"] + [None] * 18)

    coded = encoder.encode({"column": ["google ", "Chat", "Fax", "Never seen", None]})

    assert encoder.features[0].levels == ("google", "chat")
    assert coded[:, 0].tolist() == [0, 1, 2, 2, 3]


def test_of_words_that_all_differ_only_the_filling_in_counts():
    encoder, _ = learn([f"Comment {row}" if row % 2 else None for row in ROWS], name="comment")

    assert encoder.features[0].part == "filled in"
    assert encoder.encode({"comment": ["anything", None]})[:, 0].tolist() == [0, 1]


def test_a_date_becomes_weekday_and_hour():
    encoder, _ = learn([f"2024-03-{1 + row % 28:02d} {row % 24:02d}:30" for row in ROWS], name="created")

    coded = encoder.encode({"created": ["2024-03-04 15:00", None]})

    assert [feature.part for feature in encoder.features] == ["weekday", "hour"]
    assert encoder.features[0].levels[int(coded[0, 0])] == "monday"
    assert coded[0, 1] == 15
    assert np.isnan(coded[1, 1])


def test_an_outlier_counts_as_the_outermost_of_the_usual():
    encoder, _ = learn([float(row % 10) for row in ROWS])

    assert encoder.encode({"column": [1e300, -1e300, None]})[:2, 0].tolist() == [9, 0]


def test_only_the_training_rows_are_learnt_from():
    cells = ["Google", "Chat"] * 50 + ["Later"] * 100

    encoder, _ = learn(cells, rows=range(100))

    assert encoder.features[0].levels == ("google", "chat")


def test_an_encoder_survives_being_kept_as_json():
    encoder, _ = learn_encoder(
        {"a": [1.5, None] * 100, "b": ["x", "y"] * 100, "c": ["2024-03-04"] * 199 + [None]}, ROWS
    )

    assert Encoder.from_json(encoder.as_json()) == encoder


def test_a_column_that_is_gone_is_not_known():
    encoder, _ = learn_encoder({"a": [1.5, 2.5] * 100, "b": ["x", "y"] * 100}, ROWS)

    coded = encoder.encode({"a": [1.5]})

    assert coded.tolist() == [[1.5, 3.0]]
