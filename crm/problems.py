"""What goes wrong with Salesforce: sorted by what to do about it, and told in plain words (CRM-5).

Pure: no Django, no HTTP. SALESFORCE.md §4 has the evidence for the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Remedy(StrEnum):
    """What to do about a problem."""

    RETRY = "retry"  # it passes by itself
    QUOTA = "quota"  # nothing goes through before the allocation is refilled
    AUTH = "auth"  # the credentials or the permissions of our user
    PERSON = "person"  # the same call will fail the same way until somebody changes something


@dataclass(frozen=True)
class Problem:
    """One refusal: Salesforce's code and message, the fields it named, and what to do."""

    remedy: Remedy
    code: str
    message: str
    fields: tuple[str, ...] = ()

    @property
    def in_plain_words(self) -> str:
        return _plain_words(self)


RETRIED = {
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "UNKNOWN_EXCEPTION",
    "QUERY_TIMEOUT",
    "INVALID_QUERY_LOCATOR",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "PROCESSING_HALTED",
    "REQUEST_RUNNING_TOO_LONG",
}
AUTH = {
    "INVALID_SESSION_ID",
    "API_DISABLED_FOR_ORG",
    "API_CURRENTLY_DISABLED",
    "invalid_client",
    "invalid_client_id",
    "invalid_grant",
    "unsupported_grant_type",
    "inactive_user",
    "inactive_org",
}
# Automation in the org failed; it may only have met a locked row, which its message then says.
WRAPPERS = {"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"}

FIELD_NAMES = {
    "FirstName": "first name",
    "LastName": "last name",
    "Company": "company",
    "Title": "job title",
    "Email": "e-mail address",
    "Phone": "phone number",
    "Website": "website",
    "Country": "country",
    "Industry": "industry",
    "LeadSource": "lead source",
    "NumberOfEmployees": "number of employees",
    "Status": "status",
    "OwnerId": "owner",
    "Subject": "subject of the task",
    "Description": "description of the task",
    "WhoId": "lead of the task",
}

PLAIN_WORDS = {
    "REQUIRED_FIELD_MISSING": "Salesforce wants a value for {fields}. Fill it in, then send again.",
    "STRING_TOO_LONG": "The {fields} is longer than Salesforce takes. Shorten it, then send again.",
    "INVALID_EMAIL_ADDRESS": "Salesforce does not take the e-mail address. Correct it, then send again.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Salesforce does not know the value of {fields}. "
    "Add it to the picklist there or change the mapping, then send again.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule in Salesforce refuses the record: {message}",
    "FIELD_INTEGRITY_EXCEPTION": "Salesforce refuses the value of {fields}: {message}",
    "INVALID_FIELD": "A field of the portal is missing in Salesforce or hidden from our user: {message}",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Our user may not write {fields} in Salesforce.",
    "JSON_PARSER_ERROR": "Salesforce cannot read a value of {fields}: {message}",
    "DUPLICATES_DETECTED": "A duplicate rule in Salesforce found the same person under another record. "
    "Merge them there, then send again.",
    "DUPLICATE_VALUE": "Another record in Salesforce already has this value: {message}",
    "DUPLICATE_EXTERNAL_ID": "Several records in Salesforce carry this lead's portal id. Merge them there.",
    "ENTITY_IS_DELETED": "The record was deleted or merged in Salesforce.",
    "NOT_FOUND": "Salesforce does not know the record or the field that identifies it.",
    "INVALID_CROSS_REFERENCE_KEY": "A record that this one points to ({fields}) is not in Salesforce.",
    "CANNOT_UPDATE_CONVERTED_LEAD": "The lead was converted in Salesforce and cannot be written any more.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Our Salesforce user may not write this record.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Our Salesforce user may not use a record that this one "
    "points to, such as its owner.",
    "INACTIVE_OWNER_OR_USER": "The owner is not active in Salesforce. Map them to an active user.",
    "OPERATION_WITH_INACTIVE_USER": "The owner is not active in Salesforce. Map them to an active user.",
    "TRANSFER_REQUIRES_READ": "The owner has no access to leads in Salesforce.",
    "UNABLE_TO_LOCK_ROW": "The record was busy in Salesforce.",
    "SERVER_UNAVAILABLE": "Salesforce is not available at the moment.",
    "NO_ANSWER": "Salesforce did not answer.",
    "REQUEST_LIMIT_EXCEEDED": "The day's allocation of Salesforce calls is used up.",
    "INVALID_SESSION_ID": "Salesforce does not accept our session.",
    "API_DISABLED_FOR_ORG": "The API is switched off in this Salesforce edition.",
    "invalid_client": "Salesforce does not accept the client secret.",
    "invalid_client_id": "Salesforce does not know the client id.",
    "invalid_grant": "Salesforce does not let our user sign in.",
}


def sort_problem(code: str, message: str, *, status: int = 0, fields: Sequence[str] = ()) -> Problem:
    """A problem with its remedy. The code decides; the HTTP status only where there is no code we know.

    One code comes with several statuses (UNABLE_TO_LOCK_ROW is seen as 400 and as 500).
    """
    return Problem(_remedy(code, message, status), code, message[:500], tuple(fields))


def _remedy(code: str, message: str, status: int) -> Remedy:
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The same code stands for "too many long calls at once", which passes in seconds.
        return Remedy.RETRY if message.startswith("ConcurrentRequests") else Remedy.QUOTA
    if code in RETRIED or (code in WRAPPERS and "UNABLE_TO_LOCK_ROW" in message):
        return Remedy.RETRY
    if code in AUTH or status == 401:
        return Remedy.AUTH
    if status >= 500 or status in (420, 429):
        return Remedy.RETRY
    return Remedy.PERSON


def _plain_words(problem: Problem) -> str:
    words = PLAIN_WORDS.get(problem.code)
    if words is None:
        return f"Salesforce refused: {problem.message or problem.code}"
    named = " and ".join(FIELD_NAMES.get(field, field) for field in problem.fields) or "a field"
    return words.format(fields=named, message=problem.message)


class SalesforceError(Exception):
    """A call that failed as a whole. Carries no address, token or body, and survives pickling."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.problem.code}: {self.problem.message}"


class SalesforceUnavailable(SalesforceError):
    """It passes by itself. Whether the call took effect is unknown."""


class QuotaSpent(SalesforceError):
    """The day's allocation is used up: nothing else will go through either."""


class LoginRefused(SalesforceError):
    """Our credentials or permissions: nothing else will go through either."""


class RequestRefused(SalesforceError):
    """The same call will be refused again until somebody changes something."""


ERRORS: dict[Remedy, type[SalesforceError]] = {
    Remedy.RETRY: SalesforceUnavailable,
    Remedy.QUOTA: QuotaSpent,
    Remedy.AUTH: LoginRefused,
    Remedy.PERSON: RequestRefused,
}


def as_error(problem: Problem) -> SalesforceError:
    """The exception that fits the problem's remedy."""
    return ERRORS[problem.remedy](problem)
