"""Charts are laid out truthfully: round ticks, values at their places, a table behind, nothing unescaped."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.template.loader import render_to_string

from common.chart_pictures import spread
from common.charts import Chart, Event, Mark, Point, Series, bar_chart, line_chart, percentage
from common.ticks import number_ticks, plain_number, time_ticks

START = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("low", "high", "about", "ticks"),
    [
        (0, 100, 3, [0, 50, 100]),
        (0, 87, 3, [0, 50, 100]),
        (0, 9, 3, [0, 5, 10]),
        (0, 1, 3, [0, 0.5, 1]),
        (0, 0.07, 4, [0, 0.02, 0.04, 0.06, 0.08]),
        (-20, 30, 3, [-20, 0, 20, 40]),
        (0, 0, 3, [0, 0.5, 1]),
        (0, 1_234_567, 3, [0, 500_000, 1_000_000, 1_500_000]),
    ],
)
def test_ticks_are_round_numbers_around_the_values(
    low: float, high: float, about: int, ticks: list[float]
) -> None:
    assert number_ticks(low, high, about=about) == ticks


def test_ticks_of_counts_are_whole() -> None:
    assert number_ticks(0, 1, about=4, whole=True) == [0, 1]


@pytest.mark.parametrize(
    ("days", "most", "labels"),
    [
        (2, 8, ["18:00", "4 Mar", "06:00", "12:00", "18:00", "5 Mar", "06:00", "12:00"]),
        (6, 8, ["4 Mar", "5 Mar", "6 Mar", "7 Mar", "8 Mar", "9 Mar"]),
        (35, 5, ["9 Mar", "16 Mar", "23 Mar", "30 Mar", "6 Apr"]),
        (400, 5, ["Apr", "Jul", "Oct", "2027", "Apr"]),
        (4000, 4, ["2030", "2035"]),
    ],
)
def test_ticks_of_time_begin_hours_days_weeks_and_months(days: int, most: int, labels: list[str]) -> None:
    ticks = time_ticks(START, START + timedelta(days=days), most=most)

    assert [tick.label for tick in ticks] == labels


def test_one_single_moment_still_has_a_tick() -> None:
    assert [tick.label for tick in time_ticks(date(2026, 3, 3), date(2026, 3, 3), most=4)] == ["3 Mar"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(1200, "1,200"), (0.25, "0.25"), (-5, "−5"), (2.0, "2"), (1 / 3, "0.333")],
)
def test_numbers_are_short(number: float, words: str) -> None:
    assert plain_number(number) == words


@pytest.mark.parametrize(("share", "words"), [(0.123, "12.3 %"), (1, "100 %"), (0, "0 %"), (0.5, "50 %")])
def test_shares_are_per_cent(share: float, words: str) -> None:
    assert percentage(share) == words


def points_of(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_a_line_runs_through_its_values_in_proportion() -> None:
    chart = line_chart("Points", [Series("Points", [Point(0, 0), Point(10, 50), Point(20, 100)])])

    for drawing in chart.drawings:
        (left, bottom), middle, (right, top) = points_of(drawing.lines[0].d)
        assert middle == (
            pytest.approx((left + right) / 2, abs=0.1),
            pytest.approx((bottom + top) / 2, abs=0.1),
        )
        assert 0 < left < right <= drawing.width
        assert 0 < top < bottom < drawing.height


def test_points_may_come_in_any_order() -> None:
    shuffled = line_chart("P", [Series("P", [Point(2, 1), Point(0, 3), Point(1, 2)])])
    in_order = line_chart("P", [Series("P", [Point(0, 3), Point(1, 2), Point(2, 1)])])

    assert shuffled == in_order


def test_steps_hold_until_the_next_point_and_a_gap_breaks_the_line() -> None:
    series = Series("Score", [Point(0, 1), Point(1, 2), Point(2, None), Point(3, 3)])

    path = line_chart("Score", [series], steps=True).drawings[0].lines[0].d

    assert re.fullmatch(r"M\S+ \S+H\S+V\S+M\S+ \S+", path)


def test_bars_stand_on_zero_also_below_it() -> None:
    chart = bar_chart("Change", [Series("Change", [Point("up", 10), Point("down", -10)])])

    up, down = (bar.d for bar in chart.drawings[0].bars)
    base = re.match(r"M\S+ ([\d.]+)V", up).group(1)  # type: ignore[union-attr]
    assert re.match(r"M\S+ ([\d.]+)V", down).group(1) == base  # type: ignore[union-attr]
    assert chart.drawings[0].base.d.split()[1].startswith(base)


def test_the_table_holds_every_value_with_its_interval_and_note() -> None:
    chart = bar_chart(
        "Won",
        [
            Series("Rules", [Point("0–19", 0.1, 0.05, 0.2, "1 of 10"), Point("20–39", None, note="too few")]),
            Series("Model", [Point("20–39", 0.5)]),
        ],
        x_label="Score",
        y_words=percentage,
    )

    assert chart.head == ("Score", "Rules", "Model")
    assert chart.rows == (
        ("0–19", "10 % (5 % to 20 %), 1 of 10", "—"),
        ("20–39", "too few", "50 %"),
    )
    assert len(chart.drawings[0].whiskers) == 1


def test_the_summary_tells_what_the_picture_shows() -> None:
    chart = line_chart("Score", [Series("Score", [Point(date(2026, 3, 3), 10), Point(date(2026, 3, 5), 60)])])

    assert chart.summary == "Score: from 10 at 3 Mar 2026 to 60 at 5 Mar 2026, highest 60 at 5 Mar 2026."


def test_marks_and_events_stay_within_the_picture() -> None:
    chart = line_chart(
        "Score",
        [Series("Score", [Point(START, 5), Point(START + timedelta(days=9), 8)])],
        marks=[Mark(50, "MQL from 50")],
        events=[Event(START + timedelta(days=9), "A version with quite a long name")],
    )

    for drawing in chart.drawings:
        assert drawing.mark_labels[0].words == "MQL from 50"
        assert all(0 <= float(text.x) <= drawing.width for text in drawing.mark_labels)
        assert all(0 <= float(text.y) <= drawing.height for text in drawing.mark_labels)


@pytest.mark.parametrize(
    ("places", "spaced"),
    [
        ([10.0, 50.0], [10.0, 50.0]),
        ([10.0, 12.0], [10.0, 24.0]),
        ([99.0, 100.0], [86.0, 100.0]),
        ([100.0, 99.0, 98.0], [100.0, 86.0, 72.0]),
        ([], []),
    ],
)
def test_names_that_would_overlap_are_moved_apart(places: list[float], spaced: list[float]) -> None:
    assert spread(places, gap=14, low=0, high=100) == spaced


def test_without_values_the_chart_is_a_sentence() -> None:
    chart = line_chart("Score", [Series("Score", [Point(1, None)])], empty="Nobody was scored.")

    html = render_to_string("_chart.html", {"chart": chart})

    assert chart.drawings == ()
    assert "Nobody was scored." in html
    assert "<svg" not in html


@pytest.fixture
def drawn() -> str:
    chart: Chart = line_chart(
        "<b>Title</b>", [Series('"A" & <i>', [Point(0, 1), Point(1, 2)]), Series("B", [Point(0, 2)])]
    )
    return render_to_string("_chart.html", {"chart": chart})


def test_names_are_escaped_and_no_style_is_inline(drawn: str) -> None:
    assert "<b>" not in drawn
    assert "<i>" not in drawn
    assert "&lt;b&gt;Title" in drawn
    assert "style=" not in drawn


def test_the_picture_has_words_tooltips_and_a_table(drawn: str) -> None:
    assert drawn.count('role="img"') == 2
    assert drawn.count("aria-label=") == 2
    assert "<title>B, 0: 2</title>" in drawn
    assert "<details" in drawn
    assert '<th scope="row">0</th>' in drawn


def test_values_outside_a_given_range_are_drawn_at_its_edge() -> None:
    chart = line_chart("P", [Series("P", [Point(0, 0.0), Point(1, 3.0)])], y_range=(0, 1))

    _, (_, top) = points_of(chart.drawings[0].lines[0].d)
    assert top == 14


def test_many_bars_drop_some_of_their_words_but_none_of_their_values() -> None:
    words = [f"Week {number}" for number in range(30)]
    chart = bar_chart("Weeks", [Series("Weeks", [Point(word, 1) for word in words])])

    narrow = chart.drawings[1]
    assert len(narrow.bars) == 30
    assert sum(text.words.startswith("Week") for text in narrow.labels) < 30
    assert [row[0] for row in chart.rows] == words
