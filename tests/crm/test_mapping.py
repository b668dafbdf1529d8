"""What Salesforce is told. No database, no server."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from crm.mapping import (
    LEAD_KEY,
    PORTAL_FIELDS,
    TASK_KEY,
    Direction,
    FieldRule,
    HandoffFacts,
    LeadFacts,
    Precedence,
    Rules,
    ScoreFacts,
    changed_fields,
    describe_package,
    map_lead,
    map_task,
    means_rejection,
)
from crm.mapping.refusing import refuse_impossible
from crm.standin.schema import LEAD, TASK
from leads.models import Company, Lead

SEED = import_module("crm.migrations.0006_seed_mapping")


def seeded() -> Iterator[FieldRule]:
    """The mapping of a new portal."""
    for portal_field, name, length in SEED.CORRECTED_BY_REPS:
        yield FieldRule(
            "Lead", portal_field, name, Direction.BOTH, Precedence.OURS_IF_BLANK, max_length=length
        )
    for portal_field, name, length in SEED.TOLD:
        yield FieldRule("Lead", portal_field, name, max_length=length)
    for portal_field, name, length in SEED.OURS_ALONE:
        yield FieldRule("Lead", portal_field, name, sends_blanks=True, max_length=length)
    for portal_field, name, length in SEED.OF_TASK:
        yield FieldRule("Task", portal_field, name, sends_blanks=True, max_length=length)


RULES = Rules(tuple(seeded()))
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
        told = changed_fields(map_lead(ADA, rules=RULES, statuses=STATUSES), {})

        assert told == {
            "FirstName": "Ada",
            "LastName": "Byron",
            "Company": "[not provided]",
            "Status": "Open - Not Contacted",
            "Portal_Stage__c": "mql",
            "Portal_SLA_Breached__c": False,
            "Portal_URL__c": "https://portal/leads/1/",
        }

    def test_required_names_have_a_stand_in(self) -> None:
        assert map_lead(lead_with(last_name=""), rules=RULES, statuses={})["LastName"] == "[not provided]"

    def test_a_stage_without_a_status_leaves_it_alone(self) -> None:
        assert "Status" not in map_lead(lead_with(stage="customer"), rules=RULES, statuses=STATUSES)

    def test_an_unmapped_owner_is_left_alone(self) -> None:
        assert "OwnerId" not in map_lead(ADA, rules=RULES, statuses={})
        assert map_lead(lead_with(owner_salesforce_id="005x"), rules=RULES, statuses={})["OwnerId"] == "005x"

    def test_score_and_handoff_are_told_on_both_axes_and_in_time(self) -> None:
        fields = map_lead(
            lead_with(score=ScoreFacts(65, 40, 25, "B", "hand_raiser"), handoff=OFFERED),
            rules=RULES,
            statuses={},
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

        fields = map_lead(lead_with(handoff=rejected), rules=RULES, statuses={})

        assert fields["Portal_Rejection_Reason__c"] == "Premature"
        assert fields["Portal_Rejected_At__c"] == "2026-03-04T09:00:00Z"

    def test_long_text_is_shortened_and_addresses_are_not(self) -> None:
        long = "x" * 300
        fields = map_lead(
            lead_with(title=long, company=long, email=f"{long}@a.example"), rules=RULES, statuses={}
        )

        assert (len(fields["Title"]), fields["Title"][-1]) == (128, "…")
        assert len(fields["Company"]) == 255
        assert fields["Email"] == f"{long}@a.example"

    def test_an_erased_score_is_erased_there_and_an_erased_title_is_not(self) -> None:
        before = map_lead(lead_with(title="VP", handoff=OFFERED), rules=RULES, statuses={})
        now = map_lead(lead_with(handoff=None), rules=RULES, statuses={})

        sent = changed_fields(now, before)

        assert sent["Portal_Handoff_Status__c"] is None
        assert "Title" not in sent

    def test_what_is_only_read_or_off_is_not_told(self) -> None:
        rules = Rules(
            (
                FieldRule("Lead", "title", "Title", Direction.PULL),
                FieldRule("Lead", "first_name", "FirstName", Direction.OFF),
            )
        )

        assert map_lead(lead_with(title="VP"), rules=rules, statuses={}) == {}

    def test_who_asked_for_no_e_mail_is_told_and_nobody_else(self) -> None:
        asked = lead_with(unsubscribed_at=OFFERED.created_at)

        assert map_lead(asked, rules=RULES, statuses={})["HasOptedOutOfEmail"] is True
        assert "HasOptedOutOfEmail" not in map_lead(ADA, rules=RULES, statuses={})


class TestMappingOfANewPortal:
    def test_each_field_there_exists_and_is_as_long_as_it_says(self) -> None:
        there = {
            (sobject.name, field.name): field
            for sobject in (LEAD, TASK)
            for field in sobject.fields
            if field.writable
        }

        for rule in RULES.fields:
            field = there[rule.object_name, rule.salesforce_field]
            assert rule.max_length == (field.length or None), rule.salesforce_field

    def test_each_rule_can_be_kept_beside_the_others(self) -> None:
        for rule in RULES.fields:
            refuse_impossible(rule, others=[other for other in RULES.fields if other is not rule])

    def test_everything_that_a_lead_answered_is_told(self) -> None:
        told = {rule.portal_field for rule in RULES.sent_of_lead}

        assert {
            key for key, field in PORTAL_FIELDS.items() if key not in told and field.group != "Links"
        } == set()

    def test_keys_are_none_of_its_fields(self) -> None:
        assert not {LEAD_KEY, TASK_KEY} & {rule.salesforce_field for rule in RULES.fields}


def of_lead(portal_field: str, salesforce_field: str, **how: object) -> FieldRule:
    return FieldRule("Lead", portal_field, salesforce_field, **how)


def of_task(portal_field: str, salesforce_field: str, **how: object) -> FieldRule:
    return FieldRule("Task", portal_field, salesforce_field, **how)


BOTH, PULL, OFF = Direction.BOTH, Direction.PULL, Direction.OFF
UNLESS_BLANK = Precedence.OURS_IF_BLANK


class TestRefusing:
    @pytest.mark.parametrize(
        ("rule", "culprit", "words"),
        [
            (of_lead("title", "a b"), "salesforce_field", "Enter the API name"),
            (of_lead("title", "OWNERID"), "salesforce_field", "written by the portal itself"),
            (of_task("score", "Subject"), "salesforce_field", "written by the portal itself"),
            (of_task("budget", "Budget__c"), "portal_field", "“Budget” is about the lead"),
            (of_lead("score", "Score__c", direction=BOTH), "direction", "can only be sent"),
            (of_task("score", "Score__c", direction=PULL), "direction", "can only be sent"),
            (of_lead("company", "Company", direction=OFF), "direction", "no lead without Company"),
            (of_lead("title", "Job__c", direction=PULL), "direction", "is read from Title already"),
            (of_lead("phone", "Tel__c", direction=PULL, sends_blanks=True), "sends_blanks", "only read"),
            (of_lead("last_name", "Nick__c", sends_blanks=True), "sends_blanks", "a blank Nick__c"),
            (of_lead("unsubscribed", "Out__c", sends_blanks=True), "sends_blanks", "take back"),
            (
                of_lead("budget", "B__c", direction=BOTH, rule=UNLESS_BLANK, sends_blanks=True),
                "sends_blanks",
                "filled from here",
            ),
        ],
        ids=lambda value: f"{value.object_name}.{value.salesforce_field}" if hasattr(value, "rule") else "",
    )
    def test_names_the_culprit_and_the_remedy(self, rule: FieldRule, culprit: str, words: str) -> None:
        title = of_lead("title", "Title", direction=BOTH)

        with pytest.raises(InvalidInput, match=words) as refusal:
            refuse_impossible(rule, others=[title])

        assert refusal.value.field == culprit


class TestCatalogue:
    def test_what_is_taken_over_has_a_place_that_holds_it(self) -> None:
        records = {"lead": Lead, "company": Company}

        for field in PORTAL_FIELDS.values():
            if field.target is not None:
                column = records[field.target.record]._meta.get_field(field.target.attribute)
                assert getattr(column, "max_length", None) == field.max_length, field.key

    @pytest.mark.parametrize("key", sorted(PORTAL_FIELDS))
    def test_each_field_can_be_read_from_a_lead_without_score_or_handoff(self, key: str) -> None:
        field = PORTAL_FIELDS[key]

        assert field.read(ADA, None) in (None, "", False) or key in (
            "first_name", "last_name", "stage", "lead_url",
        )  # fmt: skip


class TestTask:
    def test_asks_for_the_recommended_first_contact_by_the_owner_s_day(self) -> None:
        package = {"first_contact": {"channel": "call"}}

        fields = map_task(
            lead_with(company="Engines"), handoff_with(package=package), who_id="00Q1", rules=RULES
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

        fields = map_task(lead_with(), handoff, who_id="00Q1", rules=RULES)

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
        fields = map_task(ADA, handoff_with(status=status, due_at=None), who_id="00Q1", rules=RULES)

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
