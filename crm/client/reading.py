"""Reading: queries, what changed or went in a span of time, and what the org is like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from simple_salesforce.api import Salesforce

from crm.problems import RequestRefused

from .errors import translated
from .session import Session

# How far Salesforce remembers; a span that begins earlier is refused.
UPDATES_REACH_BACK = timedelta(days=30)
DELETIONS_REACH_BACK = timedelta(days=15)
# Salesforce hands out so many records by their ids in one call.
RECORDS_PER_CALL = 2_000
# More than 600,000 ids in a span are refused; a span this short is not cut any more.
SHORTEST_SPAN = timedelta(minutes=2)


@dataclass(frozen=True)
class Updated:
    """Ids that were created or updated in a span of time. The next span begins at `covered_until`, which is
    held back to the start of any long transaction: Salesforce's own answer to rows that appear late."""

    ids: list[str]
    covered_until: datetime


@dataclass(frozen=True)
class Deleted:
    """Ids with the times at which they were deleted (or merged into another one) in a span of time."""

    times: dict[str, datetime]
    covered_until: datetime
    # Before it the log of deletions was purged.
    known_from: datetime | None = None


@dataclass(frozen=True)
class LeadStatus:
    """One value of the Lead Status picklist."""

    label: str
    name: str
    is_default: bool
    is_converted: bool


class ReadingSession(Session):
    """Reads records and what describes them."""

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        """Every record that a query finds, page after page."""
        return self._pages(soql, with_deleted=False)

    def query_all(self, soql: str) -> Iterator[dict[str, Any]]:
        """Like `query`, and records in the recycle bin, too: deleted, or merged into another one."""
        return self._pages(soql, with_deleted=True)

    def read_rows(
        self, object_name: str, ids: Sequence[str], *, fields: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Records by their ids of 18 characters, 2,000 in a call. One that was deleted, or that our user may
        not see, is left out."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(ids), RECORDS_PER_CALL):
            wanted = {"ids": list(ids[start : start + RECORDS_PER_CALL]), "fields": ["Id", *fields]}
            answer = self.call(partial(_post, path=f"composite/sobjects/{object_name}", body=wanted))
            found |= translated(partial(_by_id, answer))
        return found

    def updated(self, object_name: str, *, start: datetime, end: datetime) -> Updated:
        """What was created or updated, in a span by Salesforce's clock of 30 days at most."""
        answer = self._span(object_name, "updated", start, end)
        return translated(lambda: Updated(list(answer["ids"]), _moment(answer["latestDateCovered"])))

    def deleted(self, object_name: str, *, start: datetime, end: datetime) -> Deleted:
        """What was deleted, in a span by Salesforce's clock that begins 15 days ago at most."""
        answer = self._span(object_name, "deleted", start, end)
        return translated(lambda: _deletions(answer))

    def describe(self, object_name: str) -> dict[str, Any]:
        """The fields of an object as our user sees them."""
        return self._read(f"sobjects/{object_name}/describe")

    def limits(self) -> dict[str, tuple[int, int]]:
        """Per allocation what is left and what is allowed. Needs the permission View Setup."""
        answer = self._read("limits")
        return translated(lambda: {name: (one["Remaining"], one["Max"]) for name, one in answer.items()})

    def lead_statuses(self) -> list[LeadStatus]:
        """The values of Lead Status, in the order of the picklist."""
        soql = "SELECT MasterLabel, ApiName, IsDefault, IsConverted FROM LeadStatus ORDER BY SortOrder"
        return [
            LeadStatus(row["MasterLabel"], row["ApiName"], row["IsDefault"], row["IsConverted"])
            for row in self.query(soql)
        ]

    def _read(self, path: str) -> dict[str, Any]:
        return dict(self.call(lambda salesforce: salesforce.restful(path)) or {})

    def _pages(self, soql: str, *, with_deleted: bool) -> Iterator[dict[str, Any]]:
        page = self.call(lambda salesforce: salesforce.query(soql, include_deleted=with_deleted))
        yield from page["records"]
        while not page["done"]:
            page = self.call(partial(_next_page, url=page["nextRecordsUrl"]))
            yield from page["records"]

    def _span(self, object_name: str, what: str, start: datetime, end: datetime) -> dict[str, Any]:
        """The ids of a span; of its first half, and so on, when they are too many for one answer: the next
        span begins where the answer says that this one ended."""
        params = {"start": _stamp(start), "end": _stamp(end)}
        try:
            answer = self.call(
                lambda salesforce: salesforce.restful(f"sobjects/{object_name}/{what}", params=params)
            )
        except RequestRefused as error:
            if error.problem.code != "EXCEEDED_ID_LIMIT" or end - start < SHORTEST_SPAN:
                raise
            return self._span(object_name, what, start, start + (end - start) / 2)
        return dict(answer or {})


def _post(salesforce: Salesforce, *, path: str, body: dict[str, Any]) -> Any:
    return salesforce.restful(path, method="POST", data=json.dumps(body))


def _by_id(rows: list[dict[str, Any] | None]) -> dict[str, dict[str, Any]]:
    """In the answer a null stands for each record that is not there."""
    return {row["Id"]: row for row in rows if row is not None}


def _next_page(salesforce: Salesforce, *, url: str) -> Any:
    return salesforce.query_more(url, identifier_is_url=True)


def _deletions(answer: dict[str, Any]) -> Deleted:
    known_from = answer.get("earliestDateAvailable")
    return Deleted(
        {row["id"]: _moment(row["deletedDate"]) for row in answer["deletedRecords"]},
        _moment(answer["latestDateCovered"]),
        _moment(known_from) if known_from else None,
    )


def _moment(text: str) -> datetime:
    """Salesforce writes 2026-11-21T03:36:18.000+0000."""
    return datetime.fromisoformat(text)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
