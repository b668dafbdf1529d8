"""manage.py train_prediction: our outcomes, or a foreign table as people export it (SCORE-12)."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from scoring.models import PredictionModel
from tests.scoring.prediction.lookalikes import course_leads, write_csv


def run(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("train_prediction", *arguments, stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


@pytest.fixture(scope="module")
def course_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "courses.csv"
    return str(write_csv(path, course_leads(600, seed=3), delimiter=";"))


@pytest.fixture(scope="module")
def honest(course_file):
    return run("--from-csv", course_file, "--target", "Converted", "--exclude", "Tags")


def test_a_leaking_column_is_named(course_file):
    report = run("--from-csv", course_file, "--target", "Converted", "--time", "Created")

    assert report["model"]["roc_auc"] > 0.99
    assert len(report["warnings"]) == 1
    assert report["warnings"][0].startswith("“Tags” alone reaches a ROC-AUC of 1.00")
    assert report["split"]["by"] == "time"


def test_without_it_the_report_is_honest(honest):
    assert 0.65 < honest["model"]["roc_auc"] < 0.9
    assert honest["warnings"] == ["Left out as asked: Tags."]
    assert honest["split"]["by"] == "chance"
    assert honest["rules"] is None
    assert honest["differences"][0]["against"] == "naive Bayes"
    assert (honest["rows"], honest["split"]["test_rows"]) == (600, 150)


def test_useless_columns_are_named_with_the_reason(honest):
    excluded = {each["column"]: each["reason"] for each in honest["columns_excluded"]}

    assert excluded == {
        "Prospect ID": "its words name the rows: nearly all of them differ",
        "Lead Number": "it numbers the rows",
        "Magazine": "it says the same in every row",
        "What matters most to you": "it is blank throughout",
    }


def test_the_others_are_used_as_what_they_are(honest):
    used = {each["column"]: each["as"] for each in honest["columns_used"]}

    assert used == {
        "Lead Source": "words, 4 of them frequent enough",
        "TotalVisits": "a number",
        "Total Time Spent on Website": "a number",
        "Specialization": "words, 2 of them frequent enough",
        "Comment": "whether it is filled in",
        "Created": "a date, as weekday",
    }


def test_several_columns_are_excluded_at_once(course_file):
    report = run(
        *("--from-csv", course_file, "--target", "Converted"),
        *("--exclude", "Tags, Created", "--exclude", "Comment"),
    )

    assert {"Tags", "Created", "Comment"}.isdisjoint(each["column"] for each in report["columns_used"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "Nope"), "there is no column “Nope”"),
        ((), "Name the column that holds the outcome"),
        (("--target", "Lead Source"), "Name the word that means success with --positive"),
        (("--target", "Magazine"), "the same in every row"),
        (("--target", "Converted", "--time", "Comment"), "does not tell a time"),
    ],
    ids=["no column", "no target", "words", "one class", "no time"],
)
def test_bad_wishes_end_with_2_and_a_sentence(course_file, arguments, words):
    with pytest.raises(CommandError, match=words) as refused:
        run("--from-csv", course_file, *arguments)

    assert refused.value.returncode == 2


def test_a_file_that_is_not_there_ends_with_2():
    with pytest.raises(CommandError, match="cannot be read") as refused:
        run("--from-csv", "/nowhere.csv", "--target", "x")

    assert refused.value.returncode == 2


def test_options_of_a_file_without_a_file_are_refused():
    with pytest.raises(CommandError, match="go with --from-csv"):
        run("--target", "x")


@pytest.mark.django_db
def test_at_home_a_candidate_is_kept(season):
    report = run()

    assert PredictionModel.objects.get().report == report
    assert report["target"] == "Becomes sales-qualified"


@pytest.mark.django_db
def test_at_home_too_few_outcomes_end_with_2(rules):
    with pytest.raises(CommandError, match="Too few outcomes: 0 of 200") as refused:
        run()

    assert refused.value.returncode == 2
