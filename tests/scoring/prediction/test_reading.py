"""Foreign tables as they come: any delimiter, blanks by many names, outcomes in words (SCORE-12)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scoring.prediction import reading
from scoring.prediction.dates import parse_dates
from scoring.prediction.reading import Wanted, read_table
from scoring.prediction.tables import TrainingRefused


@pytest.fixture
def read(tmp_path):
    def read_text(text, *, encoding="utf-8", **wanted):
        path = tmp_path / "leads.csv"
        path.write_bytes(text.encode(encoding))
        return read_table(path, Wanted(**{"target": "won"} | wanted))

    return read_text


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
def test_the_delimiter_is_found_out(read, delimiter):
    table = read(f"visits{delimiter}won\n3{delimiter}1\n4{delimiter}0\n")

    assert table.columns == {"visits": [3.0, 4.0]}
    assert table.target == [True, False]


def test_quoted_fields_may_hold_delimiters_and_lines(read):
    table = read('"job; title";note;won\n"VP; Sales";"two\nlines";yes\n')

    assert table.columns == {"job; title": ["VP; Sales"], "note": ["two\nlines"]}


@pytest.mark.parametrize("blank", ["", "Select", "unknown", "NA", "n/a", "NaN", "null", "None", "?"])
def test_blanks_go_by_many_names(read, blank):
    table = read(f"visits,won\n{blank},1\n4,0\n")

    assert table.columns["visits"] == [None, 4.0]


@pytest.mark.parametrize(
    ("yes", "no"), [("1", "0"), ("Yes", "No"), ("TRUE", "false"), ("y", "n"), ("1.0", "0.0")]
)
def test_outcomes_are_understood(read, yes, no):
    assert read(f"visits,won\n1,{yes}\n2,{no}\n").target == [True, False]


def test_any_word_can_mean_success(read):
    table = read("visits,stage\n1,Closed Won\n2,lost\n3,open\n", target="stage", positive="closed won")

    assert table.target == [True, False, False]


def test_rows_without_an_outcome_are_left_out_and_counted(read):
    table = read("visits,won\n1,1\n2,\n3,0\n")

    assert table.columns["visits"] == [1.0, 3.0]
    assert table.left_out == {"“won” is blank": 1}


def test_a_byte_order_mark_and_old_encodings_are_read(read):
    assert read("visits,won\n1,1\n", encoding="utf-8-sig").columns == {"visits": [1.0]}
    assert read("Städte,won\nKöln,1\n", encoding="latin-1").columns == {"Städte": ["Köln"]}


def test_nameless_and_repeated_columns_are_told_apart(read):
    assert list(read("a,,a,won\n1,2,3,1\n").columns) == ["a", "column 2", "a (2)"]


def test_numbers_that_are_none_are_blank(read):
    assert read("visits,won\ninf,1\n1e3,0\n").columns["visits"] == [None, 1_000.0]


def test_a_column_with_one_word_is_words(read):
    assert read("size,won\n10,1\n10+,0\n").columns["size"] == ["10", "10+"]


def test_the_time_is_taken_apart_from_the_columns(read):
    table = read("day,visits,won\n2024-01-02,1,1\n2024-01-01,2,0\n,3,1\n", time="day")

    assert table.times == [1704153600.0, 1704067200.0]
    assert list(table.columns) == ["visits"]
    assert table.left_out == {"“day” tells no time": 1}


def test_excluded_columns_are_gone_and_mentioned(read):
    table = read("tags,visits,won\na,1,1\n", exclude=["tags"])

    assert list(table.columns) == ["visits"]
    assert table.notes == ["Left out as asked: tags."]


@pytest.mark.parametrize(
    ("text", "wanted", "words"),
    [
        ("", {}, "empty"),
        ("\n1,2\n", {}, "empty"),
        ("won\n1\n", {}, "one column only"),
        (
            "a,won\n1,1\n",
            {"target": "Converted"},
            "--target: there is no column “Converted”. There are: a, won.",
        ),
        ("a,won\n1,1\n", {"time": "day"}, "--time: there is no column “day”"),
        ("a,won\n1,1\n", {"exclude": ["b"]}, "--exclude: there is no column “b”"),
        ("a,won\n1,1\n", {"exclude": ["won"]}, "cannot be left out"),
        ("a,won\n1,perhaps\n", {}, "neither yes nor no"),
        ("a,won\n1,lost\n", {"positive": "won"}, "no row says “won”"),
        ("a,won\n1,1\n1,2,3\n", {}, "Row 3 has 3 cells"),
        ("a,won\nmonday,1\n", {"time": "a"}, "does not tell a time"),
        ("a\0,won\n1,1\n", {}, "NUL"),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_what_cannot_be_read_is_refused_with_a_sentence(read, text, wanted, words):
    with pytest.raises(TrainingRefused) as refused:
        read(text, **wanted)

    assert words in str(refused.value)


def test_numbers_beyond_any_amount_are_not_known(read):
    table = read("a,won\n1e300,1\n-1e300,0\n7,1\n1e15,0\ninf,1\n")

    assert table.columns["a"] == [None, None, 7.0, 1e15, None]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(TrainingRefused, match="cannot be read"):
            read_table(path, Wanted("won"))


def test_a_table_that_is_too_large_is_refused_before_it_is_held(read, monkeypatch):
    monkeypatch.setattr(reading, "MAX_CELLS", 20)

    with pytest.raises(TrainingRefused, match="too large"):
        read("a,won\n" + "1,1\n" * 11)


def test_a_line_without_end_is_refused(read, monkeypatch):
    monkeypatch.setattr(reading, "MAX_LINE", 50)

    with pytest.raises(TrainingRefused, match="longer than 50"):
        read("a,won\n" + "1" * 60 + ",1\n")


@pytest.mark.parametrize(
    ("texts", "day"),
    [
        (["2024-03-04"], datetime(2024, 3, 4, tzinfo=UTC)),
        (["2024-03-04T10:30:00+02:00"], datetime(2024, 3, 4, 8, 30, tzinfo=UTC)),
        (["3/4/2024"], datetime(2024, 3, 4, tzinfo=UTC)),
        (["3/4/2024", "25/4/2024", "26/4/2024"], datetime(2024, 4, 3, tzinfo=UTC)),
        (["4.3.2024 14:05"], datetime(2024, 3, 4, 14, 5, tzinfo=UTC)),
        (["Mar 4, 2024"], datetime(2024, 3, 4, tzinfo=UTC)),
        (["four"], None),
        (["2024"], None),
        (["99-99-9999"], None),
    ],
    ids=["iso", "zone", "month-first", "day-first", "dots", "words", "word", "year", "nonsense"],
)
def test_a_column_writes_its_dates_in_one_way(texts, day):
    assert parse_dates(texts)[0] == day
