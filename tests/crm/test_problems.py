"""Every error that Salesforce is known to give has its remedy and its words (SALESFORCE.md §4, CRM-5)."""

import pickle

import pytest

from crm.problems import PLAIN_WORDS, LoginRefused, Remedy, as_error, sort_problem

LOCKED = "UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record"
# Every code of SALESFORCE.md §4: code, message, HTTP status (0: a row of a collections call), remedy.
KNOWN = [
    ("INVALID_SESSION_ID", "Session expired or invalid", 401, Remedy.AUTH),
    ("HTTP_401", "", 401, Remedy.AUTH),
    ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403, Remedy.QUOTA),
    ("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit", 403, Remedy.RETRY),
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 400, Remedy.RETRY),
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 500, Remedy.RETRY),
    ("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", 0, Remedy.RETRY),
    ("SERVER_UNAVAILABLE", "", 503, Remedy.RETRY),
    ("NO_ANSWER", "ReadTimeout", 503, Remedy.RETRY),
    ("HTTP_420", "", 420, Remedy.RETRY),
    ("HTTP_500", "", 500, Remedy.RETRY),
    ("HTTP_502", "", 502, Remedy.RETRY),
    ("DUPLICATES_DETECTED", "Use one of these records?", 400, Remedy.PERSON),
    ("DUPLICATE_VALUE", "duplicate value found", 400, Remedy.PERSON),
    ("DUPLICATE_EXTERNAL_ID", "matches more than one record", 0, Remedy.PERSON),
    ("ENTITY_IS_DELETED", "entity is deleted", 404, Remedy.GONE),
    ("ENTITY_IS_DELETED", "entity is deleted", 0, Remedy.GONE),
    ("NOT_FOUND", "The requested resource does not exist", 404, Remedy.GONE),
    ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", 404, Remedy.GONE),
    ("CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead", 400, Remedy.CONVERTED),
    ("REQUIRED_FIELD_MISSING", "Required fields are missing: [LastName]", 400, Remedy.PERSON),
    ("STRING_TOO_LONG", "data value too large", 400, Remedy.PERSON),
    ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Budget must be set", 400, Remedy.PERSON),
    ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value", 400, Remedy.PERSON),
    ("INVALID_EMAIL_ADDRESS", "invalid email address", 400, Remedy.PERSON),
    ("FIELD_INTEGRITY_EXCEPTION", "There's a problem with this country", 400, Remedy.PERSON),
    ("INVALID_TYPE_ON_FIELD_IN_RECORD", "value not of required type", 400, Remedy.PERSON),
    ("INVALID_FIELD", "No such column 'X__c'", 400, Remedy.CONFIG),
    ("INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields", 400, Remedy.CONFIG),
    ("INSUFFICIENT_ACCESS_OR_READONLY", "", 403, Remedy.CONFIG),
    ("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "", 400, Remedy.CONFIG),
    ("API_DISABLED_FOR_ORG", "", 403, Remedy.CONFIG),
    ("MALFORMED_QUERY", "unexpected token", 400, Remedy.CONFIG),
    ("INVALID_TYPE", "sObject type 'Campaign' is not supported", 400, Remedy.CONFIG),
    ("INACTIVE_OWNER_OR_USER", "", 400, Remedy.OWNER),
    ("OPERATION_WITH_INACTIVE_USER", "", 400, Remedy.OWNER),
    ("TRANSFER_REQUIRES_READ", "", 400, Remedy.OWNER),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "a trigger failed", 400, Remedy.PERSON),
    ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", f"dlrs: {LOCKED}", 400, Remedy.RETRY),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", "a flow failed", 400, Remedy.PERSON),
    ("CANNOT_EXECUTE_FLOW_TRIGGER", LOCKED, 400, Remedy.RETRY),
    ("APEX_ERROR", "System.NullPointerException", 400, Remedy.PERSON),
    ("APEX_ERROR", LOCKED, 400, Remedy.RETRY),
    ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back", 0, Remedy.AGAIN),
    ("PROCESSING_HALTED", "", 400, Remedy.AGAIN),
    ("INVALID_QUERY_LOCATOR", "", 400, Remedy.RETRY),
    ("QUERY_TIMEOUT", "", 400, Remedy.RETRY),
    ("EXCEEDED_ID_LIMIT", "", 400, Remedy.PERSON),
    ("INVALID_REPLICATION_DATE", "", 400, Remedy.PERSON),
    ("JSON_PARSER_ERROR", "Cannot deserialize instance of double", 400, Remedy.PERSON),
    ("HTTP_404", "", 404, Remedy.PERSON),
    ("HTTP_414", "", 414, Remedy.PERSON),
    ("HTTP_415", "", 415, Remedy.PERSON),
    ("HTTP_431", "", 431, Remedy.PERSON),
    ("invalid_client", "invalid client credentials", 400, Remedy.AUTH),
    ("invalid_client_id", "client identifier invalid", 400, Remedy.AUTH),
    ("invalid_grant", "user hasn't approved this consumer", 400, Remedy.AUTH),
]


@pytest.mark.parametrize(("code", "message", "status", "remedy"), KNOWN)
def test_the_code_decides_the_remedy(code: str, message: str, status: int, remedy: Remedy) -> None:
    assert sort_problem(code, message, status=status).remedy is remedy


def test_every_known_code_has_words_of_its_own() -> None:
    codes = {code for code, *_ in KNOWN if not code.startswith("HTTP_")}

    assert codes <= set(PLAIN_WORDS)


def test_a_reference_that_is_the_owner_is_the_owner_s_fault() -> None:
    problem = sort_problem("INVALID_CROSS_REFERENCE_KEY", "Owner ID: id value", fields=["OwnerId"])

    assert problem.remedy is Remedy.OWNER


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


@pytest.mark.parametrize("code", ["STRING_TOO_LONG", "NUMBER_OUTSIDE_VALID_RANGE"])
def test_one_field_several_and_none_all_read_as_english(code: str) -> None:
    named = [
        sort_problem(code, "…", fields=fields).in_plain_words.partition(". ")[0].partition(": ")[2]
        for fields in ([], ["Title"], ["FirstName", "LastName"])
    ]

    assert named == ["a field", "job title", "first name and last name"]


def test_an_unknown_refusal_is_told_in_salesforce_s_own_words() -> None:
    assert sort_problem("NEW_THING", "Moon is full").in_plain_words == "Salesforce refused: Moon is full."


def test_what_salesforce_quotes_of_a_record_is_in_no_log() -> None:
    error = as_error(sort_problem("INVALID_EMAIL_ADDRESS", "Email: invalid email address: ada@engines"))

    assert "ada@engines" not in f"{error} {error!r} {error.problem!r}"


def test_errors_survive_pickling() -> None:
    error = as_error(sort_problem("invalid_client", "invalid client credentials"))

    copy = pickle.loads(pickle.dumps(error))

    assert isinstance(copy, LoginRefused)
    assert copy.problem == error.problem


def test_a_status_without_an_error_says_whether_it_passes() -> None:
    for_now, for_good = (sort_problem(f"HTTP_{code}", f"It said {code}", status=code) for code in (503, 404))

    assert for_now.in_plain_words == (
        "Salesforce is not available for the moment, as during maintenance (HTTP 503)."
    )
    assert for_good.in_plain_words == "It said 404."
