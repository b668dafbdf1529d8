"""Stamps and late commits (§7)."""

from simple_salesforce import Salesforce

from crm.standin.org import Caller
from crm.standin.schema import LEAD
from crm.standin.server import StandIn
from tests.crm.conftest import StoppedClock
from tests.crm.standin.conftest import ADA, lead_rows


def test_stamps_are_second_precise_with_an_offset_without_colon(
    clock: StoppedClock, salesforce: Salesforce
) -> None:
    clock.forward(milliseconds=750)

    lead = salesforce.Lead.get(salesforce.Lead.create(ADA)["id"])

    assert lead["SystemModstamp"] == "2026-03-03T12:00:00.000+0000"


def test_a_late_commit_carries_an_old_stamp(
    standin: StandIn, clock: StoppedClock, salesforce: Salesforce
) -> None:
    clock.forward(minutes=1)
    standin.org.change_setup(late_commit_seconds=30)

    lead = salesforce.Lead.get(salesforce.Lead.create(ADA)["id"])

    assert lead["SystemModstamp"] == "2026-03-03T12:00:30.000+0000"


def test_a_stamp_never_goes_back(
    standin: StandIn, clock: StoppedClock, salesforce: Salesforce, sam: Caller
) -> None:
    """Who writes a record second has waited for the first."""
    clock.forward(minutes=1)
    lead_id = salesforce.Lead.create(ADA)["id"]
    standin.org.change_setup(late_commit_seconds=30)

    standin.org.update(LEAD, lead_id, {"Title": "Late"}, caller=sam)

    assert salesforce.Lead.get(lead_id)["SystemModstamp"] == "2026-03-03T12:01:00.000+0000"


def test_a_share_of_the_writes_is_late_and_the_seed_says_which(
    standin: StandIn, salesforce: Salesforce, clock: StoppedClock
) -> None:
    def stamps() -> list[str]:
        standin.reset(seed=7)
        standin.org.change_setup(late_commit_seconds=60, late_commit_share=0.5)
        rows = [{key: row[key] for key in row if key != "attributes"} for row in lead_rows(40)]
        caller = Caller(standin.org.sales_user_id)
        return [
            standin.org.get(LEAD, standin.org.create(LEAD, row, caller=caller))["SystemModstamp"]
            for row in rows
        ]

    first = stamps()

    late = first.count("2026-03-03T11:59:00.000+0000")
    assert 5 < late < 35
    assert stamps() == first
