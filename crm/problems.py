"""What goes wrong with Salesforce: sorted by what to do about it, and told in plain words (CRM-5).

Pure: no Django, no HTTP. SALESFORCE.md §4 has the evidence for the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Remedy(StrEnum):
    """What to do about a problem."""

    RETRY = "retry"  # it passes by itself
    AGAIN = "again"  # it was rolled back because of others: send it again, it counts as no try
    QUOTA = "quota"  # nothing goes through before the allocation is refilled
    AUTH = "auth"  # our credentials
    CONFIG = "config"  # the org's set-up, our user's permissions, the mapping: the same for all of its kind
    CONVERTED = "converted"  # the lead became a contact: follow it there, write the lead no more
    GONE = "gone"  # deleted, or merged into another record: look for that one
    OWNER = "owner"  # that owner cannot have the record there: send it with a queue
    PERSON = "person"  # the same call will fail the same way until somebody changes something


@dataclass(frozen=True)
class Problem:
    """One refusal: Salesforce's code and message, the fields it named, the records that stand in the way
    (18-character ids), and what to do. The message may quote what was sent: it belongs in no log."""

    remedy: Remedy
    code: str
    message: str = field(repr=False)
    fields: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()

    @property
    def in_plain_words(self) -> str:
        return _plain_words(self)


REMEDIES: dict[Remedy, set[str]] = {
    Remedy.RETRY: {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "UNKNOWN_EXCEPTION",
        "QUERY_TIMEOUT",
        "INVALID_QUERY_LOCATOR",
        "REQUEST_RUNNING_TOO_LONG",
    },
    Remedy.AGAIN: {"ALL_OR_NONE_OPERATION_ROLLED_BACK", "PROCESSING_HALTED"},
    Remedy.AUTH: {
        "INVALID_SESSION_ID",
        "UNUSABLE_KEY",
        "SECRET_LOST",
        "ANOTHER_ORG",
        "invalid_client",
        "invalid_client_id",
        "invalid_grant",
        "invalid_request",
        "invalid_app_access",
        "unauthorized_client",
        "unsupported_grant_type",
        "inactive_user",
        "inactive_org",
    },
    Remedy.CONFIG: {
        "API_DISABLED_FOR_ORG",
        "API_CURRENTLY_DISABLED",
        "INSUFFICIENT_ACCESS_OR_READONLY",
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        "INVALID_FIELD",
        "INVALID_FIELD_FOR_INSERT_UPDATE",
        "INVALID_TYPE",
        "MALFORMED_QUERY",
    },
    Remedy.CONVERTED: {"CANNOT_UPDATE_CONVERTED_LEAD"},
    Remedy.GONE: {"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"},
    Remedy.OWNER: {"INACTIVE_OWNER_OR_USER", "OPERATION_WITH_INACTIVE_USER", "TRANSFER_REQUIRES_READ"},
}
REMEDY_OF_CODE = {code: remedy for remedy, codes in REMEDIES.items() for code in codes}
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
    # The record
    "REQUIRED_FIELD_MISSING": "Salesforce wants a value for {fields}. Fill it in, then send again.",
    "STRING_TOO_LONG": "Longer than Salesforce takes: {fields}. Shorten it, then send again.",
    "INVALID_EMAIL_ADDRESS": "Salesforce does not take the e-mail address. Correct it, then send again.",
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": "Salesforce does not know the value of {fields}. "
    "Add it to the picklist there or change the mapping, then send again.",
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": "A validation rule in Salesforce refuses the record: {message} "
    "Correct the record or the rule, then send again.",
    "FIELD_INTEGRITY_EXCEPTION": "Salesforce refuses the value of {fields}: {message} "
    "Correct it, then send again.",
    "INVALID_TYPE_ON_FIELD_IN_RECORD": "Salesforce keeps {fields} as another type: {message} "
    "Map it to a field of the right type, then send again.",
    "NUMBER_OUTSIDE_VALID_RANGE": "Larger than Salesforce takes: {fields}. Correct it, then send again.",
    "JSON_PARSER_ERROR": "Salesforce cannot read a value of {fields}: {message} "
    "Correct it or change the mapping, then send again.",
    "DUPLICATES_DETECTED": "A duplicate rule in Salesforce found the same person under another record. "
    "Adopt that record or merge them there, then send again.",
    "DUPLICATE_VALUE": "Another record in Salesforce already has this value. Adopt that record, or correct "
    "the value there, then send again.",
    "DUPLICATE_EXTERNAL_ID": "Several records in Salesforce carry this lead's portal id. Merge them there, "
    "then send again.",
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": "A trigger in Salesforce failed: {message} Have it mended "
    "there, then send again.",
    "CANNOT_EXECUTE_FLOW_TRIGGER": "A flow in Salesforce failed: {message} Have it mended there, then send "
    "again.",
    "APEX_ERROR": "A program in Salesforce failed: {message} Have it mended there, then send again.",
    # What became of it there
    "ENTITY_IS_DELETED": "The record was deleted or merged in Salesforce. Choose whether to make it anew.",
    "NOT_FOUND": "Salesforce does not know the record, or the field that identifies it. Check that the "
    "portal's fields are deployed there.",
    "INVALID_CROSS_REFERENCE_KEY": "A record that this one points to ({fields}) is not in Salesforce, or our "
    "user cannot see it.",
    "CANNOT_UPDATE_CONVERTED_LEAD": "The lead was converted in Salesforce and cannot be written any more.",
    "INACTIVE_OWNER_OR_USER": "The owner is not active in Salesforce. Map them to an active user.",
    "OPERATION_WITH_INACTIVE_USER": "The owner is not active in Salesforce. Map them to an active user.",
    "TRANSFER_REQUIRES_READ": "The owner has no access to leads in Salesforce. Give it to them there, or map "
    "them to another user.",
    # The set-up of the org and of our user
    "INVALID_FIELD": "A field of the mapping is missing in Salesforce, or hidden from our user: {message} "
    "Deploy it and grant our permission set, or change the mapping.",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "Our user may not write {fields} in Salesforce. Grant it in the "
    "permission set, or change the mapping.",
    "INVALID_TYPE": "Salesforce does not know one of the objects, or hides it from our user: {message} Grant "
    "it in the permission set.",
    "MALFORMED_QUERY": "Salesforce cannot read one of our queries: {message} Check the field names "
    "of the mapping.",
    "INSUFFICIENT_ACCESS_OR_READONLY": "Our Salesforce user may not write this record. Grant our permission "
    "set, and look whether the record is locked for approval.",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "Our Salesforce user may not use a record that this one "
    "points to, such as its owner. Grant our permission set.",
    "API_DISABLED_FOR_ORG": "The API is switched off in this Salesforce edition, or for our user. Allow it "
    "in the permission set.",
    "API_CURRENTLY_DISABLED": "The API is switched off for this org at the moment. Ask your Salesforce "
    "administrator.",
    # Passing by itself
    "UNABLE_TO_LOCK_ROW": "The record was busy in Salesforce.",
    "SERVER_UNAVAILABLE": "Salesforce is not available at the moment. It is tried again by itself.",
    "UNKNOWN_EXCEPTION": "Something went wrong inside Salesforce. Send again, and ask its support if it "
    "stays so.",
    "QUERY_TIMEOUT": "A query took Salesforce too long. It is tried again by itself.",
    "REQUEST_RUNNING_TOO_LONG": "A call took Salesforce too long. It is tried again by itself.",
    "INVALID_QUERY_LOCATOR": "Salesforce forgot how far we had read. We read it again by ourselves.",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK": "It was taken back because of another record. It is sent again by "
    "itself.",
    "PROCESSING_HALTED": "It was not done because of another record. It is sent again by itself.",
    "NO_ANSWER": "Salesforce did not answer. It is tried again by itself.",
    "UNREADABLE_ANSWER": "Salesforce gave an answer that cannot be read. It is tried again by itself.",
    "EXCEEDED_ID_LIMIT": "Too much changed in Salesforce at once for one answer.",
    "INVALID_REPLICATION_DATE": "Salesforce no longer remembers so long ago. Compare both sides to catch up.",
    # The session
    "REQUEST_LIMIT_EXCEEDED": "The day's allocation of Salesforce calls is used up. What waits is sent when "
    "it is refilled.",
    "INVALID_SESSION_ID": "Salesforce does not accept our session. Check how our user may sign in.",
    "UNUSABLE_KEY": "The private key cannot be read. Enter the whole of it, from BEGIN to END, without a "
    "password.",
    "SECRET_LOST": "The secret can no longer be read, as NOTIFICATION_KEY was changed on the server. Enter "
    "it again on the connection page.",
    "ANOTHER_ORG": "This is another Salesforce org than the one that everything was exchanged with: "
    "{message} Enter the former address again. To send everything to this org instead, run manage.py "
    "salesforce_adopt_org.",
    "invalid_client": "Salesforce does not accept the client secret. Enter the one shown in the app there.",
    "invalid_client_id": "Salesforce does not know the client id. Enter the consumer key shown in the app "
    "there.",
    "invalid_grant": "Salesforce does not let our user sign in: {message} Approve the app for them, and "
    "check address, user name and certificate.",
    "invalid_request": "Salesforce does not understand how we sign in: {message} Check the address of the "
    "org.",
    "invalid_app_access": "Our Salesforce user may not use the app. Approve it for them there.",
    "unauthorized_client": "The app may not sign in this way. Allow the flow in its settings in Salesforce.",
    "unsupported_grant_type": "The org does not let apps sign in this way. Use its My Domain address, and "
    "allow the flow there.",
    "inactive_user": "Our Salesforce user is not active. Activate them there.",
    "inactive_org": "The Salesforce org is locked or closed.",
}
NOT_AVAILABLE = "Salesforce is not available for the moment, as during maintenance ({code})."
TOO_MANY_AT_ONCE = "Too many long calls ran in Salesforce at once. It is tried again by itself."


def sort_problem(
    code: str, message: str, *, status: int = 0, fields: Sequence[str] = (), matches: Sequence[str] = ()
) -> Problem:
    """A problem with its remedy. The code decides; the HTTP status only where there is no code we know.

    One code comes with several statuses (UNABLE_TO_LOCK_ROW is seen as 400 and as 500).
    """
    named = tuple(str(name) for name in fields)
    return Problem(_remedy(code, message, status, named), code, message[:500], named, tuple(matches))


def _remedy(code: str, message: str, status: int, fields: tuple[str, ...]) -> Remedy:
    if code == "REQUEST_LIMIT_EXCEEDED":
        # The same code stands for "too many long calls at once", which passes in seconds.
        return Remedy.RETRY if _is_about_long_calls(message) else Remedy.QUOTA
    if code in WRAPPERS and "UNABLE_TO_LOCK_ROW" in message:
        return Remedy.RETRY
    if code == "INVALID_CROSS_REFERENCE_KEY" and "OwnerId" in fields:
        return Remedy.OWNER
    if code in REMEDY_OF_CODE:
        return REMEDY_OF_CODE[code]
    if status == 401:
        return Remedy.AUTH
    if status >= 500 or status in (420, 429):
        return Remedy.RETRY
    return Remedy.PERSON


def _is_about_long_calls(message: str) -> bool:
    return message.startswith("ConcurrentRequests")


def _plain_words(problem: Problem) -> str:
    if problem.code == "REQUEST_LIMIT_EXCEEDED" and _is_about_long_calls(problem.message):
        return TOO_MANY_AT_ONCE
    words = PLAIN_WORDS.get(problem.code)
    if problem.code.startswith("HTTP_"):
        if problem.remedy is Remedy.RETRY:
            return NOT_AVAILABLE.format(code=problem.code.replace("_", " "))
        words = "{message}"
    if words is None:
        return _as_sentence(f"Salesforce refused: {problem.message or problem.code or 'it gave no reason'}")
    named = " and ".join(FIELD_NAMES.get(name, name) for name in problem.fields) or "a field"
    return words.format(fields=named, message=_as_sentence(problem.message))


def _as_sentence(message: str) -> str:
    text = message.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."


class SalesforceError(Exception):
    """A call that failed as a whole. Carries no address, token or body, tells only the code by itself, and
    survives pickling."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem.code


class SalesforceUnavailable(SalesforceError):
    """It passes by itself. Whether the call took effect is unknown."""


class QuotaSpent(SalesforceError):
    """The day's allocation is used up: nothing else will go through either."""


class LoginRefused(SalesforceError):
    """Our credentials: nothing else will go through either."""


class RequestRefused(SalesforceError):
    """The same call will be refused again until somebody or something changes; the remedy says what."""


ERRORS: dict[Remedy, type[SalesforceError]] = {
    Remedy.RETRY: SalesforceUnavailable,
    Remedy.AGAIN: SalesforceUnavailable,
    Remedy.QUOTA: QuotaSpent,
    Remedy.AUTH: LoginRefused,
}


def as_error(problem: Problem) -> SalesforceError:
    """The exception that fits the problem's remedy."""
    return ERRORS.get(problem.remedy, RequestRefused)(problem)
