"""Only JSON that can be stored comes in, and every error leaves in one shape."""

from __future__ import annotations

import pytest

from common.api import answer_exception
from common.errors import DomainError, InvalidInput
from common.json_input import parse_json


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not valid UTF-8"),
        (b'{"a": "\\u0000"}', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'{"a": "\\ud800"}', "surrogate"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 400 + b"}", "too large"),
        (b"[" * 100_000, "JSON|deeply"),
        (b"[" * 600 + b"]" * 600, "deeply"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "limit is 64"),
    ],
)
def test_what_could_not_be_stored_is_refused_with_a_sentence(body: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": "\\u00e9"}', {"a": "é"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": "C:\\\\u0000"}', {"a": "C:\\u0000"}),
        (b'{"a": 1.5, "b": [true, null]}', {"a": 1.5, "b": [True, None]}),
    ],
)
def test_ordinary_json_comes_through(body: bytes, value: object) -> None:
    assert parse_json(body) == value


@pytest.mark.parametrize("body", [b"[" * 64 + b"]" * 64, b'{"a":' * 64 + b"1" + b"}" * 64])
def test_json_may_be_nested_up_to_the_limit(body: bytes) -> None:
    parse_json(body)


def test_a_refusal_of_the_domain_is_a_409_with_its_sentence() -> None:
    response = answer_exception(DomainError("Mara accepted this 8 s ago."), {})

    assert response is not None
    assert response.status_code == 409
    assert response.data == {"code": "conflict", "detail": "Mara accepted this 8 s ago."}


def test_invalid_input_names_its_field() -> None:
    response = answer_exception(InvalidInput("Choose a reason.", field="reason"), {})

    assert response is not None
    assert response.status_code == 422
    assert response.data == {"code": "invalid", "detail": "Choose a reason.", "field": "reason"}
