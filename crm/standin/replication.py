"""Which records changed or vanished in a span of time: getUpdated and getDeleted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from .errors import ApiError
from .fields import SObject
from .org import Org
from .values import stamp

UPDATED_WITHIN = timedelta(days=30)
DELETED_WITHIN = timedelta(days=15)


def list_updated(org: Org, sobject: SObject, query: Mapping[str, str]) -> dict[str, Any]:
    start, end = _span(org, query, within=UPDATED_WITHIN)
    rows = _rows(org, sobject, start, end, is_deleted=False)
    return {"ids": [row[0] for row in rows], "latestDateCovered": _covered(org, end)}


def list_deleted(org: Org, sobject: SObject, query: Mapping[str, str]) -> dict[str, Any]:
    start, end = _span(org, query, within=DELETED_WITHIN)
    rows = _rows(org, sobject, start, end, is_deleted=True)
    return {
        "deletedRecords": [{"id": row[0], "deletedDate": row[1]} for row in rows],
        "earliestDateAvailable": stamp(org.clock() - DELETED_WITHIN),
        "latestDateCovered": _covered(org, end),
    }


def _rows(org: Org, sobject: SObject, start: datetime, end: datetime, *, is_deleted: bool) -> list[Any]:
    return org.store.rows(
        "SELECT id, stamp FROM record WHERE object = ? AND stamp >= ? AND stamp <= ? AND is_deleted = ? "
        "ORDER BY stamp, id",
        (sobject.name, stamp(start), stamp(end), is_deleted),
    )


def _covered(org: Org, end: datetime) -> str:
    """Up to when nothing is missing: held back to the beginning of what may still be running."""
    return stamp(min(end, _to_the_minute(org.clock() - org.late_by)))


def _span(org: Org, query: Mapping[str, str], *, within: timedelta) -> tuple[datetime, datetime]:
    start, end = _moment(query, "start"), _moment(query, "end")
    if start >= end:
        raise _refused("startDate must be before endDate")
    if org.clock() - start > within:
        raise _refused(f"startDate is more than {within.days} days ago")
    return start, end


def _moment(query: Mapping[str, str], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(query[name])
    except KeyError:
        raise ApiError(400, "MISSING_ARGUMENT", f"{name} is required") from None
    except ValueError:
        raise _refused(f"invalid date: {query[name]}") from None
    return _to_the_minute(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _to_the_minute(moment: datetime) -> datetime:
    """Seconds are ignored in both directions."""
    return moment.replace(second=0, microsecond=0)


def _refused(words: str) -> ApiError:
    return ApiError(400, "INVALID_REPLICATION_DATE", words)
