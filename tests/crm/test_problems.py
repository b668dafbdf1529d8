"""Every error that Salesforce is known to give has its remedy and its words (SALESFORCE.md §4, CRM-5)."""

import pickle

import pytest

from crm.problems import PLAIN_WORDS, LoginRefused, Remedy, as_error, sort_problem


@pytest.mark.parametrize(
    ("code", "message", "status", "remedy"),
    [
        ("INVALID_SESSION_ID", "Session expired or invalid", 401, Remedy.AUTH),
        ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403, Remedy.QUOTA),
        ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit", 403, Remedy.RETRY),
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 400, Remedy.RETRY),
        ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 500, Remedy.RETRY),
        ("SERVER_UNAVAILABLE", "", 503, Remedy.RETRY),
        ("HTTP_420", "", 420, Remedy.RETRY),
        ("HTTP_502", "", 502, Remedy.RETRY),
        ("HTTP_404", "", 404, Remedy.PERSON),
        ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back", 0, Remedy.AGAIN),
        ("PROCESSING_HALTED", "", 400, Remedy.AGAIN),
        ("DUPLICATES_DETECTED", "Use one of these records?", 400, Remedy.PERSON),
        ("DUPLICATE_VALUE", "duplicate value found", 400, Remedy.PERSON),
        ("ENTITY_IS_DELETED", "entity is deleted", 404, Remedy.GONE),
        ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, Remedy.CONVERTED),
        ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", 400, Remedy.PERSON),
        ("STRING_TOO_LONG", "data value too large", 400, Remedy.PERSON),
        ("INVALID_FIELD", "No such column 'X__c'", 400, Remedy.CONFIG),
        ("API_DISABLED_FOR_ORG", "", 403, Remedy.CONFIG),
        ("INACTIVE_OWNER_OR_USER", "", 400, Remedy.OWNER),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "a flow failed", 400, Remedy.PERSON),
        ("CANNOT_EXECUTE_FLOW_TRIGGER", "UNABLE_TO_LOCK_ROW: unable to obtain", 400, Remedy.RETRY),
        ("QUERY_TIMEOUT", "", 400, Remedy.RETRY),
        ("invalid_client", "invalid client credentials", 400, Remedy.AUTH),
        ("invalid_grant", "user hasn't approved this consumer", 400, Remedy.AUTH),
    ],
)
def test_the_code_decides_the_remedy(code: str, message: str, status: int, remedy: Remedy) -> None:
    assert sort_problem(code, message, status=status).remedy is remedy


@pytest.mark.parametrize("code", sorted(PLAIN_WORDS))
def test_plain_words_hold_no_code_and_no_placeholder(code: str) -> None:
    words = sort_problem(code, "because.", fields=["LastName", "Portal_Score__c"]).in_plain_words

    assert code not in words
    assert "{" not in words
    assert words.endswith(".")


def test_fields_are_named_as_the_portal_names_them() -> None:
    problem = sort_problem("REQUIRED_FIELD_MISSING", "…", fields=["LastName", "Company"])

    assert problem.in_plain_words == (
        "Salesforce wants a value for last name and company. Fill it in, then send again."
    )


def test_an_unknown_refusal_is_told_in_salesforce_s_own_words() -> None:
    assert sort_problem("NEW_THING", "Moon is full").in_plain_words == "Salesforce refused: Moon is full"


def test_errors_survive_pickling() -> None:
    error = as_error(sort_problem("invalid_client", "invalid client credentials"))

    copy = pickle.loads(pickle.dumps(error))

    assert isinstance(copy, LoginRefused)
    assert copy.problem == error.problem
