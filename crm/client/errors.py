"""Salesforce's four shapes of errors, brought into one: our own.

REST says `errorCode` in a list of one; a collections row says `statusCode`; OAuth says `error` and
`error_description`; an edge server answers with HTML or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import requests
from simple_salesforce.exceptions import SalesforceError as LibraryError

from crm.ids import full_id
from crm.problems import Problem, Remedy, as_error, sort_problem

Answer = TypeVar("Answer")

# Sic: Salesforce's own spelling for many years, and the later one.
DUPLICATES = ("duplicateResut", "duplicateResult")
RECORD_IN_WORDS = re.compile(r"record with id: (\w{15}(?:\w{3})?)\b")


def translated(make: Callable[[], Answer]) -> Answer:
    """Run a call of the library; whatever it throws comes out as one of our errors, with nothing attached."""
    try:
        return make()
    except LibraryError as error:
        problem = problem_of_answer(error.content, status=error.status)
    except requests.RequestException as error:
        problem = sort_problem("NO_ANSWER", type(error).__name__, status=503)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        # An answer that is not what the API promises, such as an HTML page under status 200.
        problem = sort_problem("UNREADABLE_ANSWER", type(error).__name__, status=503)
    # Raised here, outside the handler, so that no chained exception drags URLs or bodies into a log.
    raise as_error(problem)


def problem_of_answer(content: Any, *, status: int) -> Problem:
    """What an answer other than 2xx says, `content` being its body, parsed where that was possible."""
    first = content[0] if isinstance(content, list) and content else content
    if isinstance(first, Mapping):
        if "errorCode" in first:
            return _problem(first["errorCode"], first, status=status)
        if "error" in first:
            return sort_problem(str(first["error"]), str(first.get("error_description", "")), status=status)
    if status == 300:
        return sort_problem("DUPLICATE_EXTERNAL_ID", "Several records match.", status=status)
    # The HTML or empty answer of an edge server: its text says nothing and may be long.
    return sort_problem(f"HTTP_{status}", f"Salesforce answered with HTTP {status}.", status=status)


def problem_of_row(answer: Mapping[str, Any]) -> Problem:
    """What the result of a row that did not succeed says. Of several errors the first that is the row's own:
    one that was rolled back because of others says so, too."""
    problems = [
        _problem(error.get("statusCode") or error.get("errorCode") or "", error, status=0)
        for error in answer.get("errors") or [{}]
    ]
    own = (problem for problem in problems if problem.remedy is not Remedy.AGAIN)
    return next(own, problems[0])


def _problem(code: str, error: Mapping[str, Any], *, status: int) -> Problem:
    message = str(error.get("message", ""))
    return sort_problem(
        code, message, status=status, fields=error.get("fields") or (), matches=_matches(code, error, message)
    )


def _matches(code: str, error: Mapping[str, Any], message: str) -> tuple[str, ...]:
    """The ids of the records that stand in the way, each once."""
    if code == "DUPLICATE_VALUE":
        return tuple(full_id(record_id) for record_id in RECORD_IN_WORDS.findall(message))
    return tuple(dict.fromkeys(full_id(record_id) for record_id in _matching_records(error)))


def _matching_records(error: Mapping[str, Any]) -> Iterable[str]:
    for key in DUPLICATES:
        for result in (error.get(key) or {}).get("matchResults") or ():
            for match in result.get("matchRecords") or ():
                if record_id := (match.get("record") or {}).get("Id"):
                    yield str(record_id)
