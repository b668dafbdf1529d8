"""CRM-1: what changes a lead leaves a mark, in the same transaction; marks become one place in the queue."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from crm import pacing
from crm.changes import fold_changes, remark_forgotten, send_again
from crm.claims import claim_waiting
from crm.models import Lane, LeadChange, LeadSync
from crm.outcomes import Outcome, record_outcomes
from crm.pacing import lanes_to_push
from leads.models import Lead, LeadEvent
from leads.services import assign_lead, log_event, move_stage
from tests.factories import NOON, LeadFactory

pytestmark = pytest.mark.django_db


def lanes_left() -> set[int]:
    lanes = set(LeadChange.objects.values_list("lane", flat=True))
    LeadChange.objects.all().delete()
    return lanes


def confirm(now=NOON) -> None:
    """Have everything that waits sent and confirmed."""
    fold_changes(now=now)
    record_outcomes([Outcome(claim) for claim in claim_waiting(now=now)], now=now, answered_at=now)


class TestTrigger:
    def test_marks_what_concerns_a_handoff_as_urgent(self, bdr: User) -> None:
        lead = LeadFactory(stage=Lead.Stage.LEAD)
        assert lanes_left() == {Lane.LATER}
        log_event(lead, LeadEvent.Kind.SCORE_CHANGED, at=NOON)
        assert lanes_left() == {Lane.LATER}
        assign_lead(lead, owner=bdr, team=None)
        assert lanes_left() == {Lane.HANDOFF}
        move_stage(lead, to=Lead.Stage.MQL, at=NOON)
        assert lanes_left() == {Lane.HANDOFF}
        log_event(lead, LeadEvent.Kind.SCORE_CHANGED, at=NOON)
        assert lanes_left() == {Lane.HANDOFF}
        # Out of sales' hands: that it left them is as urgent, what comes after is not.
        move_stage(lead, to=Lead.Stage.NURTURE, at=NOON)
        assert Lane.HANDOFF in lanes_left()
        log_event(lead, LeadEvent.Kind.SCORE_CHANGED, at=NOON)
        assert lanes_left() == {Lane.LATER}

    def test_leaves_alone_what_nobody_there_sees(self) -> None:
        lead = LeadFactory()
        lanes_left()
        Lead.objects.filter(pk=lead.pk).update(advance_at=NOON)

        assert lanes_left() == set()

    def test_takes_its_mark_back_with_the_change(self) -> None:
        lead = LeadFactory()
        lanes_left()
        with transaction.atomic():
            log_event(lead, LeadEvent.Kind.OPENED, at=NOON)
            transaction.set_rollback(True)

        assert lanes_left() == set()


class TestFolding:
    def test_many_changes_are_one_mark_with_the_first_time_and_the_most_urgent_lane(self, bdr: User) -> None:
        lead = LeadFactory()
        fold_changes(now=NOON)
        since = LeadSync.objects.get(pk=lead.pk).waiting_since
        assign_lead(lead, owner=bdr, team=None)
        log_event(lead, LeadEvent.Kind.OPENED, at=NOON)

        assert fold_changes(now=NOON + timedelta(minutes=1)) == 2
        assert fold_changes(now=NOON + timedelta(minutes=1)) == 0

        sync = LeadSync.objects.get(pk=lead.pk)
        assert (sync.send_at, sync.lane, sync.waiting_since) == (NOON, Lane.HANDOFF, since)

    def test_a_change_does_not_end_a_back_off(self) -> None:
        lead = LeadFactory()
        fold_changes(now=NOON)
        later = NOON + timedelta(minutes=9)
        LeadSync.objects.filter(pk=lead.pk).update(attempts=2, send_at=later)
        log_event(lead, LeadEvent.Kind.OPENED, at=NOON)
        fold_changes(now=NOON)

        assert LeadSync.objects.get(pk=lead.pk).send_at == later

    def test_a_change_made_while_its_lead_is_on_its_way_is_sent_after_it(self) -> None:
        lead = LeadFactory()
        fold_changes(now=NOON)
        [claim] = claim_waiting(now=NOON)
        log_event(lead, LeadEvent.Kind.OPENED, at=NOON)
        fold_changes(now=NOON)
        record_outcomes([Outcome(claim)], now=NOON, answered_at=NOON)

        assert LeadSync.objects.claimable(NOON).filter(pk=lead.pk).exists()
        confirm()
        assert not LeadSync.objects.stale().exists()

    def test_a_lead_erased_meanwhile_is_forgotten(self) -> None:
        lead = LeadFactory()
        Lead.objects.filter(pk=lead.pk).delete()

        assert fold_changes(now=NOON) == 1
        assert not LeadSync.objects.exists()

    def test_costs_one_statement_however_many(self, django_assert_num_queries) -> None:
        LeadFactory.create_batch(5)
        with django_assert_num_queries(3):  # with the savepoint of a test
            assert fold_changes(now=NOON) == 5

    def test_what_was_never_marked_is_found_at_night(self) -> None:
        LeadFactory()
        forgotten = LeadFactory()
        confirm()
        Lead.objects.filter(pk=forgotten.pk).update(revision=7)
        LeadChange.objects.all().delete()

        assert remark_forgotten(now=NOON) == 1
        assert remark_forgotten(now=NOON) == 0
        fold_changes(now=NOON)
        assert [sync.pk for sync in LeadSync.objects.stale()] == [forgotten.pk]

    def test_a_mapping_that_changed_asks_for_any_number_of_leads_in_one_statement(
        self, django_assert_num_queries
    ) -> None:
        LeadFactory.create_batch(4)
        confirm()
        with django_assert_num_queries(1):
            assert send_again(LeadSync.objects.all(), now=NOON) == 4
        assert fold_changes(now=NOON) == 4


class TestPacing:
    def test_handoffs_go_at_once_and_take_the_others_along(self, settings) -> None:
        settings.SALESFORCE_GATHER_SECONDS = 15.0
        LeadFactory()
        fold_changes(now=NOON)
        assert lanes_to_push(now=NOON) == set()
        assert lanes_to_push(now=NOON + timedelta(seconds=15)) == {Lane.LATER}

        LeadFactory(stage=Lead.Stage.MQL)
        fold_changes(now=NOON)
        assert lanes_to_push(now=NOON) == {Lane.HANDOFF, Lane.LATER}

    def test_a_full_call_does_not_wait_nor_does_a_handoff_wait_for_it(self, settings, monkeypatch) -> None:
        settings.SALESFORCE_GATHER_SECONDS = 15.0
        monkeypatch.setattr(pacing, "ROWS_PER_CALL", 3)
        LeadFactory.create_batch(3)
        fold_changes(now=NOON)
        assert lanes_to_push(now=NOON) == {Lane.LATER}

        LeadFactory(stage=Lead.Stage.MQL)
        fold_changes(now=NOON, lanes=[Lane.LATER])
        assert lanes_to_push(now=NOON) == {Lane.LATER}
        fold_changes(now=NOON, lanes=[Lane.HANDOFF])
        assert lanes_to_push(now=NOON) == {Lane.HANDOFF}

    def test_where_nothing_waits_it_is_two_looks_into_an_index(self) -> None:
        with CaptureQueriesContext(connection) as asked:
            assert lanes_to_push(now=NOON) == set()
        assert len(asked) == 2
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
            cursor.execute(f"EXPLAIN {asked[0]['sql']}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        assert "lead_sync_to_send" in plan
