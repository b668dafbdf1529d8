"""What `make bench` writes."""

import json
from pathlib import Path

import pytest

from bench.figures import Figure, append_json_lines, as_table, percentile

FIGURE = Figure("http.create", 412.5, "requests/s", 3300, 0.125, ">= 300/s", True, {"p99_ms": 31.5})


@pytest.mark.parametrize(
    ("percent", "expected"), [(50, 5), (90, 9), (95, 10), (99, 10), (100, 10), (99.9, 10), (0.1, 1)]
)
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: int) -> None:
    assert percentile(reversed(range(1, 11)), percent) == expected


def test_each_figure_is_a_line_with_the_promised_keys(tmp_path: Path) -> None:
    target = tmp_path / "bench.jsonl"

    append_json_lines([FIGURE], target)
    append_json_lines([FIGURE], target)

    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert len(lines) == 2
    assert list(lines[0]) == ["name", "value", "unit", "reference", "ratio", "target", "holds", "detail"]


def test_the_table_says_what_missed_its_target() -> None:
    missed = Figure("score.one", 9.1, "ms (p95)", 1.1, 8.3, "<= 4 ms", False, {})

    lines = as_table([FIGURE, missed]).splitlines()

    assert lines[1].endswith("yes")
    assert lines[2].endswith("NO")
