"""Which records changed or vanished in a span of time (§7)."""

from datetime import UTC, datetime, timedelta

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.crm.standin.conftest import ADA
from tests.factories import NOON


def test_updated_and_deleted_records_are_listed_by_their_stamp(
    salesforce: Salesforce, clock: StoppedClock
) -> None:
    kept, gone = (salesforce.Lead.create({**ADA, "LastName": name})["id"] for name in ("Kept", "Gone"))
    clock.forward(minutes=10)
    salesforce.Lead.delete(gone)
    clock.forward(minutes=10)

    updated = salesforce.Lead.updated(NOON - timedelta(minutes=1), clock.now)
    deleted = salesforce.Lead.deleted(NOON, clock.now)
    later = salesforce.Lead.deleted(NOON + timedelta(minutes=11), clock.now)

    assert updated["ids"] == [kept]
    assert deleted["deletedRecords"] == [{"id": gone, "deletedDate": "2026-03-03T12:10:00.000+0000"}]
    assert later["deletedRecords"] == []


def test_an_undeleted_record_is_live_again(
    standin: StandIn, salesforce: Salesforce, clock: StoppedClock, sam: Caller
) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    salesforce.Lead.delete(lead_id)
    standin.org.undelete(LEAD, lead_id, caller=sam)
    clock.forward(minutes=2)

    assert salesforce.Lead.get(lead_id)["Name"] == "Ada Byron"
    assert salesforce.Lead.deleted(NOON, clock.now)["deletedRecords"] == []


def test_seconds_are_ignored_and_what_may_still_be_running_holds_the_end_back(
    standin: StandIn, salesforce: Salesforce, clock: StoppedClock
) -> None:
    clock.forward(minutes=30, seconds=40)

    at_once = salesforce.Lead.updated(NOON, clock.now)
    standin.org.change_setup(late_commit_seconds=300)
    held_back = salesforce.Lead.updated(NOON, clock.now)

    assert at_once["latestDateCovered"] == "2026-03-03T12:30:00.000+0000"
    assert held_back["latestDateCovered"] == "2026-03-03T12:25:00.000+0000"


def test_going_on_from_the_latest_date_covered_misses_no_late_commit(
    standin: StandIn, salesforce: Salesforce, clock: StoppedClock
) -> None:
    standin.org.change_setup(late_commit_seconds=300)
    clock.forward(minutes=30)
    covered = datetime.fromisoformat(salesforce.Lead.updated(NOON, clock.now)["latestDateCovered"])
    late = salesforce.Lead.create(ADA)["id"]
    clock.forward(minutes=1)

    assert late in salesforce.Lead.updated(covered, clock.now)["ids"]


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 0), (0, -60), (10, 50), (-31 * 86_400, 0)],
    ids=["empty", "backwards", "within one minute", "too long ago"],
)
def test_wrong_spans_are_refused(salesforce: Salesforce, start: int, end: int) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        salesforce.Lead.updated(NOON + timedelta(seconds=start), NOON + timedelta(seconds=end))


def test_deletions_are_known_for_fifteen_days(salesforce: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        salesforce.Lead.deleted(NOON - timedelta(days=16), NOON.astimezone(UTC))
