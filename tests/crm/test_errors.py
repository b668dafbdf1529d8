"""Salesforce's four shapes of errors come out as one (SALESFORCE.md §4)."""

from typing import Any

import pytest

from crm.client.errors import problem_of_answer, problem_of_row
from crm.ids import full_id
from crm.problems import Remedy

MATCHES = {
    "matchResults": [
        {
            "matchRecords": [
                {"record": {"attributes": {"type": "Lead"}, "Id": "00Q5g000004wXYZ"}},
                {"record": {"Id": "00Q5g000004wXYZEA2"}},
                {"record": {"Id": "00Q5g00000AAAAAEAA"}},
            ]
        },
        {"matchRecords": None},
    ]
}
FOUND = ("00Q5g000004wXYZEA2", "00Q5g00000AAAAAEAA")


@pytest.mark.parametrize(
    ("content", "status", "code", "remedy"),
    [
        ([{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "busy"}], 500, "UNABLE_TO_LOCK_ROW", Remedy.RETRY),
        ({"error": "invalid_grant", "error_description": "no"}, 400, "invalid_grant", Remedy.AUTH),
        ("<html>Session expired</html>", 401, "HTTP_401", Remedy.AUTH),
        ("<html>Down for maintenance</html>", 503, "HTTP_503", Remedy.RETRY),
        ("", 420, "HTTP_420", Remedy.RETRY),
        ([], 502, "HTTP_502", Remedy.RETRY),
        (["/services/data/v68.0/sobjects/Lead/00Q1"], 300, "DUPLICATE_EXTERNAL_ID", Remedy.PERSON),
        ("<html>", 404, "HTTP_404", Remedy.PERSON),
    ],
)
def test_each_shape_is_understood(content: Any, status: int, code: str, remedy: Remedy) -> None:
    problem = problem_of_answer(content, status=status)

    assert (problem.code, problem.remedy) == (code, remedy)


@pytest.mark.parametrize("key", ["duplicateResut", "duplicateResult"])
def test_a_duplicate_rule_names_its_matches_however_salesforce_spells_it(key: str) -> None:
    error = {"message": "Use one of these records?", "fields": [], key: MATCHES}

    single = problem_of_answer([{**error, "errorCode": "DUPLICATES_DETECTED"}], status=400)
    row = problem_of_row({"success": False, "errors": [{**error, "statusCode": "DUPLICATES_DETECTED"}]})

    assert single.matches == row.matches == FOUND
    assert single.remedy is row.remedy is Remedy.PERSON


@pytest.mark.parametrize(
    ("words", "matches"),
    [
        ("Portal_Lead_Id__c duplicates value on record with id: 00Q5g000004wXYZ", FOUND[:1]),
        ("X__c duplicates value on record with id: 00Q5g000004wXYZEA2", FOUND[:1]),
        ("<unknown> duplicates value on record with id: <unknown>", ()),
    ],
)
def test_a_value_taken_names_who_has_it(words: str, matches: tuple[str, ...]) -> None:
    row = {"errors": [{"statusCode": "DUPLICATE_VALUE", "message": f"duplicate value found: {words}"}]}

    assert problem_of_row(row).matches == matches


def test_of_several_errors_the_row_s_own_is_told() -> None:
    rolled_back = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Record rolled back"}
    own = {"statusCode": "STRING_TOO_LONG", "message": "too large", "fields": ["Title"]}

    assert problem_of_row({"errors": [rolled_back, own]}).code == "STRING_TOO_LONG"
    assert problem_of_row({"errors": [rolled_back]}).remedy is Remedy.AGAIN


def test_a_refused_row_that_says_nothing_is_a_person_s() -> None:
    problem = problem_of_row({"success": False, "errors": []})

    assert (problem.code, problem.remedy) == ("", Remedy.PERSON)
    assert problem.in_plain_words.endswith(".")


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("00Q5g000004wXYZ", "00Q5g000004wXYZEA2"),
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("00Q5g000004wXYZEA2", "00Q5g000004wXYZEA2"),
        ("", ""),
    ],
)
def test_ids_are_told_in_18_characters(short: str, full: str) -> None:
    assert full_id(short) == full
