"""What the stand-in refuses, in the two JSON shapes that Salesforce has for it."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A refusal with Salesforce's code and words. `more` goes beside them, whatever the shape."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        fields: tuple[str, ...] = (),
        *,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields
        self.more = dict(more or {})

    def as_rest(self) -> list[dict[str, Any]]:
        """The body of a failed single call: a list of one, the code under `errorCode`."""
        error: dict[str, Any] = {**self.more, "message": self.message, "errorCode": self.code}
        if self.fields:
            error["fields"] = list(self.fields)
        return [error]

    def as_row(self) -> dict[str, Any]:
        """One error of a collections row: the code under `statusCode`, `fields` always there."""
        return {**self.more, "statusCode": self.code, "message": self.message, "fields": list(self.fields)}


class ManyMatches(ApiError):
    """An upsert key that several records share: answered with 300 and their URLs, nothing written."""

    def __init__(self, ids: list[str]) -> None:
        super().__init__(
            300,
            "DUPLICATE_EXTERNAL_ID",
            "A user-specified external ID matches more than one record during an upsert.",
        )
        self.ids = ids


def not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "The requested resource does not exist")


def no_such_column(name: str, object_name: str) -> ApiError:
    words = f"No such column '{name}' on sobject of type {object_name}"
    return ApiError(400, "INVALID_FIELD", words, (name,))


def malformed_query(message: str) -> ApiError:
    return ApiError(400, "MALFORMED_QUERY", message)
