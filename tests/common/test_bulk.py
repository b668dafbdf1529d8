"""Rows by the hundred in one statement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from common.bulk import as_rows, insert_rows, inserting_whole, update_rows
from common.prepared import ask_prepared
from leads.models import Lead, LeadEvent
from notifications.models import Notification
from sla.models import Clock
from tests.factories import NOON, LeadFactory
from tests.sla.factories import ClockFactory

pytestmark = pytest.mark.django_db


def test_values_of_every_kind_arrive_as_they_were() -> None:
    lead: Lead = LeadFactory()
    detail = {"why": "Grüße – “%s”, 100 %", "nested": [{"n": 1.5}, None, True], "quote": "a'b\"c\\"}
    insert_rows(LeadEvent, [{"lead_id": lead.pk, "kind": "assigned", "at": NOON, "detail": detail}] * 3)
    insert_rows(
        Clock,
        [
            {
                "lead_id": lead.pk, "handoff_id": 2**40, "kind": "opened", "policy_name": "Any",
                "mode": "wall", "minutes": None, "warn_percent": [50, 80], "started_at": NOON,
                "due_at": NOON + timedelta(microseconds=1), "warnings_at": [NOON, NOON + timedelta(hours=1)],
            }
        ],
    )  # fmt: skip

    events = LeadEvent.objects.filter(lead=lead, kind="assigned")
    assert [(event.at, event.detail, event.by) for event in events] == [(NOON, detail, None)] * 3
    clock = Clock.objects.get()
    assert (clock.handoff_id, clock.minutes, clock.warn_percent) == (2**40, None, [50, 80])
    assert (clock.due_at, clock.warnings_at[1]) == (
        NOON + timedelta(microseconds=1),
        NOON + timedelta(hours=1),
    )
    # Left out: the model's defaults.
    assert (clock.outcome, clock.restarts_on_reassignment, clock.pause_reason) == ("running", True, "")


def test_whole_objects_are_inserted_as_they_are(bdr: User) -> None:
    clocks = [
        ClockFactory.build(
            lead=LeadFactory(), owner=bdr, handoff_id=number, pause_reason='a\'b "%s"', paused_at=NOON
        )
        for number in (2**40, 1)
    ]

    found = ask_prepared(f"{inserting_whole(Clock)} RETURNING handoff_id, id", {"rows": as_rows(clocks)})

    assert [handoff_id for handoff_id, _ in found] == [2**40, 1]
    for clock, (_, pk) in zip(clocks, found, strict=True):
        clock.pk = pk
    assert list(Clock.objects.order_by("pk").values()) == list(map(_columns_of, clocks))
    assert as_rows([]) == "[]"


def _columns_of(clock: Clock) -> dict[str, object]:
    return {field.attname: getattr(clock, field.attname) for field in Clock._meta.concrete_fields}


def test_it_is_one_statement_and_none_for_no_row(bdr: User) -> None:
    row = {"recipient_id": bdr.pk, "kind": "handoff", "title": "New", "created_at": NOON}
    with CaptureQueriesContext(connection) as queries:
        insert_rows(Notification, [row | {"dedupe_key": f"key-{number}"} for number in range(300)])
        insert_rows(Notification, [])

    assert (len(queries), Notification.objects.count()) == (1, 300)


def test_what_is_there_already_is_refused_or_left_out(bdr: User) -> None:
    row = {"recipient_id": bdr.pk, "kind": "handoff", "title": "New", "created_at": NOON, "dedupe_key": "key"}
    insert_rows(Notification, [row])

    insert_rows(
        Notification, [row | {"title": "Newer"}, row | {"dedupe_key": "other"}], ignore_conflicts=True
    )
    with pytest.raises(IntegrityError, match="notification_is_told_once"), transaction.atomic():
        insert_rows(Notification, [row])

    assert list(Notification.objects.order_by("pk").values_list("title", "dedupe_key")) == [
        ("New", "key"),
        ("New", "other"),
    ]


def test_rows_are_changed_each_to_its_own_values_and_no_other_row(bdr: User) -> None:
    one, two, other = (LeadFactory() for _ in range(3))

    with CaptureQueriesContext(connection) as queries:
        update_rows(
            Lead,
            [
                {"id": one.pk, "owner_id": bdr.pk, "recycled_at": NOON},
                {"id": two.pk, "owner_id": None, "recycled_at": None},
            ],
        )
        update_rows(Lead, [])

    assert len(queries) == 1
    assert list(Lead.objects.order_by("pk").values_list("pk", "owner", "recycled_at")) == [
        (one.pk, bdr.pk, NOON),
        (two.pk, None, None),
        (other.pk, None, None),
    ]


def test_a_growing_column_grows_by_what_is_given_and_the_others_are_set(bdr: User) -> None:
    one, two = LeadFactory(revision=4), LeadFactory(revision=7)

    update_rows(
        Lead,
        [
            {"id": one.pk, "owner_id": bdr.pk, "revision": 2},
            {"id": two.pk, "owner_id": None, "revision": 0},
        ],
        growing=("revision",),
    )

    assert list(Lead.objects.order_by("pk").values_list("owner", "revision")) == [(bdr.pk, 6), (None, 7)]


def test_a_value_without_a_form_in_json_is_an_error_of_ours(bdr: User) -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        insert_rows(Notification, [{"recipient_id": bdr.pk, "title": object()}])
