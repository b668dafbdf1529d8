"""What Salesforce is told. No database, no server."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.mapping import (
    SHORTENED,
    HandoffFacts,
    LeadFacts,
    ScoreFacts,
    changed_fields,
    describe_package,
    map_lead,
    map_task,
    means_rejection,
)
from crm.standin.schema import LEAD, TASK

STATUSES = {
    "mql": "Open - Not Contacted",
    "sal": "Working - Contacted",
    "nurture": "Closed - Not Converted",
    "disqualified": "Closed - Not Converted",
}
ADA = LeadFacts(
    public_id="p1", stage="mql", url="https://portal/leads/1/", first_name="Ada", last_name="Byron"
)
OFFERED = HandoffFacts(
    public_id="h1",
    status="offered",
    category="A",
    url="https://portal/handoffs/7/",
    created_at=datetime(2026, 3, 3, 12, 0, 59, 900, tzinfo=UTC),
    due_at=datetime(2026, 3, 3, 23, 30, tzinfo=UTC),
    owner_time_zone="Europe/Berlin",
    owner_salesforce_id="005000000000001AAA",
)


def lead_with(**changes: object) -> LeadFacts:
    return LeadFacts(**{**ADA.__dict__, **changes})


def handoff_with(**changes: object) -> HandoffFacts:
    return HandoffFacts(**{**OFFERED.__dict__, **changes})


class TestLead:
    def test_what_is_unknown_is_not_told(self) -> None:
        fields = map_lead(ADA, statuses=STATUSES)

        assert fields == {
            "FirstName": "Ada",
            "LastName": "Byron",
            "Company": "[not provided]",
            "Status": "Open - Not Contacted",
            "Portal_Stage__c": "mql",
            "Portal_URL__c": "https://portal/leads/1/",
        }

    def test_required_names_have_a_stand_in(self) -> None:
        assert map_lead(lead_with(last_name=""), statuses={})["LastName"] == "[not provided]"

    def test_a_stage_without_a_status_leaves_it_alone(self) -> None:
        assert "Status" not in map_lead(lead_with(stage="customer"), statuses=STATUSES)

    def test_an_unmapped_owner_is_left_alone(self) -> None:
        assert "OwnerId" not in map_lead(ADA, statuses={})
        assert map_lead(lead_with(owner_salesforce_id="005x"), statuses={})["OwnerId"] == "005x"

    def test_score_and_handoff_are_told_on_both_axes_and_in_time(self) -> None:
        fields = map_lead(
            lead_with(score=ScoreFacts(65, 40, 25, "B", "hand_raiser"), handoff=OFFERED), statuses={}
        )

        assert fields["Portal_Score__c"] == 65
        assert (fields["Portal_Fit__c"], fields["Portal_Engagement__c"]) == (40, 25)
        assert (fields["Portal_Category__c"], fields["Portal_Warmth__c"]) == ("B", "hand_raiser")
        assert fields["Portal_Handoff_At__c"] == "2026-03-03T12:00:59Z"
        assert fields["Portal_SLA_Due__c"] == "2026-03-03T23:30:00Z"
        assert fields["Portal_SLA_Breached__c"] is False
        assert fields["Portal_Rejected_At__c"] is None

    def test_a_rejection_comes_with_its_reason_and_time(self) -> None:
        closed = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
        rejected = handoff_with(status="rejected", closed_at=closed, rejection_reason="Premature")

        fields = map_lead(lead_with(handoff=rejected), statuses={})

        assert fields["Portal_Rejection_Reason__c"] == "Premature"
        assert fields["Portal_Rejected_At__c"] == "2026-03-04T09:00:00Z"

    def test_long_text_is_shortened_and_addresses_are_not(self) -> None:
        long = "x" * 300
        fields = map_lead(lead_with(title=long, company=long, email=f"{long}@a.example"), statuses={})

        assert (len(fields["Title"]), fields["Title"][-1]) == (128, "…")
        assert len(fields["Company"]) == 255
        assert fields["Email"] == f"{long}@a.example"

    def test_every_field_exists_and_every_limit_is_salesforce_s(self) -> None:
        full = lead_with(
            **dict.fromkeys(("email", "title", "phone", "website", "country", "industry", "source"), "x"),
            employee_count=5,
            owner_salesforce_id="005x",
            score=ScoreFacts(1, 1, 0, "A", "cold"),
            handoff=OFFERED,
        )
        lead_fields = {field.name: field for field in LEAD.fields if field.writable}
        task_fields = {field.name: field for field in TASK.fields if field.writable}

        assert set(map_lead(full, statuses=STATUSES)) <= set(lead_fields)
        assert set(map_task(full, OFFERED, lead_salesforce_id="00Q")) <= set(task_fields)
        for name, length in SHORTENED.items():
            assert length == {**task_fields, **lead_fields}[name].length


class TestTask:
    def test_asks_for_the_recommended_first_contact_by_the_owner_s_day(self) -> None:
        package = {"first_contact": {"channel": "call"}}

        fields = map_task(
            lead_with(company="Engines"), handoff_with(package=package), lead_salesforce_id="00Q1"
        )

        assert fields["Subject"] == "Call Ada Byron (Engines): handoff from marketing"
        assert fields["ActivityDate"] == "2026-03-04"  # half past midnight in Berlin
        assert (fields["WhoId"], fields["OwnerId"]) == ("00Q1", "005000000000001AAA")
        assert (fields["Status"], fields["Priority"]) == ("Not Started", "High")

    @pytest.mark.parametrize(
        ("flagged", "status", "subject", "priority"),
        [
            (False, "accepted", "Contact Ada Byron: handoff from marketing", "Normal"),
            (True, "accepted", "Overdue: Contact Ada Byron: handoff from marketing", "High"),
            (True, "rejected", "Contact Ada Byron: handoff from marketing", "Normal"),
        ],
        ids=["in time", "escalated", "closed since"],
    )
    def test_says_that_it_is_overdue_until_it_is_closed(
        self, flagged: bool, status: str, subject: str, priority: str
    ) -> None:
        """SLA-5: the step that flags it in the CRM."""
        handoff = handoff_with(category="B", status=status, is_flagged=flagged)

        fields = map_task(lead_with(), handoff, lead_salesforce_id="00Q1")

        assert (fields["Subject"], fields["Priority"]) == (subject, priority)

    @pytest.mark.parametrize(
        ("status", "told"),
        [
            ("offered", "Not Started"),
            ("accepted", "In Progress"),
            ("opportunity", "In Progress"),
            ("rejected", "Completed"),
            ("won", "Completed"),
            ("withdrawn", "Completed"),
        ],
    )
    def test_the_status_follows_the_handoff(self, status: str, told: str) -> None:
        fields = map_task(ADA, handoff_with(status=status, due_at=None), lead_salesforce_id="00Q1")

        assert fields["Status"] == told
        assert "ActivityDate" not in fields

    def test_the_package_is_readable_text(self) -> None:
        text = describe_package(
            {
                "first_contact": {
                    "playbook": "Demo",
                    "channel": "call",
                    "topics": ["pricing", "rollout"],
                    "next_step": "Book a demo",
                },
                "urgency": ["Demo requested 6 min ago"],
                "score": {"lines": [{"name": "Demo request", "points": 50}]},
                "contact": {"name": "Ada Byron", "phone": ""},
            },
            url="https://portal/handoffs/7/",
            zone=ZoneInfo("Europe/Berlin"),
        )

        assert text == (
            "Ada Byron\n\n"
            "Why now: Demo requested 6 min ago\n+50 Demo request\n\n"
            "First contact: call\n- pricing\n- rollout\nNext step: Book a demo\n\n"
            "Everything else: https://portal/handoffs/7/"
        )


class TestDifferences:
    values = st.dictionaries(st.sampled_from("abcd"), st.none() | st.integers(0, 3), max_size=4)

    @given(wanted=values, acknowledged=values)
    def test_sending_the_differences_brings_agreement(self, wanted: dict, acknowledged: dict) -> None:
        sent = changed_fields(wanted, acknowledged)

        after = {**acknowledged, **sent}
        assert changed_fields(wanted, after) == {}
        assert all(after.get(name) == value for name, value in wanted.items())

    def test_what_is_the_same_is_not_sent_again(self) -> None:
        assert changed_fields({"a": 1, "b": None}, {"a": 1}) == {}


@pytest.mark.parametrize(
    ("status", "rejected"),
    [
        ("Closed - Not Converted", True),
        ("Working - Contacted", False),
        ("Open - Not Contacted", False),
        ("Something else", False),
    ],
)
def test_a_status_of_returned_leads_means_rejection(status: str, rejected: bool) -> None:
    assert means_rejection(status, statuses=STATUSES) is rejected


def test_a_status_that_also_stands_for_working_does_not() -> None:
    assert not means_rejection("Open", statuses={"mql": "Open", "nurture": "Open"})
