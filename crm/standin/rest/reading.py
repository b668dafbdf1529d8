"""Queries, spans of changes, and what the org tells about itself."""

import re
from typing import Any

from crm.standin.describing import describe, summary
from crm.standin.errors import ApiError, malformed_query
from crm.standin.messages import Reply
from crm.standin.replication import list_deleted, list_updated
from crm.standin.schema import OBJECTS
from crm.standin.soql.running import run_query

from .call import Call, Routes

SMALLEST_PAGE, LARGEST_PAGE = 200, 2000


def query(call: Call) -> Reply:
    text = call.request.query.get("q")
    if not text:
        raise malformed_query("A query has to be specified")
    with_deleted = call.parts["query"] == "queryAll"
    total, records = run_query(call.org, text, version=call.version, with_deleted=with_deleted)
    return Reply(200, {**_page(call, records, start=0), "totalSize": total})


def query_more(call: Call) -> Reply:
    locator, _, start = call.parts["locator"].partition("-")
    records = call.api.cursors.get(locator)
    if records is None or not start.isdigit():
        raise ApiError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
    return Reply(200, _page(call, records, start=int(start), locator=locator))


def _page(call: Call, records: list[dict[str, Any]], *, start: int, locator: str = "") -> dict[str, Any]:
    end = start + _batch_size(call)
    page: dict[str, Any] = {"totalSize": len(records), "done": end >= len(records)}
    if not page["done"]:
        locator = locator or call.api.open_cursor(records)
        page["nextRecordsUrl"] = f"/services/data/v{call.version}/query/{locator}-{end}"
    elif locator:
        call.api.cursors.pop(locator, None)
    return {**page, "records": records[start:end]}


def _batch_size(call: Call) -> int:
    wished = re.search(r"batchSize=(\d+)", call.request.headers.get("sforce-query-options", ""))
    return min(max(int(wished[1]), SMALLEST_PAGE), LARGEST_PAGE) if wished else call.api.page_size


def updated(call: Call) -> Reply:
    return Reply(200, list_updated(call.org, call.sobject, call.request.query))


def deleted(call: Call) -> Reply:
    return Reply(200, list_deleted(call.org, call.sobject, call.request.query))


def describe_one(call: Call) -> Reply:
    return Reply(200, describe(call.sobject))


def basic(call: Call) -> Reply:
    return Reply(200, {"objectDescribe": summary(call.sobject), "recentItems": []})


def describe_all(call: Call) -> Reply:
    sobjects = [summary(call.org.seen(name)) for name in OBJECTS if call.org.knows(name)]
    return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": sobjects})


def limits(call: Call) -> Reply:
    if not call.org.setup.shows_limits:
        raise ApiError(403, "FORBIDDEN", "The user has no permission to view setup and configuration")
    usage = call.api.usage
    return Reply(
        200,
        {
            "DailyApiRequests": {
                "Max": usage.daily_limit,
                "Remaining": max(0, usage.daily_limit - usage.used),
            },
            "DailyBulkApiBatches": {"Max": 15_000, "Remaining": 15_000},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        },
    )


def resources(call: Call) -> Reply:
    base = f"/services/data/v{call.version}"
    return Reply(
        200, {name: f"{base}/{name}" for name in ("sobjects", "query", "queryAll", "limits", "composite")}
    )


ONE = r"sobjects/(?P<object>\w+)"
ROUTES: Routes = [
    ("GET", r"(?P<query>query|queryAll)", "query", query),
    ("GET", r"(?:query|queryAll)/(?P<locator>[\w-]+)", "query", query_more),
    ("GET", rf"{ONE}/updated", "updated", updated),
    ("GET", rf"{ONE}/deleted", "deleted", deleted),
    ("GET", rf"{ONE}/describe", "describe", describe_one),
    ("GET", ONE, "describe", basic),
    ("GET", r"sobjects", "describe", describe_all),
    ("GET", r"limits", "limits", limits),
    ("GET", r"", "describe", resources),
]
