"""Up to 25 calls in one, which may refer to each other's answers. All of it counts as one API request."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from crm.standin.errors import ApiError
from crm.standin.messages import Reply, Request

from .call import Call, Routes, bad_json

MAX_PARTS = 25
# Of these no more than five together.
COSTLY = re.compile(r"/services/data/v\d+\.\d/(query|queryAll|composite/sobjects)\b")
MAX_COSTLY = 5
NAME = re.compile(r"[A-Za-z]\w*")
REFERENCE = re.compile(r"@\{(?P<name>\w+)(?P<path>(?:\.\w+|\[\d+\])*)\}")
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
# They are the outer call's alone.
OUTER_HEADERS = {"accept", "authorization", "content-type"}
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


@dataclass(frozen=True)
class Part:
    name: str
    method: str
    url: str
    headers: Mapping[str, str]
    body: Any


def composite(call: Call) -> Reply:
    """Run the parts in order. With `allOrNone` one failure undoes all of them."""
    body = call.request.json(dict)
    parts = _parts(body)
    answers: dict[str, Reply] = {}
    try:
        with call.org.store.transaction():
            for part in parts:
                answers[part.name] = _run(call, part, answers)
                if body.get("allOrNone") is True and answers[part.name].status >= 400:
                    raise _HaltedError(part.name)
    except _HaltedError as halted:
        error = ApiError(400, "PROCESSING_HALTED", HALTED)
        failed = answers[halted.name]
        answers = {part.name: Reply(400, error.as_rest()) for part in parts} | {halted.name: failed}
    return Reply(200, {"compositeResponse": [_shown(name, answer) for name, answer in answers.items()]})


class _HaltedError(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _run(call: Call, part: Part, answers: Mapping[str, Reply]) -> Reply:
    try:
        url = REFERENCE.sub(lambda match: str(_resolve(match, answers)), part.url)
        split = urlsplit(url)
        request = Request(
            part.method,
            split.path,
            dict(parse_qsl(split.query, keep_blank_values=True)),
            part.headers,
            json.dumps(_filled(part.body, answers)).encode() if part.body is not None else b"",
            call.request.row_fault,
        )
        with call.org.store.part():
            reply = call.api.run(request, call.caller)
            if reply.status >= 400:
                raise _FailedError(reply)
            return reply
    except _FailedError as failed:
        return failed.reply
    except ApiError as error:
        return Reply(error.status, error.as_rest())


class _FailedError(Exception):
    """Leaves the transaction of one part."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def _filled(value: Any, answers: Mapping[str, Reply]) -> Any:
    """A body with what it refers to in place of the references."""
    match value:
        case dict():
            return {name: _filled(one, answers) for name, one in value.items()}
        case list():
            return [_filled(one, answers) for one in value]
        case str():
            whole = REFERENCE.fullmatch(value)
            if whole:
                return _resolve(whole, answers)
            return REFERENCE.sub(lambda match: str(_resolve(match, answers)), value)
    return value


def _resolve(match: re.Match[str], answers: Mapping[str, Reply]) -> Any:
    answer = answers.get(match["name"])
    value = answer.body if answer is not None and answer.status < 400 else None
    for name, index in STEP.findall(match["path"]):
        if name and isinstance(value, Mapping):
            value = value.get(name)
        elif index and isinstance(value, list) and int(index) < len(value):
            value = value[int(index)]
        else:
            value = None
    if value is None:
        words = f"Invalid reference specified. No value for {match[0][2:-1]} found in {match['name']}"
        raise ApiError(400, "PROCESSING_HALTED", words)
    return value


def _shown(name: str, answer: Reply) -> dict[str, Any]:
    return {
        "body": answer.body,
        "httpHeaders": answer.headers,
        "httpStatusCode": answer.status,
        "referenceId": name,
    }


def _parts(body: Mapping[str, Any]) -> list[Part]:
    wanted = body.get("compositeRequest")
    if not isinstance(wanted, list) or not wanted:
        raise bad_json("compositeRequest must be a list of subrequests")
    if len(wanted) > MAX_PARTS:
        words = f"The number of subrequests cannot exceed {MAX_PARTS}"
        raise ApiError(400, "INVALID_INPUT", words)
    parts = [_part(one) for one in wanted]
    if len({part.name for part in parts}) < len(parts):
        raise ApiError(400, "INVALID_INPUT", "Every referenceId must be used once")
    if sum(bool(COSTLY.match(part.url)) for part in parts) > MAX_COSTLY:
        words = f"No more than {MAX_COSTLY} subrequests may be queries or collections"
        raise ApiError(400, "INVALID_INPUT", words)
    return parts


def _part(wanted: Any) -> Part:
    if not isinstance(wanted, Mapping):
        raise bad_json("A subrequest must be an object")
    name, url = str(wanted.get("referenceId") or ""), str(wanted.get("url") or "")
    if not NAME.fullmatch(name):
        raise ApiError(
            400, "INVALID_INPUT", "referenceId must begin with a letter and have letters and digits"
        )
    if not url.startswith("/services/data/") or ("/composite/" in url and "/composite/sobjects" not in url):
        raise ApiError(400, "INVALID_INPUT", f"This url cannot be a subrequest: {url}")
    headers = wanted.get("httpHeaders") or {}
    if not isinstance(headers, Mapping):
        raise bad_json("httpHeaders must be an object")
    lowered = {str(header).lower(): str(value) for header, value in headers.items()}
    if OUTER_HEADERS & set(lowered):
        raise ApiError(
            400, "INVALID_INPUT", f"These headers are the outer call's: {', '.join(OUTER_HEADERS)}"
        )
    return Part(name, str(wanted.get("method") or "").upper(), url, lowered, wanted.get("body"))


ROUTES: Routes = [("POST", r"composite", "composite", composite)]
