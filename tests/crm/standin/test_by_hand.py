"""What people do in the org, and resets, over HTTP."""

from collections.abc import Callable

import requests
from simple_salesforce import Salesforce

from crm.standin.server import StandIn
from tests.crm.standin.conftest import ADA

ByHand = Callable[..., requests.Response]


def test_a_person_changes_deletes_and_restores_records(
    standin: StandIn, salesforce: Salesforce, by_hand: ByHand
) -> None:
    lead_id = salesforce.Lead.create(ADA)["id"]
    record = f"records/Lead/{lead_id}"

    assert by_hand("PATCH", record, {"Title": "Countess"}).status_code == 204
    changed = salesforce.Lead.get(lead_id)
    assert (changed["Title"], changed["LastModifiedById"]) == ("Countess", standin.org.sales_user_id)
    # No assignment rule ran.
    assert changed["OwnerId"] == standin.org.queue_id

    assert by_hand("DELETE", record).status_code == 204
    assert by_hand("PATCH", record, {"Title": "x"}).json()[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert by_hand("POST", f"{record}/undelete").status_code == 204
    assert salesforce.Lead.get(lead_id)["Title"] == "Countess"


def test_what_is_wrong_is_said(by_hand: ByHand) -> None:
    assert by_hand("POST", "records/Shoe", {"Size": 38}).status_code == 404
    assert by_hand("POST", "records/Lead", {"Size": 38}).json()[0]["errorCode"] == "INVALID_FIELD"
    assert (
        by_hand("PATCH", "setup", {"weather": "fine"})
        .json()[0]["message"]
        .startswith("There is no switch weather")
    )
    assert by_hand("POST", "leads/00Q/merge", {"losers": "00Q"}).status_code == 400
    assert by_hand("POST", "leads/00Q/convert", {"loudly": True}).status_code == 400
    assert by_hand("GET", "weather").status_code == 404


def test_a_reset_leaves_an_org_as_just_set_up(
    standin: StandIn, salesforce: Salesforce, by_hand: ByHand
) -> None:
    salesforce.Lead.create(ADA)
    by_hand("PATCH", "setup", {"duplicate_rule": "block"})
    by_hand("POST", "faults", {"preset": "maintenance"})

    assert by_hand("POST", "reset", {"seed": 5}).status_code == 204

    assert by_hand("GET", "faults").json() == []
    assert by_hand("GET", "setup").json()["duplicate_rule"] == "off"
    assert (standin.usage.used, standin.store.all("Lead")) == (0, [])


def test_another_site_cannot_do_any_of_it(standin: StandIn, by_hand: ByHand) -> None:
    answer = by_hand("POST", "reset", headers={"Origin": "https://elsewhere.example"})

    assert answer.status_code == 403
